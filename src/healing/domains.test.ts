import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Belief } from '../signals/belief.ts';
import { beliefOf, SILENT, WELL } from '../test-builders.ts';
import { outageAround, outagesOf } from './domains.ts';

const LIMITS = { share: 50, atLeast: 4 };

/** So many machines of one rack, of which the first are silent. */
function rack(zone: string, name: string, total: number, silent: number, cluster = 'home'): Belief[] {
  return Array.from({ length: total }, (_, nth) => ({
    ...beliefOf(nth < silent ? SILENT : WELL),
    machine: `${zone}-${name}-${nth}`,
    cluster,
    location: { zone, rack: name },
  }));
}

const names = (beliefs: Belief[], limits = LIMITS) => [...outagesOf(beliefs, limits).keys()];
/** Enough of the rest of the fleet for its rack to be no outage of zone or cluster. */
const REST = rack('z1', 'r9', 40, 0);

describe('an outage of a rack', () => {
  it('is half of it, and no less', () => {
    assert.deepEqual(names([...REST, ...rack('z1', 'r1', 10, 5)]), ['rack/z1/r1']);
    assert.deepEqual(names([...REST, ...rack('z1', 'r1', 11, 5)]), []);
  });

  it('is four machines at least: three of four are three bad machines', () => {
    assert.deepEqual(names([...REST, ...rack('z1', 'r1', 4, 3)]), []);
    assert.deepEqual(names([...REST, ...rack('z1', 'r1', 4, 4)]), ['rack/z1/r1']);
  });

  it('is told by the limits of the policy', () => {
    const fleet = [...REST, ...rack('z1', 'r1', 10, 2)];
    assert.deepEqual(names(fleet, { share: 20, atLeast: 2 }), ['rack/z1/r1']);
    assert.deepEqual(names(fleet, { share: 21, atLeast: 2 }), []);
  });

  it('counts machines of its zone only, where another zone has a rack of the same name', () => {
    const fleet = [...rack('z1', 'r1', 6, 6), ...rack('z2', 'r1', 6, 0), ...REST];
    assert.deepEqual(names(fleet), ['rack/z1/r1']);
    assert.equal(outageAround(fleet[6] as Belief, outagesOf(fleet, LIMITS)), undefined);
  });

  it('says how many of how many', () => {
    const found = outagesOf([...REST, ...rack('z1', 'r1', 10, 7)], LIMITS).get('rack/z1/r1');
    assert.deepEqual(found, { name: 'rack/z1/r1', level: 'rack', lost: 7, total: 10 });
  });
});

describe('the domain around a machine', () => {
  it('is the widest that is out', () => {
    const fleet = [...rack('z1', 'r1', 6, 6), ...rack('z1', 'r2', 6, 6), ...rack('z2', 'r1', 30, 0)];
    const outages = outagesOf(fleet, LIMITS);
    assert.equal(outageAround(fleet[0] as Belief, outages)?.name, 'zone/z1');
    const all = [...fleet.slice(0, 12), ...rack('z2', 'r1', 6, 6), ...rack('z2', 'r2', 6, 6)];
    assert.equal(outageAround(fleet[0] as Belief, outagesOf(all, LIMITS))?.name, 'cluster/home');
  });

  it('is the rack where all that its zone has lost stood in that rack', () => {
    const fleet = [...rack('z1', 'r1', 20, 20), ...rack('z1', 'r2', 20, 0)];
    assert.deepEqual(names(fleet), ['rack/z1/r1']);
    assert.deepEqual(names(rack('z1', 'r1', 20, 20)), ['rack/z1/r1']);
  });

  it('is its own cluster, not another that lies dark', () => {
    const fleet = [...rack('z1', 'r1', 8, 8, 'west'), ...rack('z2', 'r2', 8, 0, 'east')];
    const outages = outagesOf(fleet, LIMITS);
    assert.equal(outageAround(fleet[8] as Belief, outages), undefined);
    assert.equal(outageAround(fleet[0] as Belief, outages)?.name, 'rack/z1/r1');
  });

  it('is none for a machine of which no place is known, but its cluster', () => {
    const nowhere = rack('z1', 'r1', 8, 8).map((belief) => ({ ...belief, location: {} }));
    assert.deepEqual(names(nowhere), ['cluster/home']);
  });
});

it('a machine with a dead kubelet, a dead sshd or no probe yet is not lost', () => {
  const looks = [{ ...WELL, kubelet: 'Refused' }, { ...WELL, ssh: 'Timeout' }, { ready: 'Unknown' }] as const;
  for (const look of looks) {
    const fleet = rack('z1', 'r1', 8, 8).map((belief) => ({ ...beliefOf(look), location: belief.location }));
    assert.deepEqual(names(fleet), []);
  }
});

it('whatever the fleet, what is out has lost its share and its least number, and nothing else has', () => {
  const racks = fc.array(
    fc.record({
      zone: fc.constantFrom('z1', 'z2'),
      name: fc.constantFrom('r1', 'r2', 'r3'),
      total: fc.integer({ min: 0, max: 12 }),
      silent: fc.integer({ min: 0, max: 12 }),
    }),
  );
  const limits = fc.record({
    share: fc.integer({ min: 10, max: 100 }),
    atLeast: fc.integer({ min: 2, max: 8 }),
  });
  fc.assert(
    fc.property(racks, limits, (list, limit) => {
      const fleet = list.flatMap(({ zone, name, total, silent }) => rack(zone, name, total, silent));
      const out = outagesOf(fleet, limit);
      for (const key of new Set(fleet.map(({ location }) => `${location.zone}/${location.rack}`))) {
        const inside = fleet.filter(({ location }) => `${location.zone}/${location.rack}` === key);
        const lost = inside.filter((belief) => belief.ssh?.value === 'Timeout').length;
        const expected = lost >= limit.atLeast && lost * 100 >= inside.length * limit.share;
        assert.equal(out.has(`rack/${key}`), expected, `${lost} of ${inside.length} of ${key}`);
      }
    }),
  );
});

it('machines of a rack that panicked together are no dark rack: their consoles tell why', () => {
  const fleet = rack('z1', 'r1', 6, 4).map((belief) => ({
    ...belief,
    ...(belief.ssh?.value === 'Timeout' && { console: { value: 'Panicked' as const, since: 0, readAt: 0 } }),
  }));
  assert.deepEqual(names([...REST, ...fleet]), []);
});
