// The stream of events of a BMC, over HTTPS against our own Redfish service as each vendor.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../src/platform/clock/system.ts';
import { type LogEntry, type Provider, ProviderError } from '../../src/platform/providers/provider.ts';
import { HardwareEvents } from '../../src/signals/hardware-events.ts';
import { hash32 } from '../../src/signals/log-mark.ts';
import { MadeUpBoard, serveRedfish, VENDORS, type VendorName } from '../../src/simulation/redfish/index.ts';
import { machine } from '../../src/test-builders.ts';
import { ownRedfishStage } from './own-redfish.ts';
import { eventually, opened, PASSWORD, SECRET } from './stage.ts';

const MEMORY = { severity: 'Critical', message: 'Uncorrectable ECC, DIMM B2', sensorType: 'Memory' } as const;
const VENDOR_NAMES = Object.keys(VENDORS) as VendorName[];
const USERS = [{ name: 'admin', password: PASSWORD, role: 'Operator' as const }];
const OVER_HTTP = { redfish: { secretRef: SECRET, scheme: 'HTTP' } };

/** The name whose turn comes first: a test need not wait half a minute for it. */
const FIRST = Array.from({ length: 2000 }, (_, at) => `m${at}`).reduce((a, b) =>
  hash32(a) < hash32(b) ? a : b,
);

/** What comes by the stream, as it comes. */
async function listen(provider: Provider, id: string) {
  const stop = new AbortController();
  const entries: LogEntry[] = [];
  const state: { ended?: true; error?: unknown } = {};
  const stream = (await provider.events?.(id, stop.signal)) ?? assert.fail();
  const done = (async () => {
    for await (const entry of stream) entries.push(entry);
  })().then(
    () => (state.ended = true),
    (error: unknown) => (state.error = error),
  );
  return { entries, state, stop: () => stop.abort(new Error('enough')), done };
}

/** Drover's watcher of one machine, with what it told. */
function watch(provider: Provider, id: string) {
  const news: string[] = [];
  const stop = new AbortController();
  const events = new HardwareEvents({
    clock: systemClock,
    machines: () => [machine({ provider: { name: 'bmcs', id } }, { name: FIRST })],
    outside: () => ({ provider }) as never,
    limits: () => ({ perSecond: 500, concurrent: 8 }),
    onNews: (_, all) => news.push(...all.map(({ message }) => message)),
    onError: () => {},
  });
  return { events, news, stop: () => stop.abort(new Error('stopped')), signal: stop.signal };
}

for (const vendor of VENDOR_NAMES)
  describe(`the stream of events of our own service as ${vendor}`, () => {
    it('brings entries as they are written, with the words and severity of the log, and nothing else', async () => {
      await using stage = await ownRedfishStage(vendor);
      const { provider, board } = stage;
      const stream = await listen(provider, stage.machine);
      board.addLog(MEMORY);
      board.setHealth('Critical');
      board.addLog({ ...MEMORY, severity: 'Warning', message: 'Correctable ECC, DIMM B2' });
      await eventually('two entries', () => stream.entries.length >= 2);
      const said = ({ severity, message }: LogEntry) => `${severity} ${message}`;
      assert.deepEqual(stream.entries.map(said), [
        'Critical Uncorrectable ECC, DIMM B2',
        'Warning Correctable ECC, DIMM B2',
      ]);
      const log = await provider.eventLog(stage.machine);
      assert.deepEqual(log.slice(-2).map(said), stream.entries.map(said));
      stream.stop();
      await stream.done;
      assert.equal(stream.state.ended, true);
      await provider.close();
      assert.equal(stage.service.sessionsOpen, 0);
    });

    it('takes no turn and no second session, and outlives what is asked meanwhile', async () => {
      await using stage = await ownRedfishStage(vendor);
      const { provider, service, board } = stage;
      const stream = await listen(provider, stage.machine);
      await Promise.all(Array.from({ length: 8 }, () => provider.describe(stage.machine)));
      assert.equal(service.sessionsMost, 1);
      assert.ok(service.concurrentMost <= 2);
      board.addLog(MEMORY);
      await eventually('the entry', () => stream.entries.length === 1);
      stream.stop();
      await stream.done;
    });

    it('throws where the BMC cuts it, and is had again', async () => {
      await using stage = await ownRedfishStage(vendor);
      const { provider, service, board } = stage;
      const first = await listen(provider, stage.machine);
      await service.restart(100);
      await first.done;
      // Cut in the middle of a chunk, or ended in order: as the BMC goes.
      assert.ok(first.state.ended || first.state.error instanceof ProviderError);
      const second = await listen(provider, stage.machine);
      board.addLog(MEMORY);
      await eventually('the entry', () => second.entries.length === 1);
      await provider.close();
      await second.done;
    });

    it('is refused where it has as many as it takes', async () => {
      await using stage = await ownRedfishStage(vendor);
      const { streams_max } = VENDORS[vendor].streams;
      const open = [];
      for (let count = 0; count < streams_max; count++)
        open.push(await listen(stage.provider, stage.machine));
      await assert.rejects(listen(stage.provider, stage.machine), (error: unknown) => {
        assert.ok(error instanceof ProviderError);
        assert.equal(error.failure, 'TryAgain', error.message);
        return true;
      });
      for (const stream of open) stream.stop();
    });
  });

