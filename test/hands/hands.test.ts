// The main job through real protocols: a real control plane, `drover run` in a process of its own, BMCs that speak
// Redfish and IPMI, hosts behind real sshds. Only what the machines themselves do is simulated.
import assert from 'node:assert/strict';
import { mkdtempSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { typeMetaOf } from '../../src/api/crd.ts';
import { disruptionBudgetKind } from '../../src/api/disruption-budget.ts';
import { healingPolicyKind } from '../../src/api/healing-policy.ts';
import { type Incident, incidentKind } from '../../src/api/incident.ts';
import { type Machine, machineKind } from '../../src/api/machine.ts';
import { machineProviderKind } from '../../src/api/machine-provider.ts';
import { MINUTE } from '../../src/platform/clock/clock.ts';
import { systemClock } from '../../src/platform/clock/system.ts';
import { actionsOf } from '../../src/platform/hosts/actions/table.ts';
import { sudoersOf } from '../../src/platform/hosts/ssh/sudoers.ts';
import { KubeClient } from '../../src/platform/kube/client.ts';
import { makeCertificates } from '../../src/platform/kube/kubeconfig/test-server.ts';
import { type KubeObject, type Resource, SECRETS } from '../../src/platform/kube/objects.ts';
import { fleetMachine } from '../../src/simulation/ecs/fleet-machine.ts';
import { type EcsService, serveEcs } from '../../src/simulation/ecs/index.ts';
import { SimulatedFleet } from '../../src/simulation/fleet/fleet.ts';
import { Kubelets } from '../../src/simulation/fleet/kubelets.ts';
import { serveFleet } from '../../src/simulation/fleet/server.ts';
import { FleetBoard, serveRedfish, type VendorName } from '../../src/simulation/redfish/index.ts';
import { Processes } from '../control-plane/processes.ts';
import { type ControlPlane, startControlPlane } from '../control-plane/start.ts';
import { until } from '../fleet/stage.ts';
import { KEY, seeded, TYPES, ZONES } from '../providers/ecs.ts';
import { ipmiSimStage, noIpmiSim } from '../providers/ipmi-sim.ts';
import { fingerprintOf } from '../providers/own-redfish.ts';
import { pyghmiPackages, pyghmiStage } from '../providers/pyghmi.ts';
import { PASSWORD, PASSWORD_SHORT } from '../providers/stage.ts';
import { sushyPackages, sushyStage } from '../providers/sushy.ts';
import { Keys } from '../sshd/keys.ts';
import { type Machine as Host, noMachines, startMachine, USER } from '../sshd/machine.ts';
import { knownAs } from '../sshd/reach.ts';
import { carryOver, IPMI_SIM, PYGHMI, SUSHY } from './bridge.ts';
import { kubeletPort, sshPort } from './ports.ts';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');
const HEALED_MS_MAX = 8 * MINUTE;
const MANAGER = { fieldManager: 'test' };
const SECRET = { namespace: 'default', name: 'bmc' };
/** Nine with hands of their own; the others make the cluster so large that four that hang are no outage of it. */
const MACHINES = 20;
const OWN = 9;
/** Machines by the names of their instances. */
const CLOUDY: Readonly<Record<string, string>> = { 'node-1': 'm00008', 'node-2': 'm00009' };
/** Of a disk that the kubelet calls full. */
const FULL = 0.9;

const sushy = sushyPackages();
const pyghmi = pyghmiPackages();
const skip =
  noMachines() ??
  noIpmiSim() ??
  ('reason' in sushy ? sushy.reason : 'reason' in pyghmi ? pyghmi.reason : undefined);

/** What is not known of a machine yet, before its story may begin. */
function lackingOf({ metadata, status }: KubeObject & Machine): string[] {
  const isOwn = metadata.name <= `m0000${OWN}`;
  const isDumping = ['m00002', 'm00003', 'm00004'].includes(metadata.name);
  const wanted = [...(isOwn ? ['ProviderAnswers'] : []), ...(isDumping ? ['CrashDumpArmed'] : [])];
  const missing = wanted.filter((type) => !status?.conditions?.some((one) => one.type === type));
  return [...(status?.bootID ? [] : ['bootID']), ...missing].map((what) => `${metadata.name} lacks ${what}`);
}

describe('machines healed through real protocols', {
  skip: skip ?? false,
  timeout: 20 * MINUTE,
  concurrency: true,
}, () => {
  const ends: (() => unknown)[] = [];
  const fleet = new SimulatedFleet({
    clock: systemClock,
    machines: MACHINES,
    zones: MACHINES,
    durations: { boot_ms: [15_000, 20_000], dump_ms: [10_000, 15_000] },
  });
  const boards = new Map<string, FleetBoard>();
  const hosts = new Map<string, Host>();
  const acts = new Map<string, string[]>();
  let ecs: EcsService;
  let plane: ControlPlane;
  let client: KubeClient;
  let processes: Processes;

  const create = (resource: Resource, object: object) =>
    client.create<KubeObject>(resource, object as KubeObject, 'test');
  const machineOf = (name: string) => fleet.get(name);

  /** A provider with the same Secret for all. */
  const provider = (name: string, spec: object) =>
    create(machineProviderKind.resource, { ...typeMetaOf(machineProviderKind), metadata: { name }, spec });

  async function machine(name: string, provider: string, id: string, host?: Host): Promise<void> {
    const simulated = machineOf(name);
    const ssh = await sshPort(fleet, simulated, host?.address);
    const kubelet = await kubeletPort(fleet, simulated);
    ends.push(
      () => ssh[Symbol.asyncDispose](),
      () => kubelet[Symbol.asyncDispose](),
    );
    if (host) known.push(knownAs(ssh.address, host.hostKey));
    const spec = {
      provider: { name: provider, id },
      location: { zone: simulated.place.zone, rack: simulated.place.rack },
      addresses: { ssh: ssh.address, kubelet: kubelet.address },
    };
    objects.push({ ...typeMetaOf(machineKind), metadata: { name }, spec });
  }
  const known: string[] = [];
  const objects: object[] = [];

  async function redfish(
    name: string,
    vendor: VendorName,
    certificates: ReturnType<typeof makeCertificates>,
  ) {
    const board = new FleetBoard(fleet, machineOf(name));
    boards.set(name, board);
    const users = [{ name: 'admin', password: PASSWORD, role: 'Operator' as const }];
    const service = await serveRedfish({ boards: [board], vendor, users, tls: certificates.server });
    ends.push(() => service.close());
    return new URL(service.url).host;
  }

  before(async () => {
    plane = await startControlPlane({ nodeMonitorGracePeriod_s: 20, nodeMonitorPeriod_s: 1 });
    processes = new Processes(mkdtempSync(join(tmpdir(), 'drover-hands-')));
    const transport = plane.transport();
    client = new KubeClient(transport, systemClock);
    const drover = (name: string, ...args: string[]) =>
      processes.start(name, process.execPath, [MAIN, ...args, '--kubeconfig', plane.kubeconfigPath]);
    drover('install', 'install');
    await until('drover install has ended', MINUTE, async () => !processes.isRunning('install') || undefined);

    const certificates = makeCertificates();
    const keys = new Keys();
    const key = keys.make();
    const sudoers = sudoersOf(actionsOf(), USER);
    const startHost = async (name: string, prepare = '') => {
      const host = await startMachine({ authorized: [key.publicKey], sudoers, prepare });
      ends.push(() => host[Symbol.asyncDispose]());
      hosts.set(name, host);
      return host;
    };
    ends.push(
      () => certificates.remove(),
      () => keys[Symbol.dispose](),
    );

    await machine('m00001', 'redfish', await redfish('m00001', 'Dell', certificates));
    await machine(
      'm00002',
      'redfish',
      await redfish('m00002', 'OpenBMC', certificates),
      await startHost('m00002'),
    );
    await machine(
      'm00003',
      'redfish',
      await redfish('m00003', 'HPE', certificates),
      await startHost('m00003'),
    );
    const full = 'mkdir -p /var/log && mount -t tmpfs -o size=16m tmpfs /var/log';
    await machine(
      'm00004',
      'redfish',
      await redfish('m00004', 'Lenovo', certificates),
      await startHost('m00004', full),
    );

    const bmc = sushy as { folder: string };
    const stages = [
      { name: 'm00005', provider: 'sushy', stage: await sushyStage(bmc.folder), words: SUSHY },
      {
        name: 'm00006',
        provider: 'ipmi',
        stage: await pyghmiStage((pyghmi as { folder: string }).folder),
        words: PYGHMI,
      },
      { name: 'm00007', provider: 'ipmi', stage: await ipmiSimStage(), words: IPMI_SIM },
    ];
    for (const { name, provider, stage, words } of stages) {
      const carried = carryOver(machineOf(name), () => stage.told?.() ?? [], words);
      acts.set(name, carried.acts);
      ends.push(
        () => carried.stop(),
        () => stage[Symbol.asyncDispose](),
      );
      await machine(name, provider, stage.machine);
    }

    const cloud = await serveEcs({
      clock: systemClock,
      region: 'cn-beijing',
      zones: ZONES,
      types: TYPES,
      accounts: [KEY],
      machineFor: ({ name }) => fleetMachine(machineOf(CLOUDY[name] as string)),
    });
    ends.push(() => cloud.close());
    ecs = cloud;
    for (const [at, id] of seeded(cloud, 2).entries()) await machine(`m0000${at + 8}`, 'ecs', id);

    const data = (values: Record<string, string>) =>
      Object.fromEntries(
        Object.entries(values).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
      );
    const secret = (name: string, values: Record<string, string>) =>
      create(SECRETS, {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name, namespace: 'default' },
        data: data(values),
      });
    const sha256 = fingerprintOf(certificates.server.cert);
    await secret('bmc', { username: 'admin', password: PASSWORD, '127.0.0.1.sha256': sha256 });
    await secret('ecs', KEY);
    await provider('ecs', {
      ecs: {
        regionId: 'cn-beijing',
        endpoint: `http://${cloud.endpoint}`,
        credentials: { secretRef: { ...SECRET, name: 'ecs' } },
      },
    });
    await secret('ipmi', { username: 'admin', password: PASSWORD_SHORT });
    await secret('ssh', { 'ssh-privatekey': `${key.privateKey}\n`, known_hosts: known.join('') });
    const ssh = { secretRef: { namespace: 'default', name: 'ssh' }, user: USER };
    await provider('redfish', { redfish: { secretRef: SECRET }, hosts: { ssh } });
    await provider('sushy', { redfish: { secretRef: SECRET, scheme: 'HTTP' } });
    await provider('ipmi', { ipmi: { secretRef: { ...SECRET, name: 'ipmi' }, cipherSuite: 3 } });

    const served = await serveFleet(fleet, { port: 0 });
    ends.push(() => served.close());
    await provider('simulated', { simulated: { endpoint: served.endpoint } });
    for (const { name, place } of [...fleet.machines.values()].slice(OWN))
      objects.push({
        ...typeMetaOf(machineKind),
        metadata: { name },
        spec: { provider: { name: 'simulated', id: name }, location: { zone: place.zone, rack: place.rack } },
      });

    const kubelets = new Kubelets(fleet, new KubeClient(transport, systemClock));
    await kubelets.registerAll();
    const stop = new AbortController();
    void kubelets.run(stop.signal);
    ends.push(
      () => stop.abort(new Error('over')),
      () => transport.close(),
    );
    for (const object of objects) await create(machineKind.resource, object);
    // The stories run at the same time, and none shall wait for another's place.
    const budget = { maxDisrupted: '9', per: [], minSchedulable: '0%' };
    await client.mergePatch(disruptionBudgetKind.resource, 'default', { spec: budget }, MANAGER);
    await client.mergePatch(
      healingPolicyKind.resource,
      'default',
      { spec: { brake: { atLeast: 40 }, redeploy: 'Allowed' } },
      MANAGER,
    );
    drover('drover', 'run', '--metrics-port', '0');
    let lacking = 'nothing was listed yet';
    await until(
      'every machine is seen, its provider answers, and hosts have said whether they dump',
      2 * MINUTE,
      async () => {
        const { items } = await client.list<KubeObject & Machine>(machineKind.resource);
        lacking = items.flatMap(lackingOf).join('; ');
        return lacking === '' || undefined;
      },
    ).catch((error: Error) => {
      throw new Error(`${error.message}: ${lacking}\n${processes.logTail('drover')}`);
    });
  });

  after(async () => {
    if (process.env.DEBUG_HANDS) console.log(processes.logTail('drover'));
    for (const end of ends.reverse()) await end();
    await processes?.end();
    await plane?.stop();
  });

  async function ended(name: string): Promise<Incident> {
    let last: Incident | undefined;
    const found = until(`the incident of ${name} ends`, HEALED_MS_MAX, async () => {
      const { items } = await client.list<KubeObject & Incident>(incidentKind.resource);
      const mine = items.filter(({ spec }) => spec.machine === name);
      last = mine.at(-1);
      if (mine.some(({ status }) => status?.stage === 'Escalated')) return mine.at(-1);
      return mine.find(({ status }) => status?.endedAt);
    });
    return found.catch((error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(last?.status)}`);
    });
  }

  const tried = ({ status }: Incident) => status?.attempts?.map(({ remedy, service }) => service ?? remedy);
  const outcome = (incident: Incident) => [
    incident.status?.diagnosis?.cause,
    incident.status?.stage,
    tried(incident),
  ];

  it('a hang is interrupted by an NMI over Redfish, dumps and comes back', async () => {
    machineOf('m00001').hang();
    const incident = await ended('m00001');
    assert.deepEqual(tried(incident), ['Nmi']);
    assert.equal(incident.status?.stage, 'Healed');
    assert.deepEqual(boards.get('m00001')?.orders, ['Nmi']);
  });

  it('a panic that only the BMC’s log tells of is reset over Redfish, for no crash kernel was loaded', async () => {
    machineOf('m00002').panic({ dump: false });
    assert.deepEqual(outcome(await ended('m00002')), ['Crashed', 'Healed', ['Reboot']]);
    assert.deepEqual(boards.get('m00002')?.orders, ['ForceRestart']);
  });

  it('a dead kubelet is restarted by SSH, and the machine keeps its boot', async () => {
    const machine = machineOf('m00003');
    const host = hosts.get('m00003') as Host;
    machine.setService('kubelet', false);
    const boot = machine.bootID;
    // What systemd would do when it is told.
    void until('systemctl is asked', HEALED_MS_MAX, async () =>
      host.calls().find((call) => /restart -- kubelet/.test(call)),
    )
      .then(() => machine.setService('kubelet', true))
      .catch(() => {});
    assert.deepEqual(outcome(await ended('m00003')), ['KubeletDown', 'Healed', ['kubelet']]);
    assert.deepEqual([machine.bootID, boards.get('m00003')?.orders], [boot, []]);
  });

  it('a full disk is cleaned by SSH: old rotated logs go, the others stay', async () => {
    const machine = machineOf('m00004');
    const host = hosts.get('m00004') as Host;
    const old = new Date(systemClock.now() - 30 * 24 * 60 * MINUTE);
    host.write('/var/log/app.log', Buffer.alloc(2 << 20));
    host.write('/var/log/app.log-20261001.gz', Buffer.alloc(13 << 20));
    const { utimesSync } = await import('node:fs');
    utimesSync(host.at('/var/log/app.log-20261001.gz'), old, old);
    const used = () => {
      const { blocks, bavail } = statfsSync(host.at('/var/log'));
      return 1 - bavail / blocks;
    };
    assert.ok(used() > FULL, `${used()}`);
    machine.setDiskFull(true);
    // What the kubelet would see.
    void until('the disk has room', HEALED_MS_MAX, async () => used() < FULL || undefined)
      .then(() => machine.setDiskFull(false))
      .catch(() => {});
    assert.deepEqual(outcome(await ended('m00004')), ['DiskFull', 'Healed', ['CleanDisk']]);
    assert.throws(() => host.read('/var/log/app.log-20261001.gz'), /ENOENT/);
    assert.equal(host.read('/var/log/app.log').length, 2 << 20);
    assert.deepEqual(boards.get('m00004')?.orders, []);
  });

  it('a hang whose BMC has no NMI, whatever it claims, has its power cycled: sushy-tools', async () => {
    machineOf('m00005').hang();
    const incident = await ended('m00005');
    assert.deepEqual(tried(incident), ['Nmi', 'PowerCycle']);
    assert.equal(incident.status?.stage, 'Healed');
    assert.deepEqual(acts.get('m00005'), ['off', 'on']);
  });

  it('a hang is interrupted by an NMI over IPMI: pyghmi', async () => {
    machineOf('m00006').hang();
    const incident = await ended('m00006');
    assert.deepEqual([incident.status?.stage, tried(incident)], ['Healed', ['Nmi']]);
    assert.deepEqual(acts.get('m00006'), ['nmi']);
  });

  it('a hang whose BMC refuses the NMI has its power cycled over IPMI: ipmi_sim', async () => {
    machineOf('m00007').hang();
    const incident = await ended('m00007');
    assert.deepEqual([incident.status?.stage, tried(incident)], ['Healed', ['Nmi', 'PowerCycle']]);
    assert.deepEqual(acts.get('m00007'), ['off', 'on']);
  });

  it('a reboot that ECS has scheduled is made before its time, through its API, which closes the event', async () => {
    const [instance] = ecs.instances();
    ecs.announce({
      instance: instance?.id as string,
      type: 'SystemMaintenance.Reboot',
      state: 'Scheduled',
      notBefore: systemClock.now() + 60 * MINUTE,
    });
    assert.deepEqual(outcome(await ended('m00008')), ['MaintenanceDue', 'Healed', ['Reboot']]);
    assert.deepEqual(calls('RebootInstances'), [instance?.id]);
    assert.equal(stateOf(instance?.id), 'Avoided');
  });

  it('a machine whose hardware ECS has found broken is moved to other hardware', async () => {
    const instance = ecs.instances()[1];
    ecs.announce({ instance: instance?.id as string, type: 'SystemFailure.Redeploy', state: 'Inquiring' });
    assert.deepEqual(outcome(await ended('m00009')), ['RedeployDue', 'Healed', ['Redeploy']]);
    assert.equal(
      ecs.calls.filter(({ action, answer }) => action === 'RedeployInstance' && answer === 'OK').length,
      1,
    );
    assert.notEqual(stateOf(instance?.id), 'Inquiring');
  });

  const stateOf = (instance: string | undefined) =>
    [...ecs.cloud.events.values()].find((event) => event.instance === instance)?.state;
  const calls = (action: string) =>
    ecs.calls
      .filter((call) => call.action === action && call.answer === 'OK')
      .map(({ parameters }) => parameters.get('InstanceId.1'));
});
