// Every scenario in a world of its own, in one process, under a stepped clock.

import { describe, test } from 'node:test';
import { MINUTE, SECOND } from '../../src/platform/clock/clock.ts';
import { VirtualClock } from '../../src/platform/clock/virtual.ts';
import { strike } from '../../src/simulation/fleet/faults.ts';
import { World } from '../../src/simulation/world.ts';
import { ALONE } from './alone.ts';
import { LIMITS } from './limits.ts';
import { OUTAGES } from './outages.ts';
import { REPAIRS } from './repairs.ts';
import { REQUESTS } from './requests.ts';
import { type Ground, Scene } from './scene.ts';

const MACHINES = 120;

describe('scenarios on the embedded API', () => {
  for (const { name, play } of [...REPAIRS, ...LIMITS, ...REQUESTS, ...OUTAGES, ...ALONE]) {
    test(name, async () => {
      const clock = new VirtualClock(5);
      const world = new World({ clock, machines: MACHINES, applications: 2 });
      const opening = world.open();
      await clock.advance(2 * SECOND);
      await opening;
      const replica = world.start({ identity: 'drover' });
      await clock.advance(MINUTE);
      try {
        await play(new Scene(groundOf(world, clock), 'm00031'));
      } finally {
        replica.kill();
        world.close();
        await clock.advance(SECOND);
      }
    });
  }
});

function groundOf(world: World, clock: VirtualClock): Ground {
  return {
    client: world.admin,
    strike: async (kind, machine, more = {}) => strike(world.fleet, kind, machine, more),
    acts: async () => world.fleet.acts,
    passUntil: async (limit_ms, look) => {
      for (const end = clock.now() + limit_ms; clock.now() < end; ) {
        const found = await look();
        if (found !== undefined) return found;
        await clock.advance(SECOND);
      }
      return look();
    },
    pass: (duration_ms) => clock.advance(duration_ms),
    now: () => clock.now(),
  };
}
