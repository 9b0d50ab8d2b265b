import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SECOND } from '../clock/clock.ts';
import { VirtualClock } from '../clock/virtual.ts';
import { ACT_MS_MAX, DESCRIBE_MS_MAX, guarded } from './guard.ts';
import { abilities, type Failure, type Provider, ProviderError, unlisted } from './provider.ts';

/** A provider whose every call does what `next` says. */
function setUp() {
  const clock = new VirtualClock();
  const calls: string[] = [];
  const script: { next: () => Promise<unknown> } = { next: async () => undefined };
  const call = async (what: string) => {
    calls.push(what);
    return script.next();
  };
  const inner: Provider = {
    describe: async (id) => {
      await call(`describe ${id}`);
      return { power: 'On', console: [], can: abilities(true, {}) };
    },
    act: async (id, act) => void (await call(`${act} ${id}`)),
    list: () => unlisted('not listed'),
    eventLog: async (id) => {
      await call(`log ${id}`);
      return [];
    },
    console: async () => [],
    close: async () => {},
  };
  const fails = (failure: Failure) => () => Promise.reject(new ProviderError(failure, `says ${failure}`));
  return { clock, calls, script, provider: guarded(inner, clock), fails };
}

const outcome = (call: Promise<unknown>) =>
  call.then(
    () => 'done',
    (error: unknown) =>
      error instanceof ProviderError ? `${error.failure}: ${error.message}` : `bare ${error}`,
  );

async function settled(clock: VirtualClock, call: Promise<unknown>, limit_ms = 10 * 60 * SECOND) {
  let said: string | undefined;
  void outcome(call).then((text) => {
    said = text;
  });
  const start = clock.now();
  assert.ok(await clock.advanceUntil(() => said !== undefined, limit_ms, 100), 'it never ended');
  return { said: said as unknown as string, took_ms: clock.now() - start };
}

describe('a call that is never answered', () => {
  it('ends in its time: a read may be tried again, an act may have happened', async () => {
    const { clock, provider, script } = setUp();
    script.next = () => new Promise(() => {});
    const read = await settled(clock, provider.describe('m1'));
    assert.match(read.said, /^TryAgain: describe m1: no answer within 15 s/);
    assert.ok(read.took_ms <= DESCRIBE_MS_MAX + 100);
    const act = await settled(clock, provider.act('m1', 'ForceReboot', 'k'));
    assert.match(act.said, /^Unknown: ForceReboot m1: no answer/);
    assert.ok(act.took_ms <= ACT_MS_MAX + 100);
  });

  it('is given up with its caller', async () => {
    const { clock, provider, script } = setUp();
    script.next = () => new Promise(() => {});
    const caller = new AbortController();
    const call = provider.act('m1', 'ForceReboot', 'k', caller.signal);
    caller.abort();
    assert.match((await settled(clock, call)).said, /^Unknown: .*given up by its caller/);
  });
});

describe('a machine that does not answer', () => {
  it('is left in peace, longer each time, and asked again after', async () => {
    const { clock, provider, script, calls, fails } = setUp();
    script.next = fails('TryAgain');
    const waits: number[] = [];
    let last = clock.now();
    for (let second = 0; second < 120; second++) {
      const before = calls.length;
      await outcome(provider.describe('m1'));
      if (calls.length > before) {
        waits.push((clock.now() - last) / SECOND);
        last = clock.now();
      }
      await clock.advance(SECOND);
    }
    assert.deepEqual(waits, [0, 4, 8, 16, 30, 30, 30]);
    script.next = async () => undefined;
    await clock.advance(30 * SECOND);
    assert.equal(await outcome(provider.describe('m1')), 'done');
  });

  it('keeps no other waiting', async () => {
    const { provider, script, calls, fails } = setUp();
    script.next = fails('TryAgain');
    await outcome(provider.describe('m1'));
    script.next = async () => undefined;
    assert.match(await outcome(provider.describe('m1')), /^TryAgain: not asked again before/);
    assert.equal(await outcome(provider.describe('m2')), 'done');
    assert.deepEqual(calls, ['describe m1', 'describe m2']);
  });

  it('whose password is wrong is asked once a minute: accounts lock', async () => {
    const { clock, provider, script, calls, fails } = setUp();
    script.next = fails('BadCredentials');
    for (let second = 0; second < 180; second += 5) {
      assert.match(await outcome(provider.describe('m1')), /^BadCredentials/);
      await clock.advance(5 * SECOND);
    }
    assert.equal(calls.length, 3);
  });
});

describe('a call that fails', () => {
  it('is tried again where nothing happened and waiting may help, three times in all', async () => {
    const { clock, provider, script, calls, fails } = setUp();
    script.next = fails('TryAgain');
    assert.match((await settled(clock, provider.eventLog('m1'))).said, /^TryAgain/);
    assert.equal(calls.length, 3);
    for (const failure of ['Refused', 'NotFound', 'BadCredentials', 'Broken', 'Unknown'] as const) {
      calls.length = 0;
      script.next = fails(failure);
      assert.match((await settled(clock, provider.eventLog('m1'))).said, new RegExp(`^${failure}`));
      assert.equal(calls.length, 1, failure);
    }
  });

  it('waits until the provider has said that it may', async () => {
    const { clock, provider, script, calls } = setUp();
    const until = clock.now() + 60 * SECOND;
    script.next = () =>
      calls.length > 1
        ? Promise.resolve()
        : Promise.reject(new ProviderError('Throttled', 'too many', { until }));
    const { said, took_ms } = await settled(clock, provider.eventLog('m1'));
    assert.equal(said, 'done');
    assert.ok(took_ms >= 60 * SECOND && took_ms < 62 * SECOND, `${took_ms}`);
  });

  it('is never tried again where it is an act: who acts must be allowed to each time', async () => {
    const { clock, provider, script, calls, fails } = setUp();
    script.next = fails('TryAgain');
    assert.match((await settled(clock, provider.act('m1', 'ForceReboot', 'k'))).said, /^TryAgain/);
    assert.equal(calls.length, 1);
  });

  it('fails as a ProviderError whatever the provider throws', async () => {
    const { clock, provider, script } = setUp();
    script.next = () => Promise.reject(new TypeError('undefined is not a function'));
    assert.match(
      (await settled(clock, provider.act('m1', 'Nmi', 'k'))).said,
      /^Unknown: Nmi m1: undefined is/,
    );
  });
});
