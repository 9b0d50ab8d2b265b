import { z } from 'zod';
import { SECOND } from '../../clock/clock.ts';
import { action, badOutput, SAY_NO, script } from './action.ts';
import { countOf, linesOf, numberOf, quoted } from './lines.ts';

export interface Load {
  /** Tasks that run or wait for the disk, averaged over so many minutes. */
  one: number;
  five: number;
  fifteen: number;
  running: number;
  tasks: number;
  /** CPUs that are online. */
  cpus: number;
}

const SCRIPT = `
  ${SAY_NO}
  cat /proc/loadavg /sys/devices/system/cpu/online || cannot 'the load cannot be read'`;

export const load = action({
  about: 'reads the load',
  params: z.strictObject({}),
  root: false,
  timeout_ms: 10 * SECOND,
  output_bytes_max: 4096,
  script: script(SCRIPT),
  args: () => [],
  parse: (output): Load => {
    const [averages = '', online = ''] = linesOf(output);
    const [one, five, fifteen, tasks = ''] = averages.split(' ');
    const [running, all] = tasks.split('/');
    return {
      one: numberOf(one, 'load of 1 minute'),
      five: numberOf(five, 'load of 5 minutes'),
      fifteen: numberOf(fifteen, 'load of 15 minutes'),
      running: countOf(running, 'running tasks'),
      tasks: countOf(all, 'tasks'),
      cpus: cpusIn(online),
    };
  },
});

/** `0-127,130`, as the kernel writes sets of CPUs. */
export function cpusIn(online: string): number {
  let count = 0;
  for (const range of online.split(',')) {
    const [first, last = first] = range.split('-').map((end) => countOf(end, 'CPUs online'));
    if (first === undefined || last === undefined || last < first)
      throw badOutput(`CPUs online are ${quoted(online)}; ranges like 0-3,8 are wanted`);
    count += last - first + 1;
  }
  return count;
}
