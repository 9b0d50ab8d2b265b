// How machines crash here, and what is to be said of it.
import assert from 'node:assert/strict';
import { type Cause, explainLog } from '../../src/crash/kernel-log/explain.ts';
import { inOrder } from '../../src/crash/kernel-log/order.ts';

export interface Expected {
  title: string;
  class: string;
  cause: Cause;
  frame?: string;
  module?: string;
  process?: string;
  /** The machine lives on. */
  survives?: boolean;
  /** What qemu is told when the machine is up: it is the hardware that fails. */
  monitor?: string;
  /** For the kernel's command line. */
  words?: readonly string[];
}

const flaky = { cause: 'kernel', module: 'flaky', process: 'insmod' } as const;
/** Bank 1, an error that was not corrected, of a memory's read, with the processor's context corrupt. */
const machineCheck = 'mce 0 1 0xbe0000000000009f 0x5 0x12345000 0x8c';
const watchdog = ['watchdog_thresh=2', 'softlockup_panic=1'];
const hungTasks = ['sysctl.kernel.hung_task_timeout_secs=2', 'sysctl.kernel.hung_task_panic=1'];

/** By the name of the bug in machine/flaky.c. */
export const CRASHES: Readonly<Record<string, Expected>> = {
  sysrq: {
    title: 'kernel panic: sysrq triggered crash',
    class: 'planned',
    cause: 'planned',
    process: 'init',
  },
  exit: {
    title: 'kernel panic: Attempted to kill init!',
    class: 'panic',
    cause: 'kernel',
    process: 'init',
  },
  null: {
    ...flaky,
    title: 'BUG: unable to handle kernel NULL pointer dereference in flaky_read_state',
    class: 'null-pointer',
    frame: 'flaky_read_state',
  },
  work: {
    ...flaky,
    title: 'BUG: unable to handle kernel NULL pointer dereference in flaky_read_state',
    class: 'null-pointer',
    frame: 'flaky_read_state',
    process: 'kworker/0:',
  },
  wild: {
    ...flaky,
    title: 'general protection fault in flaky_wild',
    class: 'bad-access',
    frame: 'flaky_wild',
  },
  bug: { ...flaky, title: 'kernel BUG in flaky_bug', class: 'kernel-bug', frame: 'flaky_bug' },
  warn: {
    ...flaky,
    title: 'WARNING in flaky_warn',
    class: 'warning',
    frame: 'flaky_warn',
    survives: true,
  },
  list: {
    ...flaky,
    title: 'BUG: corrupted list in flaky_list',
    class: 'memory-corruption',
    frame: 'flaky_list',
  },
  divide: {
    ...flaky,
    title: 'divide error in flaky_divide',
    class: 'divide-error',
    frame: 'flaky_divide',
  },
  recurse: {
    ...flaky,
    title: 'BUG: stack guard page was hit in flaky_recurse',
    class: 'stack-overflow',
    frame: 'flaky_recurse',
  },
  atomic: {
    ...flaky,
    title: 'BUG: scheduling while atomic in flaky_sleep_in_lock',
    class: 'atomic-sleep',
    frame: 'flaky_sleep_in_lock',
    survives: true,
  },
  spin: {
    ...flaky,
    title: 'BUG: soft lockup in flaky_init',
    class: 'soft-lockup',
    frame: 'flaky_init',
    words: watchdog,
  },
  wait: {
    ...flaky,
    title: 'INFO: task hung in flaky_wait',
    class: 'hung-task',
    frame: 'flaky_wait',
    words: hungTasks,
  },
  mce: {
    title: 'kernel panic: Fatal machine check',
    class: 'hardware',
    cause: 'hardware',
    monitor: machineCheck,
  },
  // The BMC's diagnostic interrupt.
  nmi: {
    title: 'kernel panic: NMI: Not continuing',
    class: 'nmi',
    cause: 'unknown',
    process: 'swapper/0',
    monitor: 'nmi',
    words: ['unknown_nmi_panic=1'],
  },
  panic: {
    cause: 'kernel',
    process: 'insmod',
    title: 'kernel panic: flaky: card NUM does not answer',
    class: 'panic',
  },
};

/** On arm64, where it differs. A division by zero is 0 there, and its kernel does not count what forbids sleeping. */
export const ON_ARM64: Readonly<Record<string, Partial<Expected>>> = {
  wild: { title: 'BUG: unable to handle kernel paging request in flaky_wild' },
  // Its compiler does not leave out the frame of flaky_init, or leaves it out where that of x86-64 does not.
  recurse: { title: 'BUG: stack guard page was hit in flaky_init', frame: 'flaky_init' },
  spin: { title: 'BUG: soft lockup in flaky_spin', frame: 'flaky_spin' },
};
export const QUIET_ON_ARM64: readonly string[] = ['divide', 'atomic'];

export function assertExplained(log: string, expected: Expected): void {
  const { title, cause, corrupted, report, kernel } = explainLog(Buffer.from(inOrder(log), 'latin1'));
  assert.equal(title, expected.title, tailOf(log));
  assert.equal(cause, expected.cause);
  assert.equal(report?.class, expected.class);
  assert.equal(report?.frame, expected.frame);
  assert.equal(report?.module, expected.module);
  assert.equal(corrupted, false);
  assert.ok((report?.facts.process ?? '').startsWith(expected.process ?? ''), report?.facts.process);
  assert.match(kernel ?? '', /-cloud-arm64$|-amd64$/);
}

function tailOf(log: string): string {
  return `not as expected:\n${log.split('\n').slice(-80).join('\n').slice(-8000)}`;
}
