import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { explainContents, explainLog } from './explain.ts';
import { frameOf, stackItemOf } from './frames.ts';
import { messagesOf } from './line.ts';
import { inOrder } from './order.ts';
import { compilePattern, match } from './pattern.ts';
import { LogReader, REPORTS_KEPT } from './reader.ts';
import { builtInRules } from './rules.ts';
import { demangleRust } from './rust-symbol.ts';

const rules = builtInRules();
const explain = (log: string) => explainLog(Buffer.from(log), rules);

const OOPS = `[  100.000001] BUG: kernel NULL pointer dereference, address: 0000000000000008
[  100.000002] #PF: supervisor read access in kernel mode
[  100.000003] Oops: 0000 [#1] SMP NOPTI
[  100.000004] CPU: 12 PID: 2301 Comm: kworker/12:1 Tainted: G        W  O      5.10.134-13.an8.x86_64 #1
[  100.000005] Hardware name: Alibaba Cloud Shenlong/ebmc6, BIOS 1.2 04/01/2023
[  100.000006] Workqueue: nvme-wq nvme_reset_work [nvme]
[  100.000007] RIP: 0010:nvme_queue_rq+0x52/0x1a0 [nvme]
[  100.000008] Call Trace:
[  100.000009]  blk_mq_dispatch_rq_list+0x1d0/0x8d0
[  100.000010]  process_one_work+0x1b0/0x350
[  100.000011]  ret_from_fork+0x1f/0x30
[  100.000012] Kernel panic - not syncing: Fatal exception
`;