describe('a BMC', () => {
  it('that has no stream says so, and its log is read instead', async () => {
    const board = new MadeUpBoard(systemClock, {});
    const vendor = { ...VENDORS.HPE, streams: { uri: false, filter: false, streams_max: 0 } };
    await using service = await serveRedfish({ boards: [board], vendor, users: USERS });
    const provider = opened(OVER_HTTP, { username: 'admin', password: PASSWORD });
    const id = new URL(service.url).host;
    await assert.rejects(listen(provider, id), (error: unknown) => {
      assert.ok(error instanceof ProviderError && error.failure === 'Refused');
      assert.match(error.message, /has no stream of events/);
      return true;
    });
    await provider.close();
  });

  it('that lists a filter and refuses it is asked without', async () => {
    const board = new MadeUpBoard(systemClock, {});
    const provider = opened(OVER_HTTP, { username: 'admin', password: PASSWORD });
    const lists = {
      ...VENDORS.Dell,
      streams: { uri: true, filter: true, streams_max: 1, refusesFilter: true },
    };
    await using other = await serveRedfish({ boards: [board], vendor: lists, users: USERS });
    const open = await listen(provider, new URL(other.url).host);
    board.addLog(MEMORY);
    await eventually('the entry', () => open.entries.length === 1);
    const asked = other.requests
      .map(({ path, status }) => `${path} ${status}`)
      .filter((one) => one.includes('SSE'));
    assert.deepEqual(asked, [
      '/redfish/v1/EventService/SSE?$filter=EventFormatType%20eq%20Event 501',
      '/redfish/v1/EventService/SSE 200',
    ]);
    open.stop();
    await provider.close();
  });

  it('that takes the stream and says nothing is given up, and holds up nobody after', async () => {
    const board = new MadeUpBoard(systemClock, {});
    await using service = await serveRedfish({ boards: [board], vendor: 'HPE', users: USERS });
    const provider = opened(OVER_HTTP, { username: 'admin', password: PASSWORD });
    const id = new URL(service.url).host;
    service.faults = { hang: true, only: ({ path }) => path.includes('SSE') };
    const opening = listen(provider, id);
    for (let turn = 0; turn < 10; turn++) assert.equal((await provider.describe(id)).power, 'On');
    await assert.rejects(opening, (error: unknown) => {
      assert.ok(error instanceof ProviderError && error.failure === 'TryAgain', String(error));
      return true;
    });
    service.faults = {};
    const stream = await listen(provider, id);
    board.addLog(MEMORY);
    await eventually('the entry', () => stream.entries.length === 1);
    await provider.close();
  });

  it('of several systems gives each what is its own', async () => {
    const boards = ['a', 'b'].map((name) => new MadeUpBoard(systemClock, { name }));
    await using service = await serveRedfish({ boards, vendor: 'OpenBMC', users: USERS });
    const provider = opened(OVER_HTTP, { username: 'admin', password: PASSWORD });
    const { host } = new URL(service.url);
    const both = await Promise.all(
      ['a', 'b'].map((name) => listen(provider, `${host}/redfish/v1/Systems/${name}`)),
    );
    boards[0]?.addLog(MEMORY);
    boards[1]?.addLog({ ...MEMORY, message: 'Uncorrectable ECC, DIMM Z9' });
    await eventually('an entry each', () => both.every(({ entries }) => entries.length > 0));
    assert.deepEqual(
      both.map(({ entries }) => entries.map(({ message }) => message)),
      [['Uncorrectable ECC, DIMM B2'], ['Uncorrectable ECC, DIMM Z9']],
    );
    await provider.close();
  });

  it('is watched by stream, and what it writes while the stream is broken is read from its log', async () => {
    await using stage = await ownRedfishStage('OpenBMC');
    const { provider, board, service } = stage;
    const { events, news, stop, signal } = watch(provider, stage.machine);
    const passing = (async () => {
      for (; !signal.aborted; await systemClock.sleep(50)) events.pass(signal);
    })();
    await eventually('the stream is open', () => events.streams === 1, 60_000);
    // Its log has been read, and the old entry in it is no news.
    await eventually('the log was read', () =>
      service.requests.some(({ path, status }) => /Entries/.test(path) && status === 200),
    );
    board.addLog(MEMORY);
    await eventually('the entry by stream', () => news.length === 1);
    const back = service.restart(500);
    board.addLog({ ...MEMORY, message: 'Uncorrectable ECC, DIMM C3' });
    await back;
    await eventually('the entry by log', () => news.length === 2, 60_000);
    assert.deepEqual(news, ['Uncorrectable ECC, DIMM B2', 'Uncorrectable ECC, DIMM C3']);
    stop();
    await passing;
    await provider.close();
  });
});
