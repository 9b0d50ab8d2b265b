// Purchases against a market in memory that loses answers, delivers late, runs out and throttles, by a process that dies
// at any point.
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Clock, HOUR, MINUTE, SECOND } from '../clock/clock.ts';
import { seededRandom } from '../clock/random.ts';
import { FileLedger, type Ledger, type LedgerEntry } from './ledger.ts';
import { type Market, type Order, ProviderError } from './provider.ts';
import { type Buying, ORDER_LABEL, purchase, tokenOf, type Wish } from './purchase.ts';

class Crash extends Error {}

/** Waiting takes no time, and moves it. */
class InstantClock {
  at = 0;
  readonly random: () => number;
  constructor(seed: number) {
    this.random = seededRandom(seed);
  }
  now = () => this.at;
  sleep = async (delay_ms: number, signal?: AbortSignal) => {
    const due = this.at + Math.max(0, delay_ms);
    // Others get their turn first, and who waits for less.
    for (let steps = 0; steps < Math.min(20, Math.ceil(delay_ms / SECOND)); steps++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (signal?.aborted) throw signal.reason;
    }
    this.at = Math.max(this.at, due);
  };
}

type Fate =
  | 'Done'
  | 'Lost'
  | 'Late'
  | 'NeverLeft'
  | 'Throttled'
  | 'TryAgain'
  | 'CrashBefore'
  | 'CrashAfter'
  | 'CrashLate';
const HARMLESS: readonly Fate[] = ['Done', 'Lost', 'Late', 'NeverLeft', 'Throttled', 'TryAgain'];
const LATE_MS_MAX = 2 * MINUTE;

/** The provider's side: what it made is the truth. */
class World {
  readonly stock: Map<string, number>;
  readonly clock: Clock;
  readonly made = new Map<string, { ids: string[]; order: string }>();
  readonly machines: { id: string; token: string; at: number }[] = [];
  readonly #late: { due: number; order: Order }[] = [];
  readonly #fates: Fate[];
  calls = 0;
  /** Stock that comes back just after so many calls. */
  refills: readonly { call: number; of: string; more: number }[] = [];
  refilled = 0;
  quota = Number.POSITIVE_INFINITY;
  /** The process has died: whatever of it still runs reaches nothing. */
  isDead = false;

  constructor(clock: Clock, stock: ReadonlyMap<string, number>, fates: readonly Fate[] = []) {
    this.clock = clock;
    this.stock = new Map(stock);
    this.#fates = [...fates];
  }

  crash(): never {
    this.isDead = true;
    throw new Crash();
  }

  alive(): void {
    if (this.isDead) throw new Crash();
  }

  /** As ECS does it: the first answer to a token is that to all; a failure is forgotten. */
  arrive(order: Order): string[] {
    const known = this.made.get(order.token);
    if (known) {
      if (known.order !== JSON.stringify(order))
        throw new ProviderError('Refused', 'mismatch', { reason: 'TokenMismatch' });
      return known.ids;
    }
    const pools = [order, ...(order.orElse ?? [])].map(({ type, zone }) => `${type}/${zone}`);
    const left = pools.reduce((sum, pool) => sum + (this.stock.get(pool) ?? 0), 0);
    if (this.quota - this.machines.length < order.least) throw new ProviderError('Quota', 'full');
    if (left < order.least) throw new ProviderError('NoStock', 'sold out');
    const count = Math.min(order.count, left, this.quota - this.machines.length);
    let wanted = count;
    for (const pool of pools) {
      const taken = Math.min(wanted, this.stock.get(pool) ?? 0);
      this.stock.set(pool, (this.stock.get(pool) ?? 0) - taken);
      wanted -= taken;
    }
    const ids = Array.from({ length: count }, (_, at) => `i-${this.machines.length + at}`);
    for (const id of ids)
      this.machines.push({ id, token: order.labels[ORDER_LABEL] as string, at: this.clock.now() });
    this.made.set(order.token, { ids, order: JSON.stringify(order) });
    return ids;
  }

