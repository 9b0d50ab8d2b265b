// 200 BMCs, some of them broken, under a stepped clock.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Machine } from '../api/machine.ts';
import { MINUTE, SECOND } from '../platform/clock/clock.ts';
import { VirtualClock } from '../platform/clock/virtual.ts';
import type { Outside } from '../platform/outside.ts';
import { type LogEntry, type Provider, ProviderError } from '../platform/providers/provider.ts';
import { machine } from '../test-builders.ts';
import { HardwareEvents, PASS_MS } from './hardware-events.ts';

const FAILS = { severity: 'Critical', sensor: 'Memory', message: 'Uncorrectable ECC, DIMM A3' } as const;
const OLD: LogEntry = { id: '1', severity: 'Critical', sensor: 'Memory', message: 'of last year' };

/** A BMC with a log, which may be slow, broken, or stream. */
class Bmc {
  log: LogEntry[] = [OLD];
  streams = false;
  /** A log is answered after this. */
  read_ms = 200;
  fails: ProviderError | undefined;
  reads = 0;
  openings = 0;
  /** The stream that is open. */
  send: ((entry: LogEntry | 'End' | 'Broken') => void) | undefined;

  write(more: Partial<LogEntry> = {}, by: 'Both' | 'LogOnly' = 'Both'): void {
    const entry = { ...FAILS, id: String(this.log.length + 1), ...more };
    this.log = [...this.log, entry];
    // A stream has an id of its own and no sensor.
    if (by === 'Both') this.send?.({ ...entry, id: `e${entry.id}`, sensor: '' });
  }
}

function setUp(count: number, limits = { perSecond: 500, concurrent: 256 }) {
  const clock = new VirtualClock();
  const machines: Machine[] = Array.from({ length: count }, (_, at) => machine({}, { name: `m${at}` }));
  const bmcs = new Map(machines.map(({ spec }) => [spec.provider.id, new Bmc()]));
  const news: { machine: string; message: string; at: number }[] = [];
  const errors: string[] = [];
  const bmc = (name: string) => bmcs.get(`i-${name}`) ?? assert.fail();
  let running = 0;
  let most = 0;
  const provider: Partial<Provider> = {
    eventLog: async (id) => {
      const one = bmcs.get(id) as Bmc;
      one.reads++;
      most = Math.max(most, ++running);
      await clock.sleep(one.read_ms);
      running--;
      if (one.fails) throw one.fails;
      return one.log;
    },
    events: async (id, signal) => {
      const one = bmcs.get(id) as Bmc;
      one.openings++;
      if (!one.streams) throw new ProviderError('Refused', 'it has no stream');
      const waiting: (LogEntry | 'End' | 'Broken')[] = [];
      let wake = () => {};
      one.send = (entry) => {
        waiting.push(entry);
        wake();
      };
      signal.addEventListener('abort', () => one.send?.('End'));
      return (async function* () {
        for (;;) {
          const next = waiting.shift();
          if (next === 'End' || next === 'Broken') one.send = undefined;
          if (next === 'Broken') throw new ProviderError('TryAgain', 'cut');
          if (next === 'End') return;
          if (next) yield next;
          else await new Promise<void>((resolve) => (wake = resolve));
        }
      })();
    },
  };
  const start = () => {
    const events = new HardwareEvents({
      clock,
      machines: () => machines,
      outside: () => ({ provider }) as unknown as Outside,
      limits: () => limits,
      onNews: (name, all) => {
        for (const { message } of all) news.push({ machine: name, message, at: clock.now() });
      },
      onError: (name) => errors.push(name),
    });
    const stop = new AbortController();
    void (async () => {
      for (; !stop.signal.aborted; await clock.sleep(PASS_MS)) events.pass(stop.signal);
    })();
    return { events, stop: () => stop.abort(new Error('stopped')) };
  };
  return { clock, machines, bmc, bmcs, news, errors, start, most: () => most };
}

