// Metal3 on the embedded API, with a small operator that does what baremetal-operator's documentation says of its
// annotations, to a machine of the simulated fleet. https://book.metal3.io/bmo/reboot_annotation
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { systemClock } from '../../src/platform/clock/system.ts';
import { KubeClient } from '../../src/platform/kube/client.ts';
import type { KubeObject, Resource } from '../../src/platform/kube/objects.ts';
import {
  BARE_METAL_HOSTS,
  DETACHED,
  HOLD_OFF,
  PAUSED,
  REBOOT,
} from '../../src/platform/providers/metal3/host.ts';
import type { Act } from '../../src/platform/providers/provider.ts';
import { EmbeddedApi } from '../../src/simulation/api/index.ts';
import { SimulatedFleet } from '../../src/simulation/fleet/fleet.ts';
import { eventually, opened, type Stage } from './stage.ts';

const CRDS: Resource = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
};
const NAMESPACE = 'default';
const NAME = 'host-1';
const POLL_MS = 50;
const MANAGER = { fieldManager: 'baremetal-operator', namespace: NAMESPACE };

interface Host extends KubeObject {
  spec: { online: boolean };
}

export interface Metal3Stage extends Stage {
  client: KubeClient;
  /** What the operator did, in order. */
  done: string[];
  annotate(annotations: Record<string, string | null>): Promise<unknown>;
  annotations(): Promise<Record<string, string>>;
}

export async function metal3Stage(): Promise<Metal3Stage> {
  const api = new EmbeddedApi({ clock: systemClock });
  const client = new KubeClient(api.transport({ user: 'admin' }), systemClock);
  const durations = { boot_ms: [100, 200], dump_ms: [100, 200] } as const;
  const machine = new SimulatedFleet({ clock: systemClock, machines: 1, durations }).get('m00001');
  const crd = parse(readFileSync(join(import.meta.dirname, 'bare-metal-hosts.yaml'), 'utf8'));
  await client.create<KubeObject>(CRDS, crd, 'test');
  await client.create<KubeObject>(
    BARE_METAL_HOSTS,
    {
      apiVersion: 'metal3.io/v1alpha1',
      kind: 'BareMetalHost',
      metadata: { name: NAME, namespace: NAMESPACE },
      spec: { online: true },
    } as KubeObject,
    'test',
  );
  const done: string[] = [];
  const operator = { runs: true, away: false };
  const read = async () => (await client.get<Host>(BARE_METAL_HOSTS, NAME, NAMESPACE)) as Host;
  const annotate = (annotations: Record<string, string | null>) =>
    client.mergePatch(BARE_METAL_HOSTS, NAME, { metadata: { annotations } }, MANAGER);

  async function reconcile(): Promise<void> {
    const { annotations = {} } = (await read()).metadata;
    const isOff = machine.phase === 'Off';
    const wanted = annotations[REBOOT];
    if (!(PAUSED in annotations) && !(DETACHED in annotations)) {
      if (HOLD_OFF in annotations && !isOff) {
        done.push('off');
        machine.powerOff();
      } else if (!(HOLD_OFF in annotations) && isOff) {
        done.push('on');
        machine.boot('metal3');
      } else if (wanted !== undefined && machine.phase === 'Running') {
        done.push(wanted.includes('hard') ? 'hard' : 'soft');
        machine.boot('metal3');
        await annotate({ [REBOOT]: null });
      }
    }
    const status = {
      poweredOn: machine.phase !== 'Off',
      operationalStatus: 'OK',
      provisioning: { state: 'provisioned' },
    };
    await client.mergePatch(BARE_METAL_HOSTS, NAME, { status }, { ...MANAGER, subresource: 'status' });
  }
  void (async () => {
    for (; operator.runs; await systemClock.sleep(POLL_MS)) await reconcile().catch(() => {});
  })();

  const provider = opened({ metal3: {} }, {}, () => (operator.away ? undefined : client));
  await eventually(
    'its power is known',
    async () => (await provider.describe(`${NAMESPACE}/${NAME}`)).power === 'On',
  );
  const SEEN: Readonly<Partial<Record<Act, string>>> = {
    Reboot: 'soft',
    ForceReboot: 'hard',
    PowerOff: 'off',
    PowerOn: 'on',
    PowerCycle: 'hard',
  };
  return {
    provider,
    client,
    done,
    annotate,
    annotations: async () => (await read()).metadata.annotations ?? {},
    machine: `${NAMESPACE}/${NAME}`,
    unknown: `${NAMESPACE}/nobody`,
    wrongPassword: { cannot: 'it uses the credentials of the cluster, which are of the Cluster object' },
    // What was asked for must have begun before it can be over.
    hasPower: (power) =>
      eventually(`power ${power}`, async () => {
        const { annotations = {} } = (await read()).metadata;
        const waits = REBOOT in annotations || HOLD_OFF in annotations !== (machine.phase === 'Off');
        const isSo = power === 'Off' ? machine.phase === 'Off' : machine.phase === 'Running';
        const { status } = (await read()) as Host & { status?: { poweredOn?: boolean } };
        return !waits && isSo && status?.poweredOn === (power === 'On');
      }),
    seen: async (act) => done.filter((one) => one === SEEN[act]).length,
    goAway: async () => {
      operator.away = true;
    },
    comeBack: async () => {
      operator.away = false;
    },
    [Symbol.asyncDispose]: async () => {
      operator.runs = false;
      api.close();
    },
  };
}
