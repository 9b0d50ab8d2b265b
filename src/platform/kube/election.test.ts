import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EmbeddedApi, Faults } from '../../simulation/api/index.ts';
import { type Clock, MINUTE, SECOND, sleepWith } from '../clock/clock.ts';
import { VirtualClock } from '../clock/virtual.ts';
import { KubeClient } from './client.ts';
import { Election, LEASE_MS, RENEW_DEADLINE_MS } from './election.ts';
import { LEASES, type Lease } from './objects.ts';
import type { Transport } from './transport.ts';

const LEASE = { namespace: 'default', name: 'drover' };
/** How often the test looks who may act. */
const LOOK_MS = 50;

/** A process whose event loop can stand still: time goes on, but nothing wakes it. */
function stoppable(clock: VirtualClock): Clock & { stop(): void; wake(): void } {
  let isStopped = false;
  let held: (() => void)[] = [];
  const own: Clock = {
    now: () => clock.now(),
    random: clock.random,
    id: (length) => clock.id(length),
    timer: (delay_ms, wake) => clock.timer(delay_ms, () => (isStopped ? void held.push(wake) : wake())),
    sleep: (delay_ms, signal) => sleepWith(own, delay_ms, signal),
  };
  const wake = () => {
    isStopped = false;
    const due = held;
    held = [];
    for (const each of due) each();
  };
  return Object.assign(own, {
    stop: () => {
      isStopped = true;
    },
    wake,
  });
}

class Candidate {
  readonly faults = new Faults();
  readonly own: ReturnType<typeof stoppable>;
  readonly election: Election;
  readonly done: Promise<void>;
  /** Begun terms, and when each was told to end. */
  readonly terms: { from: number; to?: number; mayActAtFirst: boolean }[] = [];
  isDead = false;
  readonly #stop = new AbortController();

  constructor(clock: VirtualClock, api: EmbeddedApi, identity: string, endsWork_ms = 0) {
    this.own = stoppable(clock);
    const client = new KubeClient(api.transport({ user: identity, faults: this.faults }), this.own);
    this.election = new Election({ client, ...LEASE, identity });
    this.done = this.election.run(this.#stop.signal, async (signal) => {
      const term: (typeof this.terms)[number] = { from: clock.now(), mayActAtFirst: this.mayAct };
      this.terms.push(term);
      if (!signal.aborted)
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      term.to = clock.now();
      if (endsWork_ms > 0) await this.own.sleep(endsWork_ms);
    });
  }

  get mayAct(): boolean {
    return !this.isDead && this.election.refusal() === undefined;
  }

  get leads(): boolean {
    const term = this.terms.at(-1);
    return term !== undefined && term.to === undefined;
  }

  stop(): Promise<void> {
    this.#stop.abort(new Error('stopping'));
    return this.done;
  }

  kill(): void {
    this.isDead = true;
    this.faults.unreachable = true;
    this.#stop.abort(new Error('killed'));
  }
}

function compete(count: number, endsWork_ms = 0) {
  const clock = new VirtualClock(3);
  const api = new EmbeddedApi({ clock });
  const admin = new KubeClient(api.transport({ user: 'admin' }), clock);
  const candidates = Array.from(
    { length: count },
    (_, at) => new Candidate(clock, api, `drover-${at + 1}`, endsWork_ms),
  );
  const seen = { most: 0, lastActing: Number.NEGATIVE_INFINITY };
  const look = () => {
    const acting = candidates.filter((candidate) => candidate.mayAct).length;
    seen.most = Math.max(seen.most, acting);
    if (acting > 0) seen.lastActing = clock.now();
    clock.timer(LOOK_MS, look);
  };
  look();
  const leader = () => candidates.find((candidate) => candidate.mayAct && candidate.leads);
  const others = () => candidates.filter((candidate) => candidate !== leader());
  const lease = () => admin.get<Lease>(LEASES, LEASE.name, LEASE.namespace);
  /** Milliseconds until one leads that is not `before`. */
  const takeover = async (before: Candidate) => {
    const from = clock.now();
    assert.ok(await clock.advanceUntil(() => ![undefined, before].includes(leader()), MINUTE, LOOK_MS));
    return clock.now() - from;
  };
  return { clock, api, admin, candidates, seen, leader, others, lease, takeover };
}

