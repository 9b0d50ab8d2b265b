// Tools of other people that read kernels: nm, addr2line, makedumpfile, crash.
import { spawn } from 'node:child_process';
import { MINUTE } from '../../platform/clock/clock.ts';

const TOOL_MS_MAX = 10 * MINUTE;

export interface Ran {
  code: number | null;
  out: string;
  err: string;
}

/**
 * Runs a tool with `input` on its standard input. What it prints beyond `bytesMax` is left out.
 *
 * @throws Error when it is not installed, or takes longer than ten minutes
 */
export function ran(
  tool: string,
  args: readonly string[],
  { input = '', bytesMax }: { input?: string; bytesMax: number },
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(tool, args, { timeout: TOOL_MS_MAX, stdio: 'pipe' });
    const said = { out: [] as Buffer[], err: [] as Buffer[] };
    let size = 0;
    for (const name of ['out', 'err'] as const)
      child[`std${name}`].on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size <= bytesMax) said[name].push(chunk);
      });
    child.on('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' ? new Error(`${tool} is not installed`) : error),
    );
    child.on('close', (code, signal) => {
      if (signal) return reject(new Error(`${tool} took longer than ${TOOL_MS_MAX / MINUTE} minutes`));
      const text = (chunks: readonly Buffer[]) => Buffer.concat(chunks).toString('latin1');
      resolve({ code, out: text(said.out), err: text(said.err) });
    });
    // A tool that reads no input says why itself.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/** What a tool prints, where it must end well. */
export async function printed(...call: Parameters<typeof ran>): Promise<string> {
  const { code, out, err } = await ran(...call);
  if (code === 0) return out;
  throw new Error(err.trim().split('\n')[0] || `${call[0]} ended with ${code}`);
}
