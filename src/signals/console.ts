import type { ConsoleSign } from './belief.ts';

/** What a console line says of the machine; the first rule that fits counts, so the special ones come first. */
const SIGNS: readonly { sign: ConsoleSign; any: readonly string[] }[] = [
  { sign: 'Dumping', any: ['kdump: saving', 'Starting crashdump kernel', 'Copying data', 'saving vmcore'] },
  { sign: 'Panicked', any: ['Kernel panic - not syncing', 'end Kernel panic', 'Fatal machine check'] },
  {
    sign: 'LockedUp',
    any: ['soft lockup - CPU', 'hard LOCKUP', 'blocked for more than', 'rcu_sched detected stalls'],
  },
  { sign: 'LinkDown', any: ['NIC Link is Down', 'Link is Down', 'link down', 'NO-CARRIER'] },
  { sign: 'ShutDown', any: ['reboot: Power down', 'reboot: System halted'] },
  {
    sign: 'Booting',
    any: [
      'Linux version ',
      'reboot: Restarting system',
      'Booting the kernel',
      'systemd[1]: Starting',
      'BIOS POST',
    ],
  },
  { sign: 'Running', any: ['login:', 'Reached target', 'NIC Link is Up', 'Link is Up'] },
];

/** What the newest telling line says: a console is read from its end, since old trouble scrolls up. */
export function consoleSign(lines: readonly string[]): ConsoleSign {
  for (let at = lines.length - 1; at >= 0; at--) {
    const line = lines[at] as string;
    for (const { sign, any } of SIGNS) if (any.some((words) => line.includes(words))) return sign;
  }
  return 'None';
}