for (const count of [2, 3]) {
  test(`of ${count} candidates one leads for as long as it lives, and the others say who`, async () => {
    const { clock, seen, leader, others, lease } = compete(count);
    await clock.advance(SECOND);
    const first = leader();
    assert.ok(first);
    await clock.advance(10 * MINUTE);
    assert.equal(leader(), first);
    assert.equal(first.terms.length, 1);
    assert.equal(seen.most, 1);
    for (const other of others()) {
      const refusal = other.election.refusal();
      assert.equal(refusal?.reason, 'NotLeader');
      assert.equal(refusal?.evidence?.holder, first.election.identity);
      assert.equal(other.terms.length, 0);
    }
    const { spec } = (await lease()) as Lease;
    assert.equal(spec?.leaseTransitions, 0);
    assert.ok(String(spec?.renewTime) > String(spec?.acquireTime));
  });

  test(`when the leader of ${count} is killed, another leads within 15 s and never both`, async () => {
    const { clock, seen, leader, takeover, lease } = compete(count);
    for (const later of [SECOND, 700, 1900]) {
      await clock.advance(MINUTE + later);
      const killed = leader() as Candidate;
      if (count === 2 && later !== SECOND) break;
      killed.kill();
      if (count === 3 && later === 1900) break;
      const took_ms = await takeover(killed);
      assert.ok(took_ms > LEASE_MS - 3 * SECOND && took_ms <= 15 * SECOND, `took ${took_ms} ms`);
      assert.equal(seen.most, 1);
    }
    assert.equal((await lease())?.spec?.leaseTransitions, count - 1);
  });
}

test('a leader that ends in order finishes its work first, and then the next need not wait', async () => {
  const { clock, seen, leader, takeover } = compete(2, 3 * SECOND);
  await clock.advance(MINUTE);
  const first = leader() as Candidate;
  const done = first.stop();
  await clock.advance(2900);
  assert.equal(first.mayAct, true, 'it still finishes its work');
  const took_ms = await takeover(first);
  assert.ok(took_ms <= 2200, `took ${took_ms} ms`);
  await done;
  assert.equal(seen.most, 1);
});

test('a leader that cannot reach the API stops in time, another takes over, and it comes back as a follower', async () => {
  const { clock, seen, leader, takeover } = compete(2);
  await clock.advance(MINUTE);
  const first = leader() as Candidate;
  first.faults.unreachable = true;
  await clock.advance(RENEW_DEADLINE_MS);
  assert.equal(first.mayAct, false);
  assert.equal(first.leads, false, 'its work was told to end');
  assert.match(first.election.refusal()?.message ?? '', /could not be renewed in time/);
  const took_ms = await takeover(first);
  assert.ok(took_ms <= 15 * SECOND - RENEW_DEADLINE_MS, `took ${took_ms} ms`);
  first.faults.unreachable = false;
  await clock.advance(MINUTE);
  assert.notEqual(leader(), first);
  assert.match(first.election.refusal()?.message ?? '', /another replica leads \(drover-\d\)/);
  assert.equal(seen.most, 1);
});

test('a leader whose requests hang is told to end in time, not when they give up', async () => {
  const { clock, seen, leader, takeover } = compete(2);
  await clock.advance(MINUTE);
  const first = leader() as Candidate;
  const cutAt = clock.now();
  first.faults.latency_ms = MINUTE;
  const took_ms = await takeover(first);
  assert.ok(took_ms <= 15 * SECOND, `took ${took_ms} ms`);
  const endedAfter_ms = (first.terms[0]?.to ?? Number.POSITIVE_INFINITY) - cutAt;
  assert.ok(endedAfter_ms <= RENEW_DEADLINE_MS, `its work went on for ${endedAfter_ms} ms`);
  assert.equal(seen.most, 1);
});

test('one request that hangs costs no leadership', async () => {
  const { clock, leader } = compete(2);
  await clock.advance(MINUTE);
  const first = leader() as Candidate;
  for (let times = 0; times < 20; times++) {
    first.faults.latency_ms = MINUTE;
    await clock.advance(2 * SECOND);
    first.faults.latency_ms = 0;
    await clock.advance(20 * SECOND + times * 137);
    assert.equal(first.terms.length, 1);
    assert.equal(first.leads, true);
  }
});

test('a leader whose requests hang stops at once when it shall stop', async () => {
  const { clock, leader } = compete(1);
  await clock.advance(MINUTE);
  const first = leader() as Candidate;
  first.faults.latency_ms = MINUTE;
  await clock.advance(3 * SECOND);
  void first.stop();
  await clock.advance(LOOK_MS);
  assert.equal(first.leads, false);
});

test('an answer that comes after the deadline of its question begins no term', async () => {
  const clock = new VirtualClock(3);
  const transport = new EmbeddedApi({ clock }).transport({ user: 'drover' });
  // As it looks to a process that was frozen between the question and the answer.
  const slow: Transport = {
    ...transport,
    send: async (request) => {
      const response = await transport.send(request);
      await clock.sleep(RENEW_DEADLINE_MS);
      return response;
    },
  };
  const election = new Election({ client: new KubeClient(slow, clock), ...LEASE, identity: 'drover-1' });
  const stop = new AbortController();
  let terms = 0;
  void election.run(stop.signal, async () => void terms++);
  await clock.advance(5 * MINUTE);
  assert.equal(terms, 0);
  stop.abort();
});

