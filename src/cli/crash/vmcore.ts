// A dump of a kernel's memory, read by the tools of its trade: makedumpfile for its log, crash for all stacks.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../../platform/kube/errors.ts';
import { printed, ran } from './tools.ts';

const SESSION_BYTES_MAX = 16 << 20;

/** What a kernel engineer asks a dump first (crash(8)). Nothing here prints memory. */
const QUESTIONS = [
  'sys',
  // Each CPU's stack, with file and line.
  'bt -a -s -l',
  // Who waits, uninterruptible, and for what.
  'foreach UN bt -s',
  'ps -S',
  'runq',
  'kmem -i',
  'mod -t',
  'quit',
];

/** `KDUMP   ` of makedumpfile, `makedumpfile` flattened, or an ELF core. */
export function isDump(head: Buffer): boolean {
  const start = head.toString('latin1', 0, 8);
  return start === 'KDUMP   ' || start === 'makedump' || (start.startsWith('\x7fELF') && head.length >= 8);
}

/**
 * The kernel's log out of a dump of its memory.
 *
 * @throws Error that says what is missing
 */
export async function dumpedLog(path: string): Promise<string> {
  if (path === '-') throw new Error('a dump of memory can’t be read from standard input; give its file');
  const dir = await mkdtemp(join(tmpdir(), 'drover-dump-'));
  try {
    const log = join(dir, 'dmesg.txt');
    await printed('makedumpfile', ['--dump-dmesg', path, log], { bytesMax: SESSION_BYTES_MAX });
    return (await readFile(log)).toString('latin1');
  } catch (error) {
    throw new Error(`a dump of memory: ${messageOf(error)}; its vmcore-dmesg.txt is enough`);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/**
 * What crash(8) says of a dump, with the debug symbols of its kernel.
 *
 * @throws Error when crash is not installed, or the symbols are not this kernel's
 */
export async function askedCrash(path: string, vmlinux: string): Promise<string> {
  const { out, err } = await ran('crash', ['--no_crashrc', '-s', vmlinux, path], {
    input: `${QUESTIONS.join('\n')}\n`,
    bytesMax: SESSION_BYTES_MAX,
  });
  // Its exit code says nothing: it is that of the last question.
  if (/^\s*KERNEL: /m.test(out)) return out;
  const lines = `${err}\n${out}`.split('\n').map((line) => line.trim());
  throw new Error(
    lines.find((line) => line.startsWith('crash: ')) ?? lines.find(Boolean) ?? 'crash said nothing',
  );
}
