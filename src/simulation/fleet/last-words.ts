// What a kernel says before it panics. Each model has a bug of its own, so that crashes have something in common.

const OOPSES: readonly (readonly string[])[] = [
  [
    'BUG: kernel NULL pointer dereference, address: 0000000000000008',
    '#PF: supervisor read access in kernel mode',
    'Oops: 0000 [#1] SMP NOPTI',
    'CPU: 12 PID: 2301 Comm: kworker/12:1 Not tainted 5.10.134-19.an8.x86_64 #1',
    'RIP: 0010:nvme_queue_rq+0x52/0x1a0 [nvme]',
    'Call Trace:',
    ' blk_mq_dispatch_rq_list+0x1d0/0x8d0',
    ' __blk_mq_run_hw_queue+0x5b/0xb0',
    ' process_one_work+0x1b0/0x350',
  ],
  [
    'general protection fault, probably for non-canonical address 0xdead000000000108: 0000 [#1] SMP NOPTI',
    'CPU: 7 PID: 40112 Comm: java Not tainted 5.10.134-19.an8.x86_64 #1',
    'RIP: 0010:nf_conntrack_in+0x2f1/0x600 [nf_conntrack]',
    'Call Trace:',
    ' <IRQ>',
    ' nf_hook_slow+0x44/0xc0',
    ' ip_rcv+0x9c/0xd0',
    ' </IRQ>',
  ],
  [
    'kernel BUG at fs/ext4/inode.c:2714!',
    'invalid opcode: 0000 [#1] SMP NOPTI',
    'CPU: 3 PID: 812 Comm: kworker/u96:3 Not tainted 5.10.134-19.an8.x86_64 #1',
    'RIP: 0010:ext4_writepages+0xd2/0xe10 [ext4]',
    'Call Trace:',
    ' do_writepages+0x4b/0xe0',
    ' __writeback_single_inode+0x3d/0x340',
  ],
];

/** @param uptime_s seconds since boot */
export function lastWords(model: string, uptime_s: number): string[] {
  const which = [...model].reduce((sum, letter) => sum + (letter.codePointAt(0) ?? 0), 0) % OOPSES.length;
  const stamp = `[${uptime_s.toFixed(6).padStart(12)}] `;
  return (OOPSES[which] as readonly string[]).map((line) => stamp + line);
}