  #refill(): void {
    for (const { call, of, more } of this.refills) {
      if (call !== this.calls) continue;
      this.stock.set(`big/${of}`, (this.stock.get(`big/${of}`) ?? 0) + more);
      this.refilled += more;
    }
  }

  deliverLate(): void {
    for (const late of this.#late.splice(0)) {
      if (late.due > this.clock.now()) this.#late.push(late);
      else
        try {
          this.arrive(late.order);
        } catch {
          // Nobody hears it.
        }
    }
  }

  readonly market: Market = {
    types: async () => [],
    offers: async () => [],
    find: async (labels) => {
      this.alive();
      this.deliverLate();
      return this.machines.filter(({ token }) => token === labels[ORDER_LABEL]).map(({ id }) => id);
    },
    create: async (order) => {
      this.alive();
      this.deliverLate();
      this.calls++;
      this.#refill();
      const fate = this.#fates.shift() ?? 'Done';
      await new Promise<void>((resolve) => setImmediate(resolve));
      this.alive();
      switch (fate) {
        case 'Done':
          return this.arrive(order);
        case 'Lost':
          try {
            this.arrive(order);
          } catch {
            // Its refusal is lost as well.
          }
          throw new ProviderError('Unknown', 'no answer');
        case 'Late':
          this.#late.push({ due: this.clock.now() + this.clock.random() * LATE_MS_MAX, order });
          throw new ProviderError('Unknown', 'no answer');
        case 'NeverLeft':
          throw new ProviderError('Unknown', 'no answer');
        case 'Throttled':
          throw new ProviderError('Throttled', 'too much', { until: this.clock.now() + MINUTE });
        case 'TryAgain':
          throw new ProviderError('TryAgain', 'not now');
        case 'CrashBefore':
          return this.crash();
        case 'CrashAfter':
          this.arrive(order);
          return this.crash();
        case 'CrashLate':
          this.#late.push({ due: this.clock.now() + this.clock.random() * LATE_MS_MAX, order });
          return this.crash();
      }
    },
  };
}

/** Dies at the writes that it is told, before or after they are safe. */
function memoryLedger(world: World, crashes: ReadonlyMap<number, 'Before' | 'After'> = new Map()) {
  const entries: LedgerEntry[] = [];
  let writes = 0;
  const ledger: Ledger = {
    read: async () => [...entries],
    write: async (entry) => {
      world.alive();
      await new Promise<void>((resolve) => setImmediate(resolve));
      world.alive();
      const crash = crashes.get(++writes);
      if (crash === 'Before') world.crash();
      entries.push(entry);
      if (crash === 'After') world.crash();
    },
  };
  return { ledger, entries };
}

const A = { type: 'big', zone: 'a' };
const B = { type: 'big', zone: 'b' };
const wishFor = (count: number, rest: Partial<Wish> = {}): Wish => ({
  id: 'promotion-11-11',
  count,
  from: [A, B],
  name: 'promo-',
  labels: { pool: 'promotion' },
  until: 24 * HOUR,
  ...rest,
});

function setUp(
  stock: { a: number; b: number },
  fates: readonly Fate[] = [],
  crashes?: ReadonlyMap<number, 'Before' | 'After'>,
) {
  const clock = new InstantClock(7) as unknown as Clock;
  const world = new World(
    clock,
    new Map([
      ['big/a', stock.a],
      ['big/b', stock.b],
    ]),
    fates,
  );
  const { ledger, entries } = memoryLedger(world, crashes);
  const buying: Buying = { market: world.market, ledger, clock };
  return { clock, world, ledger, entries, buying };
}

