// Machines whose BMC speaks Redfish (DMTF DSP0266).
import type { RedfishSettings } from '../../../api/machine-provider.ts';
import { type Clock, MINUTE, SECOND } from '../../clock/clock.ts';
import { messageOf } from '../../kube/errors.ts';
import { BMCS_CANNOT, BMCS_UNLISTED, type BmcLogin, bmcAddress, bmcLogin, bmcTurns } from '../bmc.ts';
import type { OpenContext } from '../open.ts';
import {
  type Abilities,
  type Ability,
  ACTS,
  type Act,
  abilities,
  mustBeAble,
  type Provider,
  ProviderError,
  refused,
  unlisted,
} from '../provider.ts';
import { Bmc, type BmcOptions } from './bmc.ts';
import { setBoot } from './boot.ts';
import { findLog, readLog } from './event-log.ts';
import { entriesOf, openEvents } from './event-stream.ts';
import { readInventory } from './inventory.ts';
import { type ResetPlan, resetPlan } from './reset.ts';
import { findSystem, readSystem, type System } from './system.ts';
import { taskEnd } from './task.ts';
import { Wire } from './wire.ts';

const PORTS = { HTTPS: 443, HTTP: 80 } as const;
/** What a firmware update may change is read anew after this. */
const FACTS_MS_MAX = 10 * MINUTE;
/** Power supplies and BMCs take some seconds to say that it is off. */
const OFF_MS_MAX = 45 * SECOND;
const POLL_MS = 2 * SECOND;

interface Opened {
  login: BmcLogin;
  bmc: Bmc;
}

/** What was found out about a machine, so that it is not asked each time. */
interface Facts {
  at: number;
  path: string;
  allowed: ReadonlySet<string>;
  /** Where its log is. */
  log?: string;
  /** What it claimed to be able to and then could not, and why. */
  failed: Map<Ability, string>;
}

export function redfishProvider(settings: RedfishSettings, { clock, secrets, limit }: OpenContext): Provider {
  const turns = bmcTurns();
  const opened = new Map<string, Opened>();
  const facts = new Map<string, Facts>();

  /** One BMC object a BMC, as long as its login stays the same. */
  async function bmcOf(host: string, port: number): Promise<Bmc> {
    const login = await bmcLogin(secrets, settings.secretRef, host);
    const key = `${host}:${port}`;
    const present = opened.get(key);
    if (present && isSame(present.login, login)) return present.bmc;
    const wire = new Wire({
      secure: settings.scheme === 'HTTPS',
      host,
      port,
      ...(settings.caBundle && { ca: settings.caBundle }),
      ...(login.sha256 && { sha256: login.sha256 }),
    });
    const { username, password } = login;
    const turn: BmcOptions['turn'] = (call, signal) => turns.run(key, () => limit(call, signal), signal);
    const bmc = new Bmc({ clock, wire, name: key, username, password, turn });
    opened.set(key, { login, bmc });
    void present?.bmc.close();
    return bmc;
  }

  async function systemOf(id: string, signal?: AbortSignal) {
    const { host, port, path } = bmcAddress(id, PORTS[settings.scheme]);
    const bmc = await bmcOf(host, port);
    const known = facts.get(id);
    const isFresh = known && clock.now() - known.at < FACTS_MS_MAX;
    const place = path || (isFresh ? known.path : await findSystem(bmc, signal));
    const system = await readSystem(bmc, place, isFresh ? known.allowed : undefined, signal);
    const fresh: Facts = isFresh
      ? known
      : { at: clock.now(), path: place, allowed: system.reset.allowed, failed: new Map() };
    facts.set(id, fresh);
    return { bmc, system, facts: fresh, can: abilitiesOf(system, fresh.failed) };
  }

  return {
    describe: async (id, signal) => {
      const { system, can } = await systemOf(id, signal);
      const { power, health } = system;
      return { power, console: [], ...(health && { health }), can };
    },
    act: async (id, act, _key, signal) => {
      const { bmc, system, facts, can } = await systemOf(id, signal);
      mustBeAble(can, act);
      await learning(facts, act, () => follow(bmc, system, planFor(act, system), clock, signal));
    },
    list: () => unlisted(BMCS_UNLISTED),
    eventLog: async (id, signal) => {
      const { bmc, system, facts, can } = await systemOf(id, signal);
      mustBeAble(can, 'EventLog');
      return learning(facts, 'EventLog', async () => {
        facts.log ??= await findLog(bmc, system.resource, signal);
        return readLog(bmc, facts.log, signal);
      });
    },
    bootOnce: async (id, once, signal) => {
      const { bmc, system } = await systemOf(id, signal);
      await setBoot(bmc, system, once, clock, signal);
    },
    events: async (id, signal) => {
      const { host, port, path } = bmcAddress(id, PORTS[settings.scheme]);
      const bmc = await bmcOf(host, port);
      const stream = await openEvents(bmc, signal);
      return entriesOf(stream, { bmc, clock, only: path || undefined, signal });
    },
    inventory: async (id, signal) => {
      const { bmc, system } = await systemOf(id, signal);
      return readInventory(bmc, system.resource, signal);
    },
    console: () => refused(NO_CONSOLE),
    close: async () => {
      const all = [...opened.values()];
      opened.clear();
      await Promise.all(all.map(({ bmc }) => bmc.close()));
    },
  };
}

