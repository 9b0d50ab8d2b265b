// A dump of a kernel's memory, read by the tools of its trade: makedumpfile for its log, crash for all stacks.
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const TOOL_MS_MAX = 10 * 60_000;
const SESSION_BYTES_MAX = 16 << 20;
const run = promisify(execFile);

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
    await run('makedumpfile', ['--dump-dmesg', path, log], { timeout: TOOL_MS_MAX });
    return (await readFile(log)).toString('latin1');
  } catch (error) {
    const why = missingOr('makedumpfile', error);
    throw new Error(`a dump of memory: ${why}; its vmcore-dmesg.txt is enough`);
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
  const { out, err } = await session(['--no_crashrc', '-s', vmlinux, path]).catch((error: unknown) => {
    throw new Error(missingOr('crash', error));
  });
  // Its exit code says nothing: it is that of the last question.
  if (/^\s*KERNEL: /m.test(out)) return out;
  const lines = `${err}\n${out}`.split('\n').map((line) => line.trim());
  throw new Error(
    lines.find((line) => line.startsWith('crash: ')) ?? lines.find(Boolean) ?? 'crash said nothing',
  );
}

function session(args: readonly string[]): Promise<{ out: string; err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('crash', args, { timeout: TOOL_MS_MAX, stdio: 'pipe' });
    const said = { out: [] as Buffer[], err: [] as Buffer[] };
    let size = 0;
    for (const name of ['out', 'err'] as const)
      child[`std${name}`].on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size <= SESSION_BYTES_MAX) said[name].push(chunk);
      });
    child.on('error', reject);
    child.on('close', (_code, signal) => {
      if (signal) return reject(new Error(`crash took longer than ${TOOL_MS_MAX / 60_000} minutes`));
      const text = (chunks: readonly Buffer[]) => Buffer.concat(chunks).toString('latin1');
      resolve({ out: text(said.out), err: text(said.err) });
    });
    child.stdin.on('error', () => {});
    child.stdin.end(`${QUESTIONS.join('\n')}\n`);
  });
}

function missingOr(tool: string, error: unknown): string {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
    ? `${tool} is not installed`
    : (error as Error).message;
}
