// How a run travels back where a way keeps text only, mixes stdout with stderr, or cuts: logs of a container, output of a
// provider's agent. The script's output is kept on the host, packed, and comes in base64 within words of ours.
import { gunzipSync } from 'node:zlib';
import { EXIT_CANNOT } from './actions/action.ts';
import { type Order, STDERR_BYTES_MAX } from './actions/shell.ts';
import { SETTING } from './ssh/wire.ts';

/** In memory on every host with systemd: also where the disk is full. Root's only. */
export const PACKED_FOLDER = '/run/drover';
/** What a run left goes away with a later run, after so long. Until then a run of the same name is not begun again. */
const KEPT_MINUTES = 60;
/** gzip says more than it got only by so much: its head, and 5 bytes for each 32 KB. */
const GZIP_BYTES_MORE = 64;

const BEGAN = 'drover began';
const CANNOT = 'drover cannot: ';
const DONE = 'drover done';

export interface Packing {
  /** Of the run: lower-case letters, digits and `-`. */
  name: string;
  folder: string;
  /** So much of the packed output comes with the report; the rest waits on the host. */
  first_bytes_max: number;
  /**
   * How long it stays after its report, where what it has begun in the background ends with it: a dump is forced a second
   * after the answer. SIGTERM does not shorten that.
   */
  linger_s?: number;
}

/**
 * One line of POSIX sh around an action's script, for which "$1", "$2" … have been set. It begins at most once a name: what
 * repeats a run by itself (a Job, an API that is called again) does nothing the second time. Its exit code is the script's.
 */
export function packedScript(
  { script, output_bytes_max }: Pick<Order, 'script' | 'output_bytes_max'>,
  { name, folder, first_bytes_max, linger_s = 0 }: Packing,
): string {
  const at = `${folder}/${name}`;
  const [code, out, err] = [`${at}/code`, `${at}/out`, `${at}/err`];
  return [
    `{ ${SETTING} exec </dev/null;`,
    // Only one of two gets to make it.
    `drover_m=$(mkdir -p ${folder} 2>&1 && mkdir ${at} 2>&1) || { echo "${CANNOT}$drover_m"; exit ${EXIT_CANNOT}; };`,
    `find ${folder} -mindepth 1 -maxdepth 1 -mmin +${KEPT_MINUTES} -exec rm -rf {} + 2>/dev/null;`,
    `echo '${BEGAN}';`,
    // One byte more than wanted tells that there was more.
    `{ { ( ${script} ) 2>&3 3>&-; echo "$?" >${code}; } | head -c ${output_bytes_max + 1} | gzip -c >${out}; } 3>&1 | tail -c ${STDERR_BYTES_MAX} >${err};`,
    ...(linger_s > 0 ? [`trap '' TERM;`] : []),
    `drover_c=$(cat ${code}); printf 'drover ended %s %s %s\\n' "$drover_c" "$(wc -c <${out})" "$(base64 -w 0 <${err})";`,
    `head -c ${first_bytes_max} ${out} | base64 -w 0; echo; echo '${DONE}';`,
    `[ "$(wc -c <${out})" -gt ${first_bytes_max} ] || rm -f ${code} ${out} ${err};`,
    ...(linger_s > 0 ? [`exec >/dev/null 2>&1; sleep ${linger_s};`] : []),
    `exit "\${drover_c:-${EXIT_CANNOT}}"; }`,
  ].join(' ');
}

/** Prints a part of what waits on the host, in base64. */
export function partScript({ name, folder }: Packing, from_bytes: number, bytes: number): string {
  return `tail -c +${from_bytes + 1} ${folder}/${name}/out | head -c ${bytes} | base64 -w 0`;
}

/** What is fetched need not stay. */
export function tidyScript({ name, folder }: Packing): string {
  return `rm -f ${folder}/${name}/code ${folder}/${name}/out ${folder}/${name}/err`;
}

export type Report =
  /** No word of ours is there: the shell itself did not come up. */
  | { state: 'NotBegun' }
  | { state: 'Cannot'; message: string }
  /** It began, and the report is not whole. */
  | { state: 'Begun' }
  | { state: 'Done'; exitCode: number; packed_bytes: number; stderr: Buffer; first: Buffer };

const REPORT = new RegExp(
  `^drover ended (\\d{1,3}) (\\d{1,10}) ([A-Za-z0-9+/=]*)\n([A-Za-z0-9+/=]*)\n${DONE}$`,
  'm',
);

/** Reads what `packedScript` printed. What others printed before it is passed over. */
export function reportOf(text: string): Report {
  const done = REPORT.exec(text);
  if (done) {
    const [, code, bytes, stderr = '', first = ''] = done;
    return {
      state: 'Done',
      exitCode: Number(code),
      packed_bytes: Number(bytes),
      stderr: Buffer.from(stderr, 'base64'),
      first: Buffer.from(first, 'base64'),
    };
  }
  if (new RegExp(`^${BEGAN}$`, 'm').test(text)) return { state: 'Begun' };
  const cannot = text.split('\n').find((line) => line.startsWith(CANNOT));
  return cannot === undefined
    ? { state: 'NotBegun' }
    : { state: 'Cannot', message: cannot.slice(CANNOT.length, CANNOT.length + 300) };
}

/** No output that is wanted packs into more than this. */
export function packed_bytes_max(output_bytes_max: number): number {
  return output_bytes_max + Math.ceil(output_bytes_max / 1000) + GZIP_BYTES_MORE;
}

/** Throws where that is not gzip, or far more than it should be. */
export function unpacked(packed: Buffer, output_bytes_max: number): { stdout: Buffer; truncated: boolean } {
  const all = gunzipSync(packed, { maxOutputLength: output_bytes_max + 1 });
  const truncated = all.length > output_bytes_max;
  return { stdout: truncated ? all.subarray(0, output_bytes_max) : all, truncated };
}