describe('a crash', () => {
  it('is told with all that its report says', () => {
    const { title, report, cause, confidence, kernel } = explain(OOPS);
    assert.equal(title, 'BUG: unable to handle kernel NULL pointer dereference in nvme_queue_rq');
    assert.equal(cause, 'kernel');
    assert.equal(confidence, 0.9);
    assert.equal(kernel, '5.10.134-13.an8.x86_64');
    assert.equal(report?.module, 'nvme');
    assert.deepEqual(report?.otherFrames, ['blk_mq_dispatch_rq_list', 'process_one_work']);
    assert.equal(report?.panicked, true);
    assert.deepEqual(report?.span, { from: 1, to: 12 });
    assert.deepEqual(report?.facts, {
      kernel: '5.10.134-13.an8.x86_64',
      hardwareName: 'Alibaba Cloud Shenlong/ebmc6, BIOS 1.2 04/01/2023',
      taints: 'WO',
      process: 'kworker/12:1',
      pid: 2301,
      cpu: 12,
      workqueue: 'nvme-wq nvme_reset_work [nvme]',
    });
  });
  it('by an NMI may be a dump that was asked for, unless the hardware says what it was', () => {
    const panic = 'Kernel panic - not syncing: NMI: Not continuing\n';
    const asked = explain(`Uhhuh. NMI received for unknown reason 31 on CPU 0.\n${panic}`);
    assert.deepEqual([asked.title, asked.cause], ['kernel panic: NMI: Not continuing', 'unknown']);
    const serr = explain(`NMI: PCI system error (SERR) for reason a1 on CPU 0.\n${panic}`);
    assert.deepEqual([serr.title, serr.cause], [asked.title, 'hardware']);
  });
  it('names each function once where arm64 repeats the one that pc names', () => {
    const { report } =
      explain(`Unable to handle kernel NULL pointer dereference at virtual address 0000000000000000
CPU: 0 PID: 90 Comm: insmod Not tainted 6.1.0-56-cloud-arm64 #1  Debian 6.1.192-2
pc : flaky_read_state+0x8/0x20 [flaky]
lr : flaky_init+0x5c/0x1000 [flaky]
Call trace:
 flaky_read_state+0x8/0x20 [flaky]
 flaky_init+0x5c/0x1000 [flaky]
`);
    assert.equal(report?.frame, 'flaky_read_state');
    assert.deepEqual(report?.otherFrames, ['flaky_init']);
  });
  it('names the task that hangs, not the thread that noticed', () => {
    const { report } = explain(`INFO: task kworker/u8:3:86 blocked for more than 120 seconds.
Call Trace:
 schedule+0x5a/0xd0
 flaky_wait+0x1b/0x22 [flaky]
Kernel panic - not syncing: hung_task: blocked tasks
CPU: 0 PID: 23 Comm: khungtaskd Tainted: G           OE      6.1.0-56-cloud-amd64 #1  Debian 6.1.192-2
`);
    assert.equal(report?.facts.process, 'kworker/u8:3');
    assert.equal(report?.facts.pid, 86);
  });
  it('has the same name behind syslog, levels, journald and carriage returns', () => {
    const { title } = explain(OOPS);
    for (const lead of [
      'Nov 25 16:00:01 node-1 kernel: ',
      '2026-11-25T16:00:01.123456+08:00 node-1 kernel: ',
      '<1>',
    ])
      assert.equal(explain(OOPS.replaceAll(/^/gm, lead)).title, title, lead);
    assert.equal(explain(OOPS.replaceAll('\n', '\r\n')).title, title);
  });
  it('is not what a program prints', () => {
    const lead = 'Nov 25 16:00:01 node-1 crash-test[812]: ';
    assert.equal(explain(OOPS.replaceAll(/^/gm, lead)).title, '');
  });
  it('is not what a program writes into the kernel’s log, nor what the kernel was booted with', () => {
    for (const line of [
      '[   12.000001] bash[812]: Kernel panic - not syncing: a test',
      '[    0.000000] Command line: root=/dev/sda1 note="BUG: soft lockup - CPU#1 stuck for 22s!"',
      '[    0.000000] kasan: KernelAddressSanitizer initialized',
      '[    0.000000] rcu: \tRCU lockdep checking is enabled.',
      '[    5.000000] NMI watchdog: Enabled. Permanently consumes one hw-PMU counter.',
      '[    5.000000] perf: interrupt took too long (3985 > 3976), lowering kernel.perf_event_max_sample_rate to 50000',
    ])
      assert.equal(explain(line).title, '', line);
  });
  it('that killed the machine matters more than a warning of last week', () => {
    const warning =
      '[    9.000001] WARNING: CPU: 1 PID: 7 at fs/x.c:1 old_trouble+0x1/0x2\n[    9.000002] Call Trace:\n[    9.000003]  old_trouble+0x1/0x2\n';
    const { title, others } = explain(warning + OOPS.replaceAll('  100.', '604900.'));
    assert.match(title, /nvme_queue_rq/);
    assert.deepEqual(
      others.map((each) => each.title),
      ['WARNING in old_trouble'],
    );
  });
  it('that begins with a warning is called by it', () => {
    const warning =
      '[   99.000001] WARNING: CPU: 1 PID: 7 at fs/x.c:1 first_trouble+0x1/0x2\n[   99.000002] Call Trace:\n[   99.000003]  first_trouble+0x1/0x2\n';
    assert.equal(explain(warning + OOPS).title, 'WARNING in first_trouble');
  });
  it('is told apart from that of another CPU by the caller of printk', () => {
    const lines = OOPS.trim()
      .split('\n')
      .map((line) => line.replace('] ', '][   T12] '));
    const other = '[  100.000000][    C3] WARNING: CPU: 3 PID: 0 at net/x.c:1 other_trouble+0x1/0x2\n';
    const mixed = lines.flatMap((line, at) => [
      line,
      `[  100.000000][    C3]  ${at === 0 ? 'dump' : 'noise'}_${at}+0x1/0x2`,
    ]);
    const { title, others } = explain(other + mixed.join('\n'));
    assert.match([title, ...others.map((each) => each.title)].join('\n'), /dereference in nvme_queue_rq/);
  });
});

