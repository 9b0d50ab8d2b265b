// The promises of the provider contract, one row each. A provider keeps a row, or says by name why it cannot.
import assert from 'node:assert/strict';
import { systemClock } from '../../src/platform/clock/system.ts';
import {
  type Ability,
  ACTS,
  type Act,
  type Failure,
  type Listed,
  type LogEntry,
  ProviderError,
} from '../../src/platform/providers/provider.ts';
import type { Stage } from './stage.ts';

export interface Row {
  name: string;
  /** Resolves when the promise is kept, to why not where the provider cannot keep it; rejects where it is broken. */
  check(stage: Stage): Promise<{ cannot: string } | undefined>;
}

const fails = (failure: Failure, says?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ProviderError, `a ProviderError, not ${error}`);
  assert.equal(error.failure, failure, error.message);
  if (says) assert.match(error.message, says);
  return true;
};

/** Why this machine can't do it, after seeing that the provider refuses it with those words and does nothing. */
async function unable(
  { provider, machine }: Stage,
  ability: Ability,
): Promise<{ cannot: string } | undefined> {
  const { can } = await provider.describe(machine);
  const why = can[ability];
  if (why === true) return undefined;
  assert.ok(why.length > 10, 'says why');
  const words = (error: unknown) => fails('Refused')(error) && (error as Error).message === why;
  if ((ACTS as readonly string[]).includes(ability))
    await assert.rejects(provider.act(machine, ability as Act, 'key-unable'), words);
  if (ability === 'Console') await assert.rejects(provider.console(machine), words);
  return { cannot: why };
}

/** Some BMCs claim what they have not implemented. They must have learnt to say so after. */
async function claimed(call: () => Promise<void>): Promise<unknown> {
  try {
    await call();
    return undefined;
  } catch (error) {
    fails('Refused')(error);
    return error;
  }
}

let keys = 0;
const key = () => `key-${++keys}`;

function acts(act: Act, name: string, then: (stage: Stage) => Promise<unknown>): Row {
  return {
    name,
    async check(stage) {
      const cannot = await unable(stage, act);
      if (cannot) return cannot;
      const before = await stage.seen(act);
      const refusal = await claimed(() => stage.provider.act(stage.machine, act, key()));
      if (refusal) return (await unable(stage, act)) ?? Promise.reject(refusal);
      await then(stage);
      assert.equal((await stage.seen(act)) - before, 1, `${act} was seen once`);
      return undefined;
    },
  };
}

const isOn = (stage: Stage) => stage.hasPower('On');