/** Runs it again after each crash. */
async function throughCrashes(world: World, wish: Wish, buying: Buying) {
  for (;;) {
    world.isDead = false;
    try {
      return await purchase(wish, buying);
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      // What was under way when it died comes to nothing.
      for (let turns = 0; turns < 30; turns++) await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }
}

const madeOf = ({ machines }: World) => machines.map(({ id }) => id).sort();

describe('a purchase', () => {
  it('is split into orders of at most 100, over zones by preference', async () => {
    const { world, buying, entries } = setUp({ a: 250, b: 1000 });
    const bought = await purchase(wishFor(430), buying);
    assert.equal(bought.ids.length, 430);
    assert.deepEqual([bought.missing, bought.unanswered, bought.because], [0, 0, undefined]);
    assert.deepEqual([...bought.ids].sort(), madeOf(world));
    assert.equal(world.stock.get('big/a'), 0, 'the zone that comes first is used up');
    const orders = entries.flatMap((entry) => (entry.kind === 'Asked' ? entry.order : []));
    assert.ok(orders.every(({ count }) => count <= 100));
    assert.equal(new Set(orders.map(({ token }) => token)).size, orders.length);
  });

  it('takes what a bulk order gives from all zones at once, and the rest as ever', async () => {
    const { world, buying, entries } = setUp({ a: 250, b: 1000 });
    buying.market = { ...buying.market, bulk: async () => 400 };
    const bought = await purchase(wishFor(830), buying);
    assert.deepEqual([...bought.ids].sort(), madeOf(world));
    assert.equal(bought.ids.length, 830);
    const orders = entries.flatMap((entry) => (entry.kind === 'Asked' ? entry.order : []));
    assert.deepEqual(
      orders.slice(0, 3).map(({ count, orElse }) => [count, orElse]),
      [
        [400, [B]],
        [400, [B]],
        [30, undefined],
      ],
    );
  });

  it('is made of plain orders where it cannot be told what a bulk order may have', async () => {
    const { buying, entries } = setUp({ a: 300, b: 0 });
    const bulk = () => Promise.reject(new ProviderError('Throttled', 'too much'));
    buying.market = { ...buying.market, bulk };
    assert.equal((await purchase(wishFor(250), buying)).ids.length, 250);
    assert.ok(entries.every((entry) => entry.kind !== 'Asked' || entry.order.orElse === undefined));
  });

  it('comes back to a zone that was sold out', async () => {
    const { world, buying, clock } = setUp({ a: 10, b: 0 });
    const refill = buying.market.create.bind(buying.market);
    buying.market = {
      ...buying.market,
      create: (order) => {
        if (clock.now() > 5 * MINUTE) world.stock.set('big/a', 500);
        return refill(order);
      },
    };
    assert.equal((await purchase(wishFor(200), buying)).ids.length, 200);
    assert.ok(world.calls < 30, `${world.calls} calls: it does not ask all the time`);
  });

  it('ends at its time, and says what is missing', async () => {
    const { buying } = setUp({ a: 30, b: 12 });
    const bought = await purchase(wishFor(100, { until: HOUR }), buying);
    assert.equal(bought.ids.length, 42);
    assert.deepEqual([bought.missing, bought.unanswered, bought.because?.failure], [58, 0, 'NoStock']);
  });

  it('ends at a quota, which no waiting mends', async () => {
    const { world, buying, clock } = setUp({ a: 1000, b: 1000 });
    world.quota = 150;
    const bought = await purchase(wishFor(500), buying);
    assert.deepEqual([bought.ids.length, bought.because?.failure], [150, 'Quota']);
    assert.ok(clock.now() < HOUR);
  });

  it('leaves an order open whose answer was lost when the key was taken away, and hears of it later', async () => {
    const { world, buying } = setUp({ a: 1000, b: 0 }, ['Lost']);
    const create = buying.market.create.bind(buying.market);
    const refuse = async (order: Order) => {
      if (world.calls >= 1) throw new ProviderError('BadCredentials', 'no rights');
      return create(order);
    };
    const bought = await purchase(wishFor(80), { ...buying, market: { ...buying.market, create: refuse } });
    assert.deepEqual(
      [bought.ids.length, bought.missing, bought.unanswered, bought.because?.failure],
      [0, 0, 80, 'BadCredentials'],
    );
    const again = await purchase(wishFor(80), buying);
    assert.equal(again.ids.length, 80);
    assert.equal(world.machines.length, 80);
  });

  it('finds by their label the machines of an order whose token means another by now', async () => {
    const { world, buying, entries } = setUp({ a: 1000, b: 0 }, ['CrashAfter']);
    await assert.rejects(purchase(wishFor(60), buying), Crash);
    world.isDead = false;
    const [token] = world.made.keys();
    world.made.set(token as string, {
      ids: [],
      order: 'made by a launch template that has been changed since',
    });
    const bought = await purchase(wishFor(60), buying);
    assert.deepEqual([...bought.ids].sort(), madeOf(world));
    assert.equal(bought.ids.length, 60);
    assert.equal(entries.length, 2);
  });

  it('looks for the machines of an order before it trusts a token that is old', async () => {
    const { world, buying, clock } = setUp({ a: 1000, b: 0 }, ['CrashAfter']);
    await assert.rejects(purchase(wishFor(60), buying), Crash);
    world.isDead = false;
    world.made.clear();
    await clock.sleep(12 * HOUR);
    assert.equal((await purchase(wishFor(60), buying)).ids.length, 60);
    assert.equal(world.machines.length, 60, 'the token was forgotten, and nothing was made twice');
  });

  it('finds what arrived late and was filled after its repeat had been refused', async () => {
    const { world, buying, clock } = setUp({ a: 0, b: 0 }, ['Late']);
    const create = buying.market.create.bind(buying.market);
    let calls = 0;
    const market = {
      ...buying.market,
      create: async (order: Order) => {
        try {
          return await create(order);
        } finally {
          // It is there again in the moment after the repeat was refused.
          if (++calls === 2) world.stock.set('big/a', 70);
        }
      },
    };
    const bought = await purchase(wishFor(70), { ...buying, market });
    await clock.sleep(LATE_MS_MAX);
    world.deliverLate();
    assert.deepEqual([...bought.ids].sort(), madeOf(world));
    assert.equal(bought.ids.length, 70);
  });

  it('whose ledger was lost makes nothing twice of what its tokens still stand for', async () => {
    const { world, buying } = setUp({ a: 1000, b: 0 });
    await purchase(wishFor(60), buying);
    const afresh = { ...buying, ledger: memoryLedger(world).ledger };
    assert.equal((await purchase(wishFor(160), afresh)).ids.length, 160);
    assert.equal(world.machines.length, 160);
  });

  it('does not take the ledger of another wish', async () => {
    const { buying } = setUp({ a: 10, b: 0 });
    await purchase(wishFor(1), buying);
    await assert.rejects(purchase(wishFor(1, { id: 'other' }), buying), /promotion-11-11, not of other/);
  });

  it('stops when it is told to, and goes on later', async () => {
    const { world, buying } = setUp({ a: 1000, b: 0 });
    const stop = new AbortController();
    const onProgress = () => stop.abort(new Error('stopped'));
    await assert.rejects(purchase(wishFor(900), { ...buying, signal: stop.signal, onProgress }), /stopped/);
    assert.ok(world.machines.length < 900);
    assert.equal((await purchase(wishFor(900), buying)).ids.length, 900);
    assert.equal(world.machines.length, 900);
  });

  it('has no machine twice and loses none, whatever is lost, late, refused or dies', async () => {
    const fates = fc.array(fc.constantFrom<Fate>(...HARMLESS, 'CrashBefore', 'CrashAfter', 'CrashLate'), {
      maxLength: 40,
    });
    const crashes = fc.array(
      fc.tuple(fc.integer({ min: 1, max: 40 }), fc.constantFrom('Before' as const, 'After' as const)),
      { maxLength: 8 },
    );
    const cases = fc.record({
      fates,
      crashes,
      count: fc.integer({ min: 1, max: 900 }),
      refills: fc.array(
        fc.record({
          call: fc.integer({ min: 1, max: 30 }),
          of: fc.constantFrom('a', 'b'),
          more: fc.integer({ min: 1, max: 300 }),
        }),
        { maxLength: 4 },
      ),
      a: fc.integer({ min: 0, max: 700 }),
      b: fc.integer({ min: 0, max: 700 }),
      bulk: fc.constantFrom(undefined, 150, 1000),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ fates, crashes, count, refills, a, b, bulk }) => {
        const { world, buying, clock } = setUp({ a, b }, fates, new Map(crashes));
        world.refills = refills;
        buying.market = { ...buying.market, bulk: async () => bulk };
        const bought = await throughCrashes(world, wishFor(count, { until: 6 * HOUR }), buying);
        await clock.sleep(LATE_MS_MAX);
        world.deliverLate();
        assert.equal(new Set(bought.ids).size, bought.ids.length, 'none twice');
        assert.deepEqual([...bought.ids].sort(), madeOf(world), 'all that were made, and no others');
        assert.equal(bought.unanswered, 0);
        assert.equal(bought.ids.length, Math.min(count, a + b + world.refilled), 'as many as there were');
        assert.equal(bought.missing, count - bought.ids.length);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a token', () => {
  it('is 64 ASCII characters, the same for the same attempt and no other', () => {
    assert.match(tokenOf('w', 1), /^[0-9a-f]{64}$/);
    assert.equal(tokenOf('w', 1), tokenOf('w', 1));
    assert.notEqual(tokenOf('w', 1), tokenOf('w', 2));
  });
});

describe('a ledger in a file', () => {
  const order: Order = { token: 't', type: 'x', zone: 'z', count: 1, least: 1, name: 'n', labels: {} };
  const asked = (attempt: number): LedgerEntry => ({ kind: 'Asked', wish: 'w', attempt, order, at: 1 });
  const path = () => join(mkdtempSync(join(tmpdir(), 'drover-ledger-')), 'ledger.jsonl');

  it('says after a crash what was written, without a line that was cut off', async () => {
    const file = path();
    {
      await using ledger = await FileLedger.open(file);
      await Promise.all([ledger.write(asked(1)), ledger.write(asked(2))]);
      assert.deepEqual(await ledger.read(), [asked(1), asked(2)]);
    }
    appendFileSync(file, JSON.stringify(asked(3)).slice(0, 20));
    await using ledger = await FileLedger.open(file);
    assert.deepEqual(await ledger.read(), [asked(1), asked(2)]);
    await ledger.write(asked(3));
    assert.deepEqual(await ledger.read(), [asked(1), asked(2), asked(3)]);
    assert.equal(readFileSync(file, 'utf8').split('\n').length, 4);
  });

  it('is not read where a line in its middle is damaged', async () => {
    const file = path();
    appendFileSync(file, `${JSON.stringify(asked(1))}\n{"kind":"Filled"}\n${JSON.stringify(asked(2))}\n`);
    await using ledger = await FileLedger.open(file);
    await assert.rejects(ledger.read(), /ledger.jsonl:2: is no entry of a ledger/);
  });
});