describe('a restart', () => {
  const boot = '[    0.000000] Linux version 5.10.134-13.an8.x86_64 (mock@build) #1 SMP\n';
  it('that somebody asked for is planned', () => {
    const { title, cause, because } = explain(`[ 900.000000] reboot: Restarting system\n${boot}`);
    assert.deepEqual([title, cause], ['', 'planned']);
    assert.equal(because, 'The machine was told to restart or to power off.');
  });
  it('without a word before it is a loss of power or a hard reset', () => {
    const { title, because } = explain(`[ 900.000000] eth0: link up\n${boot}`);
    assert.equal(title, 'unexpected kernel reboot');
    assert.match(because, /loss of power, a hard reset/);
  });
});

describe('hardware', () => {
  it('that reports an error it could not mend is the cause', () => {
    const { cause, hardware } = explain(
      `mce: [Hardware Error]: CPU 3: Machine Check Exception: 5 Bank 7: be00000000010091\n${OOPS}`,
    );
    assert.equal(cause, 'hardware');
    assert.deepEqual(
      hardware.map(({ sign, weight }) => [sign, weight]),
      [['machine-check-fatal', 'certain']],
    );
  });
  it('is not blamed for errors that it mended', () => {
    const { cause, hardware } = explain(`EDAC MC0: 1 CE memory read error on DIMM#0\n${OOPS}`);
    assert.deepEqual([cause, hardware[0]?.weight], ['kernel', 'weak']);
  });
});

describe('frames', () => {
  for (const [arch, line, func] of [
    ['x86-64', ' do_writepages+0x4b/0xe0', 'do_writepages'],
    ['x86-64 with an address', ' [<ffffffff81d91389>] do_writepages+0xc1/0x128 [ext4]', 'do_writepages'],
    ['symbolised', ' do_writepages+0x4b/0xe0 mm/page-writeback.c:2355', 'do_writepages'],
    ['a clone of the compiler', ' do_writepages.isra.0.constprop.3+0x4b/0xe0', 'do_writepages'],
    ['arm', '[<8011218c>] (unwind_backtrace) from [<8010e300>] (show_stack+0x18/0x1c)', 'show_stack'],
    ['ppc64', '[c0000000fa9fbc80] [c0000000000f8a50] .kthread_run+0x110/0x130', 'kthread_run'],
    ['s390x', ' [<000000000014d21a>] kthread_run+0x62/0xa0', 'kthread_run'],
    ['s390x, nested', '([<000000000014d21a>] kthread_run+0x62/0xa0)', 'kthread_run'],
    ['riscv', '[<ffffffff80004d5c>] dump_backtrace+0x2c/0x3a', 'dump_backtrace'],
  ] as const)
    it(`of ${arch}`, () => assert.equal(frameOf(line.trim())?.func, func));
  for (const [arch, line, func] of [
    ['x86-64', 'RIP: 0010:kfree+0xb2/0x250', 'kfree'],
    ['x86-64 before 4.15', 'RIP: 0010:[<ffffffff8575b41c>]  [<ffffffff8575b41c>] kfree+0x1bc/0x3c0', 'kfree'],
    ['arm64', 'pc : kfree+0x1e4/0x2b0', 'kfree'],
    ['arm', 'PC is at kfree+0x70/0x2c0', 'kfree'],
    ['ppc64', 'NIP [c00000000045c4a0] kfree+0x40/0x80', 'kfree'],
    ['riscv', 'epc : kfree+0x40/0x80', 'kfree'],
    ['s390x', 'Krnl PSW : 0704c00180000000 000000000014d21a (kfree+0x12/0x34)', 'kfree'],
  ] as const)
    it(`where a CPU of ${arch} was`, () => {
      const item = stackItemOf(line);
      assert.equal(item?.kind === 'ip' && item.frame?.func, func);
    });
  it('do not come from user mode', () =>
    assert.deepEqual(stackItemOf('RIP: 0033:0x4529d9'), { kind: 'user' }));
  it('are not what merely looks like them', () => {
    for (const line of [
      'RAX: ffffffffffffffda RBX: 00000000',
      'func+0x12/0x34 returned 1 after',
      'eth0+0x: x',
      'Modules linked in: nvme',
    ])
      assert.equal(frameOf(line), undefined, line);
  });
  it('of Rust have their own names', () => {
    assert.equal(
      demangleRust('_RNvMs3_NtCshgDM7dBCdno_11rust_binder7processNtB5_7Process10update_ref'),
      '<rust_binder::process::Process>::update_ref',
    );
    assert.equal(demangleRust('_RNvNtCs9jEwPDbx20M_4core9panicking9panic_fmt'), 'core::panicking::panic_fmt');
    assert.equal(demangleRust('_RNvC6a_cut'), '_RNvC6a_cut');
  });
});