export const ROWS: readonly Row[] = [
  {
    name: 'describes a machine that runs as On',
    async check({ provider, machine }) {
      const { power } = await provider.describe(machine);
      assert.equal(power, 'On');
      return undefined;
    },
  },
  {
    name: 'says NotFound of a machine that nobody knows',
    async check({ provider, unknown }) {
      if (typeof unknown !== 'string') return unknown;
      await assert.rejects(provider.describe(unknown), fails('NotFound'));
      await assert.rejects(provider.act(unknown, 'ForceReboot', key()), fails('NotFound'));
      return undefined;
    },
  },
  {
    name: 'says BadCredentials of a wrong password, and names whose',
    async check({ wrongPassword, machine }) {
      if ('cannot' in wrongPassword) return wrongPassword;
      await assert.rejects(wrongPassword.describe(machine), fails('BadCredentials', /admin|AccessKey/));
      await assert.rejects(wrongPassword.act(machine, 'ForceReboot', key()), fails('BadCredentials'));
      await wrongPassword.close();
      return undefined;
    },
  },
  acts('Reboot', 'asks the operating system to reboot', isOn),
  acts('ForceReboot', 'resets a machine', isOn),
  acts('PowerOff', 'takes its power away, and then says Off', async (stage) => {
    await stage.hasPower('Off');
    assert.equal((await stage.provider.describe(stage.machine)).power, 'Off');
  }),
  acts('PowerOn', 'gives it power, and then says On', async (stage) => {
    await stage.hasPower('On');
    assert.equal((await stage.provider.describe(stage.machine)).power, 'On');
  }),
  {
    name: 'does nothing to a machine that has power and is to get it',
    async check(stage) {
      const cannot = await unable(stage, 'PowerOn');
      if (cannot) return cannot;
      await stage.provider.act(stage.machine, 'PowerOn', key());
      assert.equal((await stage.provider.describe(stage.machine)).power, 'On');
      return undefined;
    },
  },
  acts('PowerCycle', 'takes its power away and gives it back', isOn),
  {
    name: 'brings a machine up that is off and is to be cycled',
    async check(stage) {
      const cannot = await unable(stage, 'PowerCycle');
      if (cannot) return cannot;
      await stage.provider.act(stage.machine, 'PowerOff', key());
      await stage.hasPower('Off');
      await stage.provider.act(stage.machine, 'PowerCycle', key());
      await stage.hasPower('On');
      return undefined;
    },
  },
  acts('Nmi', 'interrupts a kernel that hangs', isOn),
  acts('Redeploy', 'moves a machine to other hardware', isOn),
  {
    name: 'reads the hardware’s log, oldest first',
    async check(stage) {
      const cannot = await unable(stage, 'EventLog');
      if (cannot) return cannot;
      let log: LogEntry[] = [];
      const refusal = await claimed(async () => {
        log = await stage.provider.eventLog(stage.machine);
      });
      if (refusal) return (await unable(stage, 'EventLog')) ?? Promise.reject(refusal);
      assert.ok(log.length > 0, 'there are entries');
      for (const { id, severity, message } of log) assert.ok(id && severity && message, JSON.stringify(log));
      const times = log.flatMap(({ at }) => at ?? []);
      assert.deepEqual(times, [...times].sort());
      return undefined;
    },
  },
  {
    name: 'reads the machine’s console',
    async check(stage) {
      const cannot = await unable(stage, 'Console');
      if (cannot) return cannot;
      assert.ok((await stage.provider.console(stage.machine)).length > 0);
      return undefined;
    },
  },
  {
    name: 'lists its machines to the last page',
    async check({ provider, machine }) {
      const all: Listed[] = [];
      try {
        for await (const page of provider.list()) all.push(...page);
      } catch (error) {
        fails('Refused')(error);
        return { cannot: (error as Error).message };
      }
      assert.ok(all.some(({ id, power }) => id === machine && power === 'On'));
      assert.equal(new Set(all.map(({ id }) => id)).size, all.length, 'none twice');
      return undefined;
    },
  },
  {
    name: 'hands out the provider’s own maintenance',
    async check(stage) {
      const { maintenance } = stage.provider;
      if (!maintenance) return unable(stage, 'Maintenance');
      assert.ok(Array.isArray(await maintenance.open()));
      return undefined;
    },
  },
  {
    name: 'says TryAgain while nobody answers, never Off, and sees it again after',
    async check(stage) {
      const { provider, machine } = stage;
      await stage.goAway();
      await assert.rejects(provider.describe(machine), fails('TryAgain'));
      await assert.rejects(
        provider.describe(machine),
        fails('TryAgain', /not asked again before/),
        'it is left in peace',
      );
      await assert.rejects(
        provider.act(machine, 'ForceReboot', key()),
        fails('TryAgain'),
        'nothing was sent',
      );
      await stage.comeBack();
      await stage.hasPower('On');
      // Its quiet time must pass.
      for (let tries = 0; ; tries++) {
        const power = await provider.describe(machine).then(
          (reading) => reading.power,
          () => 'None',
        );
        if (power === 'On') return undefined;
        assert.ok(tries < 100, 'it is not seen again');
        await systemClock.sleep(200);
      }
    },
  },
  {
    name: 'gives back what it held',
    async check({ provider, held, machine }) {
      if (!held) return { cannot: 'it holds nothing between two calls' };
      await provider.describe(machine);
      await provider.close();
      assert.equal(await held(), 0);
      return undefined;
    },
  },
];
