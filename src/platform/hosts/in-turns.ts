import type { Shell } from './actions/shell.ts';
import { Turns } from './ssh/turns.ts';

/** The same shell with so many runs at once, all hosts together, and so many on one; others wait, in the order of asking. */
export function inTurns(shell: Shell, all_max: number, host_max: number): Shell {
  const turns = new Turns(all_max, host_max);
  return {
    async exec(host, order, signal) {
      const done = await turns.take(host.id, signal);
      try {
        return await shell.exec(host, order, signal);
      } finally {
        done();
      }
    },
  };
}