describe('lines', () => {
  it('that a console has joined are two', () => {
    assert.deepEqual(messagesOf('BUG: unable to handle kernel [  153.615435][ T12] deprecated getsockopt'), [
      { text: 'BUG: unable to handle kernel', user: undefined },
      { text: 'deprecated getsockopt', time: 153.615435, caller: 'T12', user: undefined },
    ]);
  });
  it('of pstore stand in the order of their parts', () => {
    const parts = 'Panic#1 Part1\nlast\nPanic#1 Part2\nmiddle\nPanic#1 Part3\nfirst\n';
    assert.deepEqual(inOrder(parts).split('\n').filter(Boolean), ['first', 'middle', 'last']);
  });
  it('that run backwards are turned', () => {
    assert.equal(explain(inOrder(OOPS.trim().split('\n').reverse().join('\n'))).title, explain(OOPS).title);
  });
});

describe('patterns', () => {
  const taken = (pattern: string, text: string) => match(compilePattern(pattern), text);
  it('take what stands in their holes', () => {
    assert.deepEqual(
      taken('KASAN: {kind} in {at:func} at', 'BUG: KASAN: use-after-free in f.isra.1+0x1f/0x60 at addr'),
      {
        kind: 'use-after-free',
        at: 'f.isra.1',
      },
    );
    assert.deepEqual(taken('^{n:num} locks', '12 locks held'), { n: '12' });
    assert.equal(taken('^{n:num} locks', 'x12 locks held'), undefined);
  });
  it('take no address for a function', () => {
    assert.equal(taken('corrupted in: {at:func}', 'corrupted in: ffffffff8343632e'), undefined);
  });
});

describe('whatever the log', () => {
  const pieces = fc.oneof(
    fc.constantFrom(
      ...OOPS.split('\n'),
      'BUG: ',
      'WARNING: CPU: ',
      '[ 1.000000][ T1] ',
      'Call Trace:',
      '\0\xff',
      'INFO: task ',
      'Panic#1 Part1',
    ),
    fc.string(),
  );
  it('it does not throw, and reads the same in pieces of any size', () => {
    fc.assert(
      fc.property(
        fc.array(pieces, { maxLength: 60 }),
        fc.integer({ min: 1, max: 300 }),
        fc.constantFrom('\n', ' ', ''),
        (parts, size, glue) => {
          const log = Buffer.from(parts.join(glue), 'utf8');
          const reader = new LogReader(rules);
          for (let at = 0; at < log.length; at += size) reader.push(Buffer.from(log.subarray(at, at + size)));
          assert.deepEqual(explainContents(reader.end()), explainLog(log, rules));
        },
      ),
      { numRuns: 300 },
    );
  });
  it('bytes at random are no crash of ours', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => void explainLog(bytes, rules)),
      { numRuns: 100 },
    );
  });
  it('one line of 20 MB full of openings costs no more than others', () => {
    const { count } = explain('BUG: KASAN: WARNING: '.repeat(1_000_000));
    assert.ok(count < 10_000, `${count} reports`);
  });
  it('a log of nothing but crashes is counted, and only some are kept', () => {
    const { count, others } = explain(OOPS.repeat(500));
    assert.equal(count, 500);
    assert.ok(others.length < 2 * REPORTS_KEPT);
  });
});