describe('a log that is read', () => {
  it('tells each new entry once and within a minute, and nothing of what stood in it before', async () => {
    const { clock, bmc, news, start, errors } = setUp(200);
    const { stop } = start();
    await clock.advance(2 * MINUTE);
    assert.deepEqual(news, []);
    const from = clock.now();
    for (const name of ['m3', 'm77', 'm199']) bmc(name).write();
    await clock.advance(MINUTE);
    assert.deepEqual(news.map(({ machine }) => machine).sort(), ['m199', 'm3', 'm77']);
    for (const { at } of news) assert.ok(at - from <= MINUTE, `${at - from} ms`);
    await clock.advance(10 * MINUTE);
    assert.equal(news.length, 3);
    assert.deepEqual(errors, []);
    stop();
  });

  it('tells nothing old after a restart of ours', async () => {
    const { clock, bmc, news, start } = setUp(20);
    const first = start();
    await clock.advance(2 * MINUTE);
    bmc('m3').write();
    await clock.advance(MINUTE);
    first.stop();
    start();
    await clock.advance(5 * MINUTE);
    assert.equal(news.length, 1);
  });

  it('is read on in time while other BMCs hang, are slow or refuse', async () => {
    // 8 places, 40 machines that hold one for half a minute each.
    const { clock, bmc, news, errors, start, bmcs } = setUp(200, { perSecond: 100, concurrent: 16 });
    const { stop } = start();
    await clock.advance(2 * MINUTE);
    for (let at = 0; at < 40; at++) {
      const one = bmc(`m${at}`);
      one.read_ms = at % 2 === 0 ? 30 * SECOND : 10;
      one.fails = new ProviderError(at % 2 === 0 ? 'TryAgain' : 'BadCredentials', 'broken');
    }
    // As they break all at once, it takes their time to find out.
    await clock.advance(5 * MINUTE);
    const from = clock.now();
    for (const name of ['m100', 'm150', 'm199']) bmc(name).write();
    await clock.advance(MINUTE);
    assert.deepEqual(news.map(({ machine }) => machine).sort(), ['m100', 'm150', 'm199']);
    for (const { at } of news) assert.ok(at - from <= MINUTE);
    assert.ok(errors.length > 0);
    const locked = bmc('m1').reads;
    await clock.advance(15 * MINUTE);
    assert.ok(bmc('m1').reads <= locked + 1, 'a wrong password is not tried each minute');
    for (const one of bmcs.values()) Object.assign(one, { fails: undefined, read_ms: 200 });
    await clock.advance(20 * MINUTE);
    bmc('m0').write();
    await clock.advance(MINUTE);
    assert.equal(news.at(-1)?.machine, 'm0', 'and one that is mended is read again');
    stop();
  });

  it('is read as often as half of the limits allow, spread evenly, and says how often that is', async () => {
    const { clock, bmcs, start, most } = setUp(200, { perSecond: 4, concurrent: 4 });
    const { events, stop } = start();
    await clock.advance(10 * MINUTE);
    assert.deepEqual([...events.periods()], [['ecs', 200 * SECOND]]);
    assert.ok(most() <= 2, `${most()} at once`);
    const reads = [...bmcs.values()].map((one) => one.reads);
    assert.ok(
      Math.min(...reads) >= 2 && Math.max(...reads) <= 4,
      `${Math.min(...reads)} to ${Math.max(...reads)}`,
    );
    stop();
  });
});

describe('a stream of events', () => {
  it('tells at once what the log tells in a minute, and what both show is told once', async () => {
    const { clock, bmc, news, start } = setUp(20);
    bmc('m3').streams = true;
    const { events, stop } = start();
    await clock.advance(2 * MINUTE);
    assert.equal(events.streams, 1);
    const from = clock.now();
    bmc('m3').write();
    await clock.advance(SECOND);
    assert.deepEqual(news, [{ machine: 'm3', message: FAILS.message, at: from }]);
    await clock.advance(30 * MINUTE);
    assert.equal(news.length, 1);
    stop();
  });

  it('that breaks is opened again, and what was written meanwhile comes by the log', async () => {
    const { clock, bmc, news, start } = setUp(20);
    const m3 = bmc('m3');
    m3.streams = true;
    const { events, stop } = start();
    await clock.advance(2 * MINUTE);
    m3.write({ message: 'DIMM one' });
    m3.send?.('Broken');
    await clock.advance(0);
    m3.write({ message: 'DIMM two' });
    await clock.advance(10 * SECOND);
    assert.deepEqual([events.streams, m3.openings], [1, 2]);
    m3.send?.('End');
    await clock.advance(10 * SECOND);
    m3.write({ message: 'DIMM three' });
    await clock.advance(20 * MINUTE);
    assert.deepEqual(
      news.map(({ message }) => message),
      ['DIMM one', 'DIMM two', 'DIMM three'],
    );
    stop();
    await clock.advance(SECOND);
    assert.equal(events.streams, 0);
  });

  it('that ends as soon as it is open is opened ever more seldom, and the log is read', async () => {
    const { clock, bmc, news, start } = setUp(1);
    const m0 = bmc('m0');
    m0.streams = true;
    start();
    for (let second = 0; second < 30 * 60; second++) {
      m0.send?.('End');
      await clock.advance(SECOND);
    }
    assert.ok(m0.openings < 20, `${m0.openings} openings`);
    m0.write({}, 'LogOnly');
    for (let second = 0; second < 60; second++) {
      m0.send?.('End');
      await clock.advance(SECOND);
    }
    assert.equal(news.length, 1);
  });

  it('that is silent for a wrong reason hides an entry for some minutes at most', async () => {
    const { clock, bmc, news, start } = setUp(1);
    bmc('m0').streams = true;
    const { stop } = start();
    await clock.advance(2 * MINUTE);
    bmc('m0').write({}, 'LogOnly');
    await clock.advance(11 * MINUTE);
    assert.equal(news.length, 1);
    stop();
  });

  it('of a machine that is no more is ended', async () => {
    const { clock, bmc, machines, start } = setUp(3);
    bmc('m1').streams = true;
    const { events, stop } = start();
    await clock.advance(MINUTE);
    machines.splice(1, 1);
    await clock.advance(5 * SECOND);
    assert.equal(events.streams, 0);
    stop();
  });
});
