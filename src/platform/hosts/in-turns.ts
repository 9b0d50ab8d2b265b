import { Turns } from '../turns.ts';
import type { Shell } from './actions/shell.ts';

/** The same shell with so many runs at once, all hosts together, and so many on one; others wait, in the order of asking. */
export function inTurns(shell: Shell, all_max: number, host_max: number): Shell {
  const turns = new Turns(all_max, host_max);
  return {
    exec: (host, order, signal) => turns.run(host.id, () => shell.exec(host, order, signal), signal),
  };
}
