// A report goes to people outside of the site: nothing in it says whose machines these are.

/** What an engineer needs and every site has; all other attributes are the site's own. */
export const TECHNICAL = new Set([
  'model',
  'kernel',
  'os',
  'cpu',
  'bios',
  'bmc',
  'nic',
  'arch',
  'age',
  'instanceType',
  'workload',
]);

const IPV4 = /\b(?:\d{1,3}\.){3}\d{1,3}\b/g;
const MAC = /\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/gi;
const IPV6 = /\b(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{1,4}\b/gi;
/** Syslog's time and host before the message. */
const HOST = /^([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT[\d:.+Z-]{8,24}) \S+ /gm;
/** A console’s prompt. */
const PROMPT = /\S{1,64} login:/g;
const UUID = /\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/gi;

/** Names in a fixed order: the same machine is the same number all through one report. */
export class Pseudonyms {
  readonly #names = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  of(key: string, value: string): string {
    const whole = `${key}=${value}`;
    const known = this.#names.get(whole);
    if (known) return known;
    const number = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, number);
    const name = `${key}-${number}`;
    this.#names.set(whole, name);
    return name;
  }
}

/** @param names of machines, which a console prints at its prompt */
export function scrubbed(log: string, names: readonly string[]): string {
  let text = log
    .replaceAll(HOST, '$1 host ')
    .replaceAll(PROMPT, 'host login:')
    .replaceAll(UUID, 'UUID')
    .replaceAll(MAC, 'MAC')
    .replaceAll(IPV6, 'ADDRESS')
    .replaceAll(IPV4, 'ADDRESS');
  for (const name of names) if (name.length >= 4) text = text.replaceAll(name, 'host');
  return text;
}
