// Machines that Metal3's baremetal-operator owns: Drover asks it by annotations, and never goes past it to their BMCs.
// https://book.metal3.io/bmo/reboot_annotation
import type { Metal3Settings } from '../../../api/machine-provider.ts';
import type { KubeClient } from '../../kube/client.ts';
import { KubeError, messageOf } from '../../kube/errors.ts';
import { TransportError } from '../../kube/transport.ts';
import type { OpenContext } from '../open.ts';
import {
  type Abilities,
  type Act,
  abilities,
  mustBeAble,
  type Provider,
  ProviderError,
  refused,
} from '../provider.ts';
import {
  BARE_METAL_HOSTS,
  type BareMetalHost,
  HOLD_OFF,
  healthOf,
  hostOf,
  listedOf,
  placeOf,
  powerOf,
  REBOOT,
  untouchable,
} from './host.ts';

const FIELD_MANAGER = 'drover-metal3';

const NO_CONSOLE = 'Metal3 shows no console: use netconsole';
const NO_LOG = 'Metal3 shows no log of hardware events';
const CAN = abilities(true, {
  Nmi: 'Metal3 has no NMI',
  Redeploy:
    'a server of one’s own has no other hardware to move to: its Cluster API Machine is replaced instead',
  Release: 'hosts are given back through the Cluster API Machine that holds them',
  Console: NO_CONSOLE,
  EventLog: NO_LOG,
  Maintenance: 'Metal3 announces no maintenance',
});

export function metal3Provider(settings: Metal3Settings, context: OpenContext): Provider {
  const { limit } = context;

  function client(): KubeClient {
    const found = context.client?.(settings.cluster);
    if (found) return found;
    throw new ProviderError(
      'TryAgain',
      `cluster ${settings.cluster}, which holds the BareMetalHosts, is not open`,
    );
  }

  const call = <T>(work: (client: KubeClient) => Promise<T>, isAct: boolean, signal?: AbortSignal) =>
    limit(async () => {
      try {
        return await work(client());
      } catch (error) {
        throw failureOf(error, isAct);
      }
    }, signal);

  async function read(id: string, signal?: AbortSignal): Promise<BareMetalHost> {
    const { namespace, name } = placeOf(id);
    const object = await call((kube) => kube.get(BARE_METAL_HOSTS, name, namespace), false, signal);
    if (!object) throw new ProviderError('NotFound', `there is no BareMetalHost ${id}`);
    return hostOf(object);
  }

  /** Only these annotations; what others have set stays, and one that is there already is not set anew. */
  async function annotate(id: string, annotations: Record<string, string | null>, signal?: AbortSignal) {
    const { namespace, name } = placeOf(id);
    const patch = { metadata: { annotations } };
    const options = { fieldManager: FIELD_MANAGER, namespace };
    await call((kube) => kube.mergePatch(BARE_METAL_HOSTS, name, patch, options), true, signal);
  }

  async function act(id: string, what: Act, signal?: AbortSignal): Promise<void> {
    const host = await read(id, signal);
    const can = abilitiesOf(host);
    mustBeAble(can, what);
    const { annotations } = host.metadata;
    const power = powerOf(host);
    const held = HOLD_OFF in annotations;
    switch (what) {
      case 'PowerOff':
        return held || power === 'Off' ? undefined : annotate(id, { [HOLD_OFF]: '' }, signal);
      case 'PowerOn':
        return held ? annotate(id, { [HOLD_OFF]: null }, signal) : undefined;
      case 'PowerCycle':
        if (held) return annotate(id, { [HOLD_OFF]: null }, signal);
        return annotate(id, { [REBOOT]: HARD }, signal);
      default:
        if (power === 'Off') throw new ProviderError('Refused', 'the power is off');
        // One that waits to be done is the same reboot.
        return REBOOT in annotations
          ? undefined
          : annotate(id, { [REBOOT]: what === 'Reboot' ? SOFT : HARD }, signal);
    }
  }

  return {
    describe: async (id, signal) => {
      const host = await read(id, signal);
      const health = healthOf(host);
      return { power: powerOf(host), console: [], ...(health && { health }), can: abilitiesOf(host) };
    },
    act: (id, what, _key, signal) => act(id, what, signal),
    list: async function* () {
      const place = settings.namespace ? { namespace: settings.namespace } : {};
      try {
        for await (const { items } of client().pages(BARE_METAL_HOSTS, place))
          yield items.map((item) => listedOf(hostOf(item)));
      } catch (error) {
        throw failureOf(error, false);
      }
    },
    eventLog: () => refused(NO_LOG),
    console: () => refused(NO_CONSOLE),
    close: async () => {},
  };
}

const SOFT = JSON.stringify({ mode: 'soft' });
const HARD = JSON.stringify({ mode: 'hard' });

/** Of a host that its owner wants off, or that its operator is at work on, nothing is asked. */
function abilitiesOf(host: BareMetalHost): Abilities {
  const { namespace, name } = host.metadata;
  const why =
    untouchable(host) ??
    (host.spec.online
      ? undefined
      : `BareMetalHost ${namespace}/${name} shall be off (spec.online): that is its owner's word`);
  if (!why) return CAN;
  return { ...CAN, Reboot: why, ForceReboot: why, PowerOn: why, PowerOff: why, PowerCycle: why };
}

function failureOf(error: unknown, isAct: boolean): ProviderError {
  if (error instanceof ProviderError) return error;
  const message = messageOf(error);
  if (error instanceof TransportError)
    return new ProviderError(isAct && error.sent ? 'Unknown' : 'TryAgain', message, { cause: error });
  if (!(error instanceof KubeError)) return new ProviderError('Broken', message, { cause: error });
  if (error.status === 401 || error.status === 403)
    return new ProviderError('BadCredentials', message, { reason: 'MissingRights', cause: error });
  if (error.status === 404) return new ProviderError('NotFound', message, { cause: error });
  if (error.status === 409 || error.status === 429 || error.status >= 500)
    return new ProviderError('TryAgain', message, { cause: error });
  return new ProviderError('Refused', message, { cause: error });
}
