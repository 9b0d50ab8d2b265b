import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { at, incident, NOW, policy } from '../test-builders.ts';
import { brake, type Storm } from './brake.ts';

const MINUTE = 60;
/** So many machines that answer nothing, since so many seconds. */
const lost = (count: number, for_s = 30, from = 0) =>
  new Map(Array.from({ length: count }, (_, n) => [`m${from + n}`, NOW - for_s * 1000]));
/** An incident of machine `m<n>` that began so many seconds ago. */
function ill(n: number, { ago = 30, cause = 'Crashed', ended = false, domain = '' } = {}) {
  const diagnosis = {
    cause,
    confidence: 'High',
    message: '',
    evidence: [],
    at: at(-ago),
    ...(domain && { domain }),
  };
  const found = incident({
    firstSymptomAt: at(-ago),
    diagnosis,
    ...(ended && { endedAt: at(0) }),
  });
  found.spec.machine = `m${n}`;
  return found;
}
const many = (count: number, more: Parameters<typeof ill>[1] = {}) =>
  Array.from({ length: count }, (_, n) => ill(n, more));

const storm = (more: Partial<Storm>): Storm => ({
  cluster: 'home',
  total: 200,
  lost: new Map(),
  incidents: [],
  ...more,
});
const holds = (more: Partial<Storm>, spec = {}) =>
  brake(storm(more), policy({ brake: spec }), NOW)?.reason === 'Braked';

describe('the brake', () => {
  it('holds above 5 % of a cluster, and not at it', () => {
    assert.ok(!holds({ lost: lost(10) }));
    assert.ok(holds({ lost: lost(11) }));
  });

  it('never holds for five machines or fewer, however small the cluster', () => {
    assert.ok(!holds({ total: 10, lost: lost(5) }));
    assert.ok(holds({ total: 10, lost: lost(6) }));
  });

  it('is set by the policy, in machines or in percent', () => {
    assert.ok(holds({ lost: lost(3) }, { limit: '2', atLeast: 1 }));
    assert.ok(!holds({ lost: lost(2) }, { limit: '2', atLeast: 1 }));
    assert.ok(!holds({ lost: lost(40) }, { limit: '20%' }));
    assert.ok(holds({ lost: lost(41) }, { limit: '20%' }));
  });

  it('counts a machine that is lost and has an incident once', () => {
    assert.ok(!holds({ lost: lost(8), incidents: many(10) }));
    assert.ok(holds({ lost: lost(8, 30, 5), incidents: many(10) }));
  });

  it('counts incidents that have ended within its window: rebooted machines that came back are a storm too', () => {
    assert.ok(holds({ incidents: many(11, { ended: true, ago: 9 * MINUTE }) }));
  });

  it('lifts by itself: what fell ill before its window is no storm any more', () => {
    assert.ok(!holds({ lost: lost(50, 10 * MINUTE), incidents: many(50, { ago: 10 * MINUTE }) }));
    assert.ok(holds({ lost: lost(50, 10 * MINUTE) }, { window: '11m' }));
  });

  it('does not count dead services on healthy hosts, nor what was planned', () => {
    for (const cause of ['KubeletDown', 'RuntimeDown', 'Planned'])
      assert.ok(!holds({ incidents: many(50, { cause }) }), cause);
    assert.ok(holds({ incidents: many(50, { cause: 'Unknown' }) }));
  });

  it('does not count a rack that is out, but a zone', () => {
    assert.ok(!holds({ incidents: many(40, { cause: 'DomainOutage', domain: 'rack/z1/r1' }) }));
    assert.ok(holds({ incidents: many(40, { cause: 'DomainOutage', domain: 'zone/z1' }) }));
  });

  it('says how many, of how many, and how it is lifted', () => {
    const why = brake(storm({ lost: lost(11) }), policy({}, 'web'), NOW);
    assert.match(why?.message ?? '', /^11 of 200 machines of cluster home .* more than 10: reboots are held/);
    assert.match(why?.message ?? '', /raise spec.brake of HealingPolicy web/);
    assert.deepEqual(why?.evidence, { troubled: '11', allowed: '10', window: '10m', limit: '5%' });
  });
});
