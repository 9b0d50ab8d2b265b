// Child processes that never outlive us. A small shell holds a pipe from this process: when that closes,
// however this process ended (also by SIGKILL), the shell kills what it was told of and removes the folder.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/platform/clock/system.ts';

const REAPER = `
trap '' INT TERM HUP
while read -r line; do pids=$line; done
for pid in $pids; do kill -KILL "-$pid"; done 2>/dev/null
rm -rf "$1"
`;
/** How much of a log an error repeats. */
const LOG_TAIL_CHARS = 2000;

export class Processes {
  readonly folder: string;
  readonly logs: string;
  readonly #running = new Map<string, ChildProcess>();
  readonly #reaper: ChildProcess;

  /** @param folder removed with everything in it when all is over. */
  constructor(folder: string) {
    this.folder = folder;
    this.logs = join(folder, 'logs');
    mkdirSync(this.logs, { recursive: true });
    this.#reaper = spawn('sh', ['-c', REAPER, 'reaper', folder], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#reaper.stdin?.on('error', () => {}); // it may be gone before us
    this.#reaper.unref();
    (this.#reaper.stdin as unknown as { unref(): void }).unref();
  }

  /** Starts `command` under `name`; its output goes to `<name>.log`. */
  start(name: string, command: string, args: readonly string[]): void {
    if (this.#running.has(name)) throw new Error(`${name} is running already`);
    const log = openSync(join(this.logs, `${name}.log`), 'a');
    const child = spawn(command, args, { cwd: this.folder, detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    child.unref();
    child.once('error', () => this.#forget(name, child));
    child.once('exit', () => this.#forget(name, child));
    this.#running.set(name, child);
    this.#tellReaper();
  }

  isRunning(name: string): boolean {
    return this.#running.has(name);
  }

  /** Undefined while `name` is not running. */
  pid(name: string): number | undefined {
    return this.#running.get(name)?.pid;
  }

  signal(name: string, signal: NodeJS.Signals): void {
    const pid = this.pid(name);
    if (pid === undefined) throw new Error(`${name} is not running`);
    process.kill(pid, signal);
  }

  /** Resolves when every thread of it stands still: the signal alone lets those that run finish what they do. */
  async pause(name: string): Promise<void> {
    this.signal(name, 'SIGSTOP');
    const tasks = `/proc/${this.pid(name)}/task`;
    const stands = (task: string) => / T /.test(readFileSync(join(tasks, task, 'stat'), 'utf8').slice(0, 64));
    // Where there is no /proc the signal has to do.
    while (existsSync(tasks) && !readdirSync(tasks).every(stands)) await systemClock.sleep(1);
  }

  /** Resolves when it is gone, and its port with it. */
  async stop(name: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#running.get(name);
    if (!child) return;
    child.ref();
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  logTail(name: string): string {
    return readFileSync(join(this.logs, `${name}.log`), 'utf8').slice(-LOG_TAIL_CHARS);
  }

  async end(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((name) => this.stop(name)));
    this.#reaper.stdin?.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #forget(name: string, child: ChildProcess): void {
    if (this.#running.get(name) !== child) return;
    this.#running.delete(name);
    this.#tellReaper();
  }

  /** Each line is the whole truth of that moment. */
  #tellReaper(): void {
    const pids = [...this.#running.values()].map((child) => child.pid).filter((pid) => pid !== undefined);
    if (this.#reaper.stdin?.writable) this.#reaper.stdin.write(`${pids.join(' ')}\n`);
  }
}
