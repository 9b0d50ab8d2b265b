// One start of a machine in qemu, by software emulation: until it switches itself off.
import { mkdtempSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SECOND } from '../../src/platform/clock/clock.ts';
import { systemClock } from '../../src/platform/clock/system.ts';
import { Processes } from '../control-plane/processes.ts';
import type { Kernel } from './build.ts';

export interface Start {
  /** What makes it crash: a kind of machine/flaky.c, `sysrq`, or `exit`. */
  how: string;
  memory_mb?: number;
  /** For the kernel. */
  words?: readonly string[];
  /** For qemu; files are named in the run's folder. */
  args?: readonly string[];
  /** Said to qemu's monitor when the machine is up; such a machine runs the kernel that knows machine checks. */
  monitor?: string;
  kdump?: boolean;
  /** Starts again, with its memory as it was, after a panic. */
  restarts?: boolean;
}

export interface Ran extends AsyncDisposable {
  /** All that came over the serial console. */
  console: string;
  /** Of a file that qemu has written. */
  path(name: string): string;
}

/** Two to eight seconds where nothing else runs. */
const RUN_MS_MAX = 150 * SECOND;
const POLL_MS = 50;
const NAME = 'qemu';

export async function runMachine(kernel: Kernel, start: Start): Promise<Ran> {
  const { how, memory_mb = 256, words = [], args = [], monitor, kdump = false, restarts = false } = start;
  const processes = new Processes(mkdtempSync(join(tmpdir(), 'drover-machine-')));
  const path = (name: string) => join(processes.folder, name);
  const line = [
    'console=ttyS0',
    'oops=panic',
    `panic=${restarts || kdump ? 1 : -1}`,
    `drover.do=${how}`,
    ...words,
  ];
  processes.start(NAME, 'qemu-system-x86_64', [
    ...['-accel', 'tcg', '-machine', 'pc', '-cpu', 'qemu64,+mce,+mca', '-m', String(memory_mb)],
    ...['-display', 'none', '-nodefaults', ...(restarts ? [] : ['-no-reboot'])],
    ...['-serial', `file:${path('console.log')}`, ...args],
    ...['-monitor', monitor === undefined ? 'none' : `unix:${path('monitor')},server=on,wait=off`],
    ...[
      '-kernel',
      monitor === undefined ? kernel.vmlinuz : kernel.wholeVmlinuz,
      '-initrd',
      kdump ? kernel.kdumpInitrd : kernel.initrd,
    ],
    ...['-append', line.join(' ')],
  ]);
  const deadline = systemClock.now() + RUN_MS_MAX;
  let told = monitor === undefined;
  while (processes.isRunning(NAME) && systemClock.now() < deadline) {
    await systemClock.sleep(POLL_MS);
    if (told || !readOr(path('console.log'), '').includes('drover: now ')) continue;
    connect(path('monitor'))
      .on('error', () => {}) // it has died before, and that shows below
      .end(`${monitor}\n`);
    told = true;
  }
  const late = processes.isRunning(NAME);
  const console = readOr(path('console.log'), processes.logTail(NAME));
  if (late) {
    await processes.end();
    throw new Error(`the machine does not end:\n${console.slice(-3000)}`);
  }
  return { console, path, [Symbol.asyncDispose]: () => processes.end() };
}

function readOr(path: string, other: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return other;
  }
}
