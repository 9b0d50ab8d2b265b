// BMCs that others wrote know nothing of our simulated machines: what they are told is carried over.
import { systemClock } from '../../src/platform/clock/system.ts';
import type { SimulatedMachine } from '../../src/simulation/fleet/machine.ts';

const POLL_MS = 100;

/** What words of a BMC do to the machine behind it. */
export type Words = readonly { says: RegExp; does: 'boot' | 'off' | 'on' | 'nmi' }[];

export const PYGHMI: Words = [
  { says: /^(reset|cycle)$/, does: 'boot' },
  { says: /^off$/, does: 'off' },
  { says: /^on$/, does: 'on' },
  { says: /^nmi$/, does: 'nmi' },
];
export const IPMI_SIM: Words = [
  { says: /^set reset 1$/, does: 'boot' },
  { says: /^set power 0$/, does: 'off' },
  { says: /^set power 1$/, does: 'on' },
];
export const SUSHY: Words = [
  { says: /"ResetType":"(ForceRestart|GracefulRestart)"/, does: 'boot' },
  { says: /"ResetType":"ForceOff"/, does: 'off' },
  { says: /"ResetType":"On"/, does: 'on' },
];

/** Returns how to stop. `acts` grows with what was done. */
export function carryOver(
  machine: SimulatedMachine,
  told: () => readonly string[],
  words: Words,
): { acts: string[]; stop(): void } {
  // A log that ends with a line end has an empty line after it.
  const lines = () => told().filter((line) => line !== '');
  let seen = lines().length;
  let stopped = false;
  const acts: string[] = [];
  void (async () => {
    for (; !stopped; await systemClock.sleep(POLL_MS)) {
      const all = lines();
      for (const line of all.slice(seen)) {
        const does = words.find(({ says }) => says.test(line))?.does;
        if (!does) continue;
        acts.push(does);
        if (does === 'boot' || (does === 'on' && machine.phase === 'Off')) machine.boot('bmc');
        else if (does === 'off') machine.powerOff();
        else if (does === 'nmi') machine.interrupt();
      }
      seen = all.length;
    }
  })();
  return {
    acts,
    stop: () => {
      stopped = true;
    },
  };
}