test('a leader whose event loop stood still refuses as soon as it wakes, before anything else runs', async () => {
  const { clock, seen, leader, takeover } = compete(3);
  await clock.advance(MINUTE);
  const first = leader() as Candidate;
  first.own.stop();
  await takeover(first);
  await clock.advance(20 * SECOND);
  assert.equal(first.leads, true, 'it has not heard of anything yet');
  assert.equal(first.election.refusal()?.reason, 'NotLeader');
  first.own.wake();
  assert.equal(first.election.refusal()?.reason, 'NotLeader');
  await clock.advance(LOOK_MS);
  assert.equal(first.leads, false);
  assert.equal(seen.most, 1);
});

test('a lease that somebody deletes makes no two leaders', async () => {
  const { clock, admin, seen, leader } = compete(3);
  for (let times = 0; times < 20; times++) {
    await clock.advance(MINUTE + times * 137);
    await admin.delete(LEASES, LEASE.name, { namespace: LEASE.namespace });
  }
  await clock.advance(MINUTE);
  assert.ok(leader());
  assert.equal(seen.most, 1);
});

test('what the holder’s clock says counts for nothing: only whether the lease moves', async () => {
  for (const renewTime of ['2001-01-01T00:00:00.000000Z', '2099-01-01T00:00:00.000000Z']) {
    const clock = new VirtualClock(3);
    const api = new EmbeddedApi({ clock });
    const admin = new KubeClient(api.transport({ user: 'admin' }), clock);
    const spec = { holderIdentity: 'stranger', leaseDurationSeconds: 10, renewTime, acquireTime: renewTime };
    const metadata = LEASE;
    await admin.create<Lease>(
      LEASES,
      { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec },
      'x',
    );
    const candidate = new Candidate(clock, api, 'drover-1');
    await clock.advance(LEASE_MS - SECOND);
    assert.equal(candidate.mayAct, false);
    assert.equal(candidate.election.refusal()?.evidence?.holder, 'stranger');
    await clock.advance(4 * SECOND);
    assert.equal(candidate.mayAct, true);
  }
});

test('work that fails ends the election with its error, also while a renewal is under way', async () => {
  const clock = new VirtualClock(3);
  const faults = new Faults();
  const client = new KubeClient(new EmbeddedApi({ clock }).transport({ user: 'drover', faults }), clock);
  const election = new Election({ client, ...LEASE, identity: 'drover-1' });
  const running = assert.rejects(
    election.run(new AbortController().signal, async () => {
      faults.latency_ms = 3 * SECOND;
      await clock.sleep(3 * SECOND);
      throw new Error('a bug');
    }),
    /a bug/,
  );
  await clock.advance(MINUTE);
  await running;
});

test('whatever befalls three candidates, never two may act at once, and after it one leads within 15 s', async () => {
  const misfortune = fc.record({
    at_ms: fc.integer({ min: 0, max: 60_000 }),
    lasts_ms: fc.integer({ min: 100, max: 30_000 }),
    who: fc.nat(2),
    what: fc.constantFrom('cut', 'slow', 'stuck', 'stopped', 'flaky'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(misfortune, { maxLength: 12 }), async (all) => {
      const { clock, candidates, seen, leader } = compete(3);
      for (const { at_ms, lasts_ms, who, what } of all) {
        const { faults, own } = candidates[who] as Candidate;
        clock.timer(at_ms, () => {
          if (what === 'cut') faults.unreachable = true;
          if (what === 'slow') faults.latency_ms = 2_500;
          if (what === 'stuck') faults.latency_ms = MINUTE;
          if (what === 'stopped') own.stop();
          if (what === 'flaky') faults.errorRate = 0.5;
        });
        clock.timer(at_ms + lasts_ms, () => {
          Object.assign(faults, { unreachable: false, latency_ms: 0, errorRate: 0 });
          own.wake();
        });
      }
      await clock.advance(90 * SECOND);
      assert.equal(seen.most, 1);
      // A request that hung until the end may yet wait for its own time limit.
      assert.ok(await clock.advanceUntil(() => leader() !== undefined, 15 * SECOND, LOOK_MS), 'nobody leads');
      assert.ok(candidates.every(({ terms }) => terms.every(({ mayActAtFirst }) => mayActAtFirst)));
    }),
    { numRuns: 60 },
  );
});