const NO_CONSOLE = 'Redfish shows no console: its serial line is reached by SSH or IPMI; use netconsole';

/** Some BMCs list what they have not implemented: once they have said so, that is known of them. */
async function learning<T>({ failed }: Facts, ability: Ability, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof ProviderError && error.reason === 'NotImplemented')
      failed.set(ability, error.message);
    throw error;
  }
}

function abilitiesOf({ reset }: System, failed: ReadonlyMap<Ability, string>): Abilities {
  const acts = ACTS.map((act) => {
    const plan = resetPlan(act, reset.allowed);
    return [act, typeof plan === 'string' ? plan : true] as const;
  });
  return abilities(true, {
    ...Object.fromEntries(acts),
    ...BMCS_CANNOT,
    Console: NO_CONSOLE,
    ...Object.fromEntries(failed),
  });
}

/** What is to be sent to a machine in this state; nothing where it is so already. */
function planFor(act: Act, { power, reset }: System): ResetPlan {
  if (act === 'PowerOn' && power === 'On') return [];
  if (act === 'PowerOff' && power === 'Off') return [];
  if (power === 'Off' && (act === 'Reboot' || act === 'ForceReboot' || act === 'Nmi'))
    throw new ProviderError('Refused', 'the power is off');
  const plan = resetPlan(power === 'Off' && act === 'PowerCycle' ? 'PowerOn' : act, reset.allowed);
  if (typeof plan === 'string') throw new ProviderError('Refused', plan);
  return plan;
}

/**
 * Sends one reset after the other. Once the BMC has accepted one, no failure means that nothing happened: not even a
 * question that could be asked again.
 */
async function follow(
  bmc: Bmc,
  system: System,
  plan: ResetPlan,
  clock: Clock,
  signal?: AbortSignal,
): Promise<void> {
  let accepted = 0;
  for (const { type, untilOff } of plan) {
    try {
      const answer = await bmc.post(system.reset.target, { ResetType: type }, signal);
      accepted++;
      await taskEnd(bmc, answer, clock, signal);
      if (untilOff) await seenOff(bmc, system, clock, signal);
    } catch (error) {
      const isRefused = error instanceof ProviderError && error.failure === 'Refused';
      if (accepted === 0 || (accepted === 1 && isRefused)) throw error;
      throw new ProviderError(
        'Unknown',
        `${type} was accepted, or what came before it: ${messageOf(error)}`,
        {
          cause: error,
        },
      );
    }
  }
}

async function seenOff(bmc: Bmc, { path, reset }: System, clock: Clock, signal?: AbortSignal): Promise<void> {
  const deadline = clock.now() + OFF_MS_MAX;
  for (;;) {
    const { power } = await readSystem(bmc, path, reset.allowed, signal);
    if (power === 'Off') return;
    if (clock.now() >= deadline)
      throw new ProviderError(
        'Unknown',
        `the BMC ${bmc.name} accepted ForceOff, and the power is still not off after ${OFF_MS_MAX / SECOND} s`,
      );
    await clock.sleep(POLL_MS, signal);
  }
}

const isSame = (a: BmcLogin, b: BmcLogin) =>
  a.username === b.username && a.password === b.password && a.sha256 === b.sha256;
