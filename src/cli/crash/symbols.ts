// Stacks with file and line, where the kernel's debug symbols are at hand: what scripts/decode_stacktrace.sh of the
// kernel does, by the same tools (nm and addr2line of binutils).
import { createReadStream } from 'node:fs';
import { messageOf } from '../../platform/kube/errors.ts';
import { CliError } from '../io.ts';
import { printed } from './tools.ts';

const SYMBOLS_BYTES_MAX = 256 << 20;
/** Distinct frames of one log. */
const FRAMES_MAX = 500;

const FRAME = /\b([A-Za-z_][\w.]*)\+0x([0-9a-f]{1,8})\/0x([0-9a-f]{1,8})(?! \[)/g;
/** Where the CPU was; all other frames are return addresses, one past the call. */
const POINTER = /(?:RIP|EIP|IP|PC is at|pc|epc|NIP)\b[^+]*$/;
const TREE =
  /(?:^|\/)((?:arch|block|certs|crypto|drivers|fs|include|init|io_uring|ipc|kernel|lib|mm|net|rust|security|sound|virt)\/.*)$/;

/** The kernel that a vmlinux is of, as `uname -r` has it. */
export async function kernelOf(vmlinux: string): Promise<string> {
  let tail = '';
  try {
    for await (const chunk of createReadStream(vmlinux, { highWaterMark: 1 << 20 })) {
      const text = tail + (chunk as Buffer).toString('latin1');
      const found = /Linux version ([\w.+~-]{3,100}) /.exec(text);
      if (found) return found[1] as string;
      tail = text.slice(-128);
    }
  } catch (error) {
    throw new CliError(`error: --vmlinux ${vmlinux}: ${messageOf(error)}`);
  }
  throw new CliError(`error: --vmlinux ${vmlinux}: no kernel: there is no "Linux version" in it`);
}

/**
 * The log with ` FILE:LINE` after each frame that the symbols know. Frames of modules are left as they are.
 *
 * @throws CliError when binutils are missing or the file has no symbols
 */
export async function decoded(log: string, vmlinux: string): Promise<string> {
  const places = await placesOf(log, vmlinux);
  return log.replaceAll(FRAME, (frame) => {
    const place = places.get(frame);
    return place ? `${frame} ${place}` : frame;
  });
}

async function placesOf(log: string, vmlinux: string): Promise<Map<string, string>> {
  const frames = new Map<string, { name: string; offset: number; size: number }>();
  for (const line of log.split('\n')) {
    for (const found of line.matchAll(FRAME)) {
      const [frame, name = '', offset = '', size = ''] = found;
      const exact = POINTER.test(line.slice(0, found.index));
      const at = Number.parseInt(offset, 16) - (exact ? 0 : 1);
      if (frames.size < FRAMES_MAX)
        frames.set(frame, { name, offset: Math.max(0, at), size: Number.parseInt(size, 16) });
    }
  }
  if (frames.size === 0) return new Map();
  const symbols = await symbolsOf(vmlinux, new Set([...frames.values()].map(({ name }) => name)));
  const wanted: { frame: string; address: string }[] = [];
  for (const [frame, { name, offset, size }] of frames) {
    const known = symbols.get(name) ?? [];
    // The same name may stand in several files: the size tells which.
    const symbol = known.find((each) => each.size === size) ?? (known.length === 1 ? known[0] : undefined);
    if (symbol) wanted.push({ frame, address: `0x${(symbol.address + BigInt(offset)).toString(16)}` });
  }
  const lines = await linesOf(
    vmlinux,
    wanted.map(({ address }) => address),
  );
  return new Map(
    wanted.flatMap(({ frame }, at) => (lines[at] ? [[frame, lines[at] as string] as const] : [])),
  );
}

async function symbolsOf(
  vmlinux: string,
  names: ReadonlySet<string>,
): Promise<Map<string, { address: bigint; size: number }[]>> {
  const listed = await decoding('nm', ['--print-size', '--defined-only', vmlinux]);
  const symbols = new Map<string, { address: bigint; size: number }[]>();
  for (const line of listed.split('\n')) {
    const [address = '', size = '', type = '', name = ''] = line.split(' ');
    if (!/^[tTwW]$/.test(type) || !names.has(name)) continue;
    const symbol = { address: BigInt(`0x${address}`), size: Number.parseInt(size, 16) };
    symbols.set(name, [...(symbols.get(name) ?? []), symbol]);
  }
  return symbols;
}

/** One answer for each address: the innermost place, and where it was inlined. */
async function linesOf(vmlinux: string, addresses: readonly string[]): Promise<(string | undefined)[]> {
  if (addresses.length === 0) return [];
  const text = await decoding(
    'addr2line',
    ['--inlines', '--addresses', '--exe', vmlinux],
    `${addresses.join('\n')}\n`,
  );
  const answers: string[][] = [];
  for (const line of text.split('\n')) {
    if (/^0x[0-9a-f]+$/.test(line)) answers.push([]);
    else if (line !== '' && !line.startsWith('?')) answers.at(-1)?.push(shortened(line));
  }
  return answers.map((places) => {
    const known = places.filter((place) => place !== '');
    return known.length > 0 ? known.join(' inlined in ') : undefined;
  });
}

/** Without the folder that the kernel was built in, and without ` (discriminator 2)`. */
function shortened(place: string): string {
  const bare = place.replace(/ \(discriminator \d+\)$/, '');
  return TREE.exec(bare)?.[1] ?? bare;
}

async function decoding(tool: string, args: readonly string[], input?: string): Promise<string> {
  try {
    return await printed(tool, args, { bytesMax: SYMBOLS_BYTES_MAX, ...(input && { input }) });
  } catch (error) {
    const why = messageOf(error).replace(/is not installed$/, '$&; it is part of binutils');
    throw new CliError(`error: stacks can't be decoded: ${why}`);
  }
}
