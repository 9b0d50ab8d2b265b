// Instances of Alibaba Cloud ECS, Shenlong bare metal first of all: one account in one region.
import type { EcsSettings } from '../../../api/machine-provider.ts';
import type { OpenContext } from '../open.ts';
import { abilities, type Provider, type Reading } from '../provider.ts';
import { EcsApi } from './api.ts';
import { abilitiesOf, type Instance, lockOf, powerOf } from './instance.ts';
import { instancesOf } from './list.ts';
import { LookUp } from './look-up.ts';
import { eventLogOf, maintenanceOf, OpenEvents } from './maintenance.ts';
import { marketOf } from './market.ts';
import { actOn } from './power.ts';

/** @param api shared with the way to hosts by the agent: what is throttled for one is for both */
export function ecsProvider(
  settings: EcsSettings,
  context: OpenContext,
  api = new EcsApi(settings, context),
): Provider {
  const lookUp = new LookUp(api);
  const openEvents = new OpenEvents(api);
  return {
    async describe(id) {
      const [found, maintenance] = await Promise.all([lookUp.find(id), openEvents.of(id)]);
      if (found === 'New')
        return {
          power: 'Unknown',
          console: [],
          can: abilities('ECS has made it, and does not show it yet', {}),
        };
      return reading(found === 'Gone' ? await lookUp.get(id) : found, maintenance);
    },
    act: (id, act, key, signal) => actOn(api, lookUp, id, act, key, signal),
    list: (signal) => instancesOf(api, {}, signal),
    eventLog: (id, signal) => eventLogOf(api, id, signal),
    logIsMaintenance: true,
    console: (id, signal) => consoleOf(api, id, signal),
    maintenance: maintenanceOf(api),
    ...(settings.launch && { market: marketOf(api, lookUp, settings.launch) }),
    close: async () => {},
  };
}

function reading(instance: Instance, maintenance: Pick<Reading, 'maintenance' | 'announced'>): Reading {
  const lock = lockOf(instance);
  return {
    power: powerOf(instance),
    // What GetInstanceConsoleOutput shows may be as old as the last boot.
    console: [],
    can: abilitiesOf(instance),
    ...maintenance,
    ...(lock && { health: `locked by Alibaba Cloud: ${lock}` }),
  };
}

async function consoleOf(
  api: EcsApi,
  instanceId: string,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const body = await api.call(
    'GetInstanceConsoleOutput',
    'Read',
    (client, sdk) =>
      client.getInstanceConsoleOutput(
        new sdk.GetInstanceConsoleOutputRequest({ regionId: api.regionId, instanceId }),
      ),
    signal,
  );
  const text = Buffer.from(body.consoleOutput ?? '', 'base64').toString('utf8');
  return text.split(/\r?\n/).filter((line) => line.trim() !== '');
}
