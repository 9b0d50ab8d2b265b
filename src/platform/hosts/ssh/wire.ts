// How a script and its arguments travel. The command that the host is asked to run is the same for every run of an action:
// arguments come over stdin, one a line. So no shell on the way ever reads one, and a sudoers file can list the command
// whole. (Arguments in the command would need a wildcard there, and sudo joins arguments by spaces before it compares:
// `sh -c SCRIPT drover *` also matches the one argument `SCRIPT drover; anything`, which is all of root.)
import { HostError } from '../host.ts';

/** Says on stdout that the script runs: what failed before is not the action. */
export const BEGAN = 'drover began\n';
/** What a login shell may print before that, of which nothing is kept. */
export const NOISE_BYTES_MAX = 64 * 1024;
/** `\ndrover ended 255\n` */
const ENDED = /\ndrover ended (\d{1,3})\n$/;
const ENDED_BYTES_MAX = 32;

/** Neither a user's PATH nor their locale has a say in what runs. */
export const SETTING =
  'PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin; LC_ALL=C; export PATH LC_ALL; umask 077;';
/** Not all arguments came. */
export const EXIT_NOT_ALL = 65;
/** All arguments or none: a connection that is lost in between must not make a real run out of a dry one. */
const ARGUMENTS = `IFS= read -r n || exit ${EXIT_NOT_ALL}; set --; while [ "$#" -lt "$n" ] && IFS= read -r a; do set -- "$@" "$a"; done; [ "$#" -eq "$n" ] || exit ${EXIT_NOT_ALL}; exec </dev/null;`;

/**
 * Within braces a shell runs nothing before it has read everything, so no beginning of this text does anything by itself.
 * The exit code is printed, for ssh's own, 255, may mean anything.
 */
export function wireScript(script: string): string {
  return String.raw`{ ${SETTING} ${ARGUMENTS} echo 'drover began'; ( ${script} ); printf '\ndrover ended %s\n' "$?"; }`;
}

/** What goes to stdin. */
export function wireArgs(args: readonly string[]): string {
  if (args.some((arg) => /[\n\0]/.test(arg)))
    throw new HostError('an argument holds a line end or NUL', 'Refused');
  return [String(args.length), ...args].map((line) => `${line}\n`).join('');
}

/** Takes what comes from stdout. */
export class Output {
  readonly #most: number;
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Whether the script runs, or ran. */
  began = false;

  constructor(output_bytes_max: number) {
    this.#most = output_bytes_max;
  }

  /** Whether more is of use. */
  take(chunk: Buffer): 'More' | 'Enough' {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (!this.began) return this.#lookForBegin();
    return this.#bytes > this.#most + ENDED_BYTES_MAX ? 'Enough' : 'More';
  }

  /** What was printed before the script began, where it did not begin. */
  get noise(): Buffer {
    return this.began ? Buffer.alloc(0) : Buffer.concat(this.#chunks);
  }

  get bytes(): number {
    return this.#bytes;
  }

  #lookForBegin(): 'More' | 'Enough' {
    const all = Buffer.concat(this.#chunks);
    const at = all.indexOf(BEGAN);
    if (at < 0) {
      this.#chunks = [all];
      return all.length > NOISE_BYTES_MAX ? 'Enough' : 'More';
    }
    this.began = true;
    this.#chunks = [];
    this.#bytes = 0;
    return this.take(all.subarray(at + BEGAN.length));
  }

  /** What the script printed, and its exit code where it ended. */
  end(): { stdout: Buffer; exitCode: number | undefined; truncated: boolean } {
    const all = Buffer.concat(this.#chunks);
    const tailFrom = Math.max(0, all.length - ENDED_BYTES_MAX);
    const ended = ENDED.exec(all.toString('latin1', tailFrom));
    const whole = ended ? all.subarray(0, tailFrom + ended.index) : all;
    const truncated = whole.length > this.#most;
    return {
      stdout: truncated ? whole.subarray(0, this.#most) : whole,
      exitCode: ended ? Number(ended[1]) : undefined,
      truncated,
    };
  }
}
