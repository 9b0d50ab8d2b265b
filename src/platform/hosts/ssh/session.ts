// One ssh process from its start to its end, with a time limit for each stage.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Clock, Timer } from '../../clock/clock.ts';
import { SECOND } from '../../clock/clock.ts';
import { STDERR_BYTES_MAX } from '../actions/shell.ts';
import { isLoggedIn } from './failures.ts';
import { Output } from './wire.ts';

/** After being asked to end. */
const END_MS_MAX = SECOND;
/** After its end, for what is still in the pipes. A child of its own may hold them open. */
const DRAIN_MS_MAX = SECOND;
/** Between two looks at whether it is logged in, which stands in its log. */
const LOOK_MS = SECOND / 2;
const LOG_BYTES_MAX = 64 * 1024;

export interface SessionLimits {
  connect_ms: number;
  login_ms: number;
  start_ms: number;
  run_ms: number;
  output_bytes_max: number;
}

export interface Session {
  clock: Clock;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  input: string;
  /** File that ssh writes what it says of itself to. */
  log: string;
  limits: SessionLimits;
  signal?: AbortSignal | undefined;
}

/** Why we ended it; undefined when it ended by itself. */
export type Stopped = 'LoggingIn' | 'Starting' | 'Running' | 'Full' | 'Aborted' | 'NoSsh';

export interface SessionEnd {
  stopped: Stopped | undefined;
  /** Of ssh itself. */
  code: number | null;
  output: Output;
  stderr: Buffer;
  log: string;
}

export function runSession({ clock, args, env, input, log, limits, signal }: Session): Promise<SessionEnd> {
  return new Promise((resolve) => {
    // A group of its own, so that what it starts for a jump host ends with it.
    const child = spawn('ssh', args, { env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    const output = new Output(limits.output_bytes_max);
    let stderr = Buffer.alloc(0);
    let stopped: Stopped | undefined;
    const loginBy = clock.now() + limits.connect_ms + limits.login_ms;
    let timer: Timer = clock.timer(LOOK_MS, lookForLogin);
    let killer: Timer | undefined;
    let drain: Timer | undefined;

    function lookForLogin(): void {
      if (isLoggedIn(logOf(log))) timer = clock.timer(limits.start_ms, () => stop('Starting'));
      else if (clock.now() >= loginBy) stop('LoggingIn');
      else timer = clock.timer(LOOK_MS, lookForLogin);
    }
    function stop(why: Stopped): void {
      if (stopped) return;
      stopped = why;
      timer.cancel();
      signalGroup(child.pid, 'SIGTERM');
      killer = clock.timer(END_MS_MAX, () => signalGroup(child.pid, 'SIGKILL'));
    }
    const onAbort = () => stop('Aborted');
    let isOver = false;
    function over(code: number | null): void {
      if (isOver) return;
      isOver = true;
      timer.cancel();
      killer?.cancel();
      drain?.cancel();
      signal?.removeEventListener('abort', onAbort);
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ stopped, code, output, stderr, log: logOf(log) });
    }

    child.stdout.on('data', (chunk: Buffer) => {
      if (stopped) return;
      const before = output.began;
      const more = output.take(chunk);
      if (!before && output.began) {
        timer.cancel();
        timer = clock.timer(limits.run_ms, () => stop('Running'));
      }
      if (more === 'Enough') stop('Full');
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = Buffer.concat([stderr, chunk]).subarray(-STDERR_BYTES_MAX);
    });
    child.stdin.on('error', () => {}); // the host may end before it has read all
    child.stdin.end(input);
    child.once('error', () => {
      stopped = 'NoSsh';
      over(null);
    });
    child.once('exit', (code) => {
      drain = clock.timer(DRAIN_MS_MAX, () => over(code));
    });
    child.once('close', (code) => over(code));
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended.
  }
}

function logOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').slice(0, LOG_BYTES_MAX);
  } catch {
    return ''; // nothing said
  }
}
