// Names of Rust functions as people write them. The kernel prints them mangled (v0, RFC 2603):
// _RNvMs3_NtCshg_11rust_binder7processNtB5_7Process10update_ref is <rust_binder::process::Process>::update_ref.

const DEPTH_MAX = 64;
const LENGTH_MAX = 500;

const BASIC: Readonly<Record<string, string>> = {
  a: 'i8',
  b: 'bool',
  c: 'char',
  d: 'f64',
  e: 'str',
  f: 'f32',
  h: 'u8',
  i: 'isize',
  j: 'usize',
  l: 'i32',
  m: 'u32',
  n: 'i128',
  o: 'u128',
  p: '_',
  s: 'i16',
  t: 'u16',
  u: '()',
  v: '...',
  x: 'i64',
  y: 'u64',
  z: '!',
};

/** The readable name, or the symbol as it is when it is not one of Rust's or is cut. */
export function demangleRust(symbol: string): string {
  if (!symbol.startsWith('_R')) return symbol;
  try {
    return new Demangler(symbol.slice(2)).path();
  } catch {
    return symbol;
  }
}

class Demangler {
  private readonly text: string;
  private at = 0;
  private depth = 0;

  constructor(text: string) {
    this.text = text;
  }

  path(): string {
    if (++this.depth > DEPTH_MAX) throw new Error('too deep');
    const name = this.short(this.pathInside());
    this.depth--;
    return name;
  }

  private pathInside(): string {
    switch (this.next()) {
      case 'C':
        return this.identifier().name;
      case 'M':
        this.implPath();
        return `<${this.type()}>`;
      case 'X': {
        this.implPath();
        const type = this.type();
        return `<${type} as ${this.path()}>`;
      }
      case 'Y': {
        const type = this.type();
        return `<${type} as ${this.path()}>`;
      }
      case 'N': {
        const space = this.next();
        const parent = this.path();
        const { name, number } = this.identifier();
        // An upper-case name space is the compiler's: closures and shims.
        if (space >= 'a') return name === '' ? parent : `${parent}::${name}`;
        const kind = space === 'C' ? 'closure' : space === 'S' ? 'shim' : space;
        return `${parent}::{${kind}${name === '' ? '' : `:${name}`}#${number}}`;
      }
      case 'I': {
        const parent = this.path();
        return `${parent}<${this.listed(() => this.generic())}>`;
      }
      case 'B':
        return this.back(() => this.path());
      default:
        throw new Error('not a path');
    }
  }

  private implPath(): void {
    this.disambiguator();
    this.path();
  }

  private type(): string {
    if (++this.depth > DEPTH_MAX) throw new Error('too deep');
    const name = this.short(this.typeInside());
    this.depth--;
    return name;
  }

  private typeInside(): string {
    const tag = this.next();
    const basic = BASIC[tag];
    if (basic) return basic;
    switch (tag) {
      case 'A': {
        const type = this.type();
        return `[${type}; ${this.constant()}]`;
      }
      case 'S':
        return `[${this.type()}]`;
      case 'T':
        return `(${this.listed(() => this.type())})`;
      case 'R':
      case 'Q': {
        if (this.text[this.at] === 'L') this.lifetime();
        return tag === 'R' ? `&${this.type()}` : `&mut ${this.type()}`;
      }
      case 'P':
        return `*const ${this.type()}`;
      case 'O':
        return `*mut ${this.type()}`;
      case 'B':
        return this.back(() => this.type());
      default:
        this.at--;
        return this.path();
    }
  }

  private generic(): string {
    if (this.text[this.at] === 'L') {
      this.lifetime();
      return "'_";
    }
    if (this.text[this.at] !== 'K') return this.type();
    this.at++;
    return this.constant();
  }

  private constant(): string {
    if (this.text[this.at] === 'B') {
      this.at++;
      return this.back(() => this.constant());
    }
    this.next(); // its type
    const end = this.text.indexOf('_', this.at);
    if (end < 0) throw new Error('cut');
    const digits = this.text.slice(this.at, end);
    this.at = end + 1;
    return digits === '' ? '_' : `0x${digits.replace(/^n/, '-')}`;
  }

  private lifetime(): void {
    this.at++;
    this.base62();
  }

  private listed(one: () => string): string {
    const parts: string[] = [];
    while (this.text[this.at] !== 'E') parts.push(one());
    this.at++;
    return this.short(parts.join(', '));
  }

  private back(read: () => string): string {
    const target = this.base62();
    const here = this.at;
    if (target >= here) throw new Error('forward');
    this.at = target;
    const name = read();
    this.at = here;
    return name;
  }

  private disambiguator(): number {
    if (this.text[this.at] !== 's') return 0;
    this.at++;
    return this.base62() + 1;
  }

  private identifier(): { name: string; number: number } {
    const number = this.disambiguator();
    if (this.text[this.at] === 'u') this.at++;
    const from = this.at;
    while (isDigit(this.text[this.at])) this.at++;
    const length = Number(this.text.slice(from, this.at));
    if (this.text[this.at] === '_') this.at++;
    if (this.at === from || this.at + length > this.text.length) throw new Error('cut');
    const name = this.text.slice(this.at, this.at + length);
    this.at += length;
    return { name, number };
  }

  private base62(): number {
    let value = 0;
    for (let first = true; ; first = false) {
      const digit = this.next();
      if (digit === '_') return first ? 0 : value + 1;
      value = value * 62 + '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'.indexOf(digit);
    }
  }

  private next(): string {
    const letter = this.text[this.at++];
    if (letter === undefined) throw new Error('cut');
    return letter;
  }

  /** Back references can double a name again and again. */
  private short(name: string): string {
    if (name.length > LENGTH_MAX) throw new Error('too long');
    return name;
  }
}

function isDigit(letter: string | undefined): boolean {
  return letter !== undefined && letter >= '0' && letter <= '9';
}
