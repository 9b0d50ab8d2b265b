// A fleet of two clusters: Drover's objects live in the home cluster, the machines of a member are nodes of its own.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Cluster, clusterKind } from '../src/api/cluster.ts';
import { typeMetaOf } from '../src/api/crd.ts';
import { type Incident, incidentKind } from '../src/api/incident.ts';
import { type Machine, machineKind } from '../src/api/machine.ts';
import { machineProviderKind } from '../src/api/machine-provider.ts';
import { Drover } from '../src/drover.ts';
import { NAMESPACE } from '../src/fleet/install.ts';
import { MINUTE, SECOND } from '../src/platform/clock/clock.ts';
import { VirtualClock } from '../src/platform/clock/virtual.ts';
import { noHistory } from '../src/platform/history/history.ts';
import { type KubeObject, NODES, type Node, SECRETS } from '../src/platform/kube/objects.ts';
import { noLog } from '../src/platform/telemetry/log.ts';
import { Faults } from '../src/simulation/api/index.ts';
import { strike } from '../src/simulation/fleet/faults.ts';
import { World } from '../src/simulation/world.ts';

const MANAGER = 'test';
const KUBECONFIG = 'the kubeconfig of east';

async function setUp() {
  const clock = new VirtualClock(3);
  const home = new World({ clock, machines: 12 });
  const east = new World({ clock, machines: 12 });
  const opening = Promise.all([home.open(), east.open()]);
  await clock.advance(2 * SECOND);
  await opening;

  // What the owner of the fleet writes: the member, its provider, and its machines, named apart from those at home.
  const create = (object: unknown, resource: Parameters<typeof home.admin.create>[0]) =>
    home.admin.create<KubeObject>(resource, object as KubeObject, MANAGER);
  const metadata = { name: 'east' };
  const spec = { kubeconfigSecret: { namespace: NAMESPACE, name: 'east' } };
  await create({ ...typeMetaOf(clusterKind), metadata, spec }, clusterKind.resource);
  const provider = { simulated: { endpoint: 'http://127.0.0.1:1' } };
  await create(
    { ...typeMetaOf(machineProviderKind), metadata, spec: provider },
    machineProviderKind.resource,
  );
  for (const { name, place } of east.fleet.machines.values()) {
    const machine = {
      cluster: 'east',
      nodeName: name,
      provider: { name: 'east', id: name },
      location: place,
    };
    const named = { metadata: { name: `east-${name}` }, spec: machine };
    await create({ ...typeMetaOf(machineKind), ...named }, machineKind.resource);
  }
  const addSecret = () =>
    create(
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'east', namespace: NAMESPACE },
        data: { kubeconfig: Buffer.from(KUBECONFIG).toString('base64') },
      },
      SECRETS,
    );

  const line = new Faults();
  const drover = new Drover({
    clock,
    transport: home.api.transport({ user: 'drover' }),
    identity: 'drover',
    namespace: NAMESPACE,
    history: noHistory,
    log: noLog,
    connect: (kubeconfig) => {
      assert.equal(kubeconfig, KUBECONFIG);
      return east.api.transport({ user: 'drover', faults: line });
    },
    open: ({ metadata }) => (metadata.name === 'east' ? east.fleet : home.fleet),
  });
  const stop = new AbortController();
  void drover.run(stop.signal);
  await clock.advance(MINUTE);
  const close = async () => {
    stop.abort(new Error('over'));
    await clock.advance(MINUTE);
    for (const world of [home, east]) world.close();
  };
  return { clock, home, east, line, addSecret, [Symbol.asyncDispose]: close };
}

type Fleet = Awaited<ReturnType<typeof setUp>>;

async function connected({ home }: Fleet) {
  const cluster = await home.admin.get<KubeObject & Cluster>(clusterKind.resource, 'east');
  const condition = cluster?.status?.conditions?.find(({ type }) => type === 'Connected');
  return { ...condition, nodes: cluster?.status?.nodes };
}

async function incidentOf({ home }: Fleet, machine: string): Promise<Incident | undefined> {
  const { items } = await home.admin.list<KubeObject & Incident>(incidentKind.resource);
  return items.find(({ spec }) => spec.machine === machine);
}

test('a member without its Secret says so, and is connected when the Secret comes', async () => {
  await using fleet = await setUp();
  const before = await connected(fleet);
  assert.deepEqual([before.status, before.reason], ['False', 'NotUsable']);
  assert.match(before.message ?? '', /no Secret drover-system\/east/);
  await fleet.addSecret();
  await fleet.clock.advance(MINUTE);
  const after = await connected(fleet);
  assert.deepEqual([after.status, after.nodes], ['True', 12]);
});

test('a machine of a member is healed there, and its namesake at home is not touched', async () => {
  await using fleet = await setUp();
  await fleet.addSecret();
  await fleet.clock.advance(MINUTE);
  strike(fleet.east.fleet, 'crash', 'm00005');
  await fleet.clock.advance(8 * MINUTE);
  const incident = await incidentOf(fleet, 'east-m00005');
  assert.equal(incident?.spec.cluster, 'east');
  assert.equal(incident?.status?.stage, 'Healed');
  assert.deepEqual(
    fleet.east.fleet.acts.map(({ machine, act }) => [machine, act]),
    [['m00005', 'ForceReboot']],
  );
  assert.deepEqual(fleet.home.fleet.acts, []);
  const node = await fleet.east.admin.get<Node>(NODES, 'm00005');
  assert.ok(!node?.spec?.unschedulable);
  const machine = await fleet.home.admin.get<KubeObject & Machine>(machineKind.resource, 'east-m00005');
  assert.equal(machine?.status?.bootID, node?.status?.nodeInfo?.bootID);
});

test('of a member that tells nothing no machine is touched, and it says how old its data is', async () => {
  await using fleet = await setUp();
  await fleet.addSecret();
  await fleet.clock.advance(MINUTE);
  fleet.line.unreachable = true;
  await fleet.clock.advance(3 * MINUTE);
  assert.deepEqual([(await connected(fleet)).status, (await connected(fleet)).reason], ['False', 'Silent']);
  strike(fleet.east.fleet, 'crash', 'm00005');
  strike(fleet.home.fleet, 'crash', 'm00007');
  await fleet.clock.advance(8 * MINUTE);
  assert.deepEqual(fleet.east.fleet.acts, []);
  assert.equal((await incidentOf(fleet, 'm00007'))?.status?.stage, 'Healed');
  fleet.line.unreachable = false;
  await fleet.clock.advance(8 * MINUTE);
  assert.equal((await connected(fleet)).status, 'True');
  assert.equal((await incidentOf(fleet, 'east-m00005'))?.status?.stage, 'Healed');
});
