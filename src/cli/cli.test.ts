// Command lines as people type them, over real HTTP against the embedded API.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { typeMetaOf } from '../api/crd.ts';
import { KINDS } from '../api/index.ts';
import { machineKind } from '../api/machine.ts';
import { machineProviderKind } from '../api/machine-provider.ts';
import { remediationTemplateKind } from '../api/remediation.ts';
import { systemClock } from '../platform/clock/system.ts';
import { KubeClient } from '../platform/kube/client.ts';
import { type KubeObject, LEASES } from '../platform/kube/objects.ts';
import { EmbeddedApi } from '../simulation/api/index.ts';
import { SimulatedFleet } from '../simulation/fleet/fleet.ts';
import { describeFleet, simulatedOwner } from '../simulation/fleet/objects.ts';
import { serveFleet } from '../simulation/fleet/server.ts';
import { RESOURCES } from './resources.ts';
import { run, start } from './test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'drover-cli-'));
const kubeconfig = join(folder, 'kubeconfig');
const api = new EmbeddedApi({ clock: systemClock });
const client = new KubeClient(api.transport({ user: 'admin' }), systemClock);
const fleet = new SimulatedFleet({
  clock: systemClock,
  machines: 6,
  zones: 2,
  durations: { boot_ms: [50, 60], dump_ms: [50, 60] },
});
const served = await api.serve();
const outside = await serveFleet(fleet, { port: 0 });
const drover = (...args: string[]) => run(['--kubeconfig', kubeconfig, ...args]);
const setLabel = (name: string, labels: Record<string, string>) =>
  client.mergePatch<KubeObject>(
    machineKind.resource,
    name,
    { metadata: { labels } },
    { fieldManager: 'test' },
  );
const setModel = (name: string, model: string) =>
  client.mergePatch<KubeObject>(
    machineKind.resource,
    name,
    { spec: { location: { rack: model } } },
    { fieldManager: 'test' },
  );

before(() => writeFileSync(kubeconfig, served.kubeconfig));
after(async () => {
  api.close();
  await served.close();
  await outside.close();
  rmSync(folder, { recursive: true });
});

describe('before drover install', () => {
  for (const args of [
    ['get', 'incidents'],
    ['explain', 'm1'],
    ['run'],
    ['fleet', '--machines', '1'],
    ['fault', 'm1', '--kind', 'crash'],
    ['get', 'm', '-w'],
  ]) {
    it(`drover ${args.join(' ')} says what to do first`, async () => {
      const { code, out, err } = await drover(...args);
      assert.equal(code, 1);
      assert.equal(out, '');
      assert.equal(err, "error: Drover's resources are not on this cluster: run 'drover install' first\n");
    });
  }
});

describe('drover install', () => {
  it('says what it did, and does nothing twice', async () => {
    const first = await drover('install', '--observe');
    assert.equal(first.code, 0, first.err);
    assert.match(first.out, /^customresourcedefinition\/machines\.drover\.dev applied$/m);
    assert.match(first.out, /^healingpolicy\/default created$/m);
    const again = await drover('install');
    assert.match(again.out, /^healingpolicy\/default kept$/m);
    assert.equal(JSON.parse((await drover('get', 'hp', 'default', '-o', 'json')).out).spec.mode, 'Observe');
  });
});

describe('drover get', () => {
  before(() => describeFleet(client, fleet, simulatedOwner(outside.endpoint)));

  it('prints a table as kubectl does, NAME first and AGE last, in 80 columns', async () => {
    const { code, out, err } = await drover('get', 'machines');
    const [head = '', first = '', ...rest] = out.trimEnd().split('\n');
    assert.equal(code, 0);
    assert.equal(err, '');
    assert.match(head, /^NAME {5}STATE +ZONE +RACK +AGE$/);
    assert.match(first, /^m00001 {3}<none> +z1 +r01 +\d+s$/);
    assert.equal(rest.length, 5);
    assert.ok(Math.max(...out.split('\n').map((line) => line.length)) <= 80);
  });

  it('shows more with -o wide, and no header when told', async () => {
    assert.match(
      (await drover('get', 'machines', '-o', 'wide')).out,
      /^NAME .*CLUSTER.*MODEL.*KERNEL.* AGE$/m,
    );
    assert.match((await drover('get', 'm', '--no-headers')).out, /^m00001/);
  });

  it('knows every kind by plural, singular, short and full name', async () => {
    for (const word of ['machines', 'machine', 'm', 'Machine', 'machines.drover.dev', 'machine/m00001'])
      assert.equal((await drover('get', word)).code, 0, word);
    for (const { resource, names } of RESOURCES) {
      const kind = KINDS.find((each) => each.resource.kind === resource.kind);
      assert.deepEqual(resource, kind?.resource);
      for (const name of kind?.shortNames ?? [])
        assert.ok(names.includes(name), `${name} of ${resource.kind}`);
    }
  });

  it('prints objects as they are', async () => {
    const one = JSON.parse((await drover('get', 'm', 'm00001', '-o', 'json')).out);
    assert.deepEqual(
      [one.apiVersion, one.kind, one.metadata.name],
      ['drover.dev/v1alpha1', 'Machine', 'm00001'],
    );
    const list = JSON.parse((await drover('get', 'm', '-o', 'json')).out);
    assert.deepEqual([list.kind, list.items.length, list.items[0].kind], ['List', 6, 'Machine']);
    assert.match((await drover('get', 'm', '-o', 'yaml')).out, /^kind: List$/m);
    assert.equal(
      (await drover('get', 'm', 'm00001', 'm00002', '-o', 'name')).out,
      'machine.drover.dev/m00001\nmachine.drover.dev/m00002\n',
    );
  });

  it('selects by labels and fields', async () => {
    assert.equal(
      (await drover('get', 'm', '-l', 'drover.dev/zone=z1', '--no-headers')).out.trimEnd().split('\n').length,
      3,
    );
    assert.equal(
      (await drover('get', 'm', '--field-selector', 'metadata.name=m00002', '-o', 'name')).out,
      'machine.drover.dev/m00002\n',
    );
  });

  it('lists what has a namespace from all of them, and asks which one where a name is given', async () => {
    const { resource } = remediationTemplateKind;
    const made = { ...typeMetaOf(remediationTemplateKind), spec: {} };
    for (const namespace of ['default', 'kube-system'])
      await client.create<KubeObject>(resource, { ...made, metadata: { name: 'drover', namespace } }, 'test');
    const lines = async (...more: string[]) =>
      (await drover('get', 'drt', '--no-headers', ...more)).out.trimEnd().split('\n').length;
    assert.deepEqual([await lines(), await lines('-n', 'default')], [2, 1]);
    assert.match((await drover('get', 'drt', 'drover', '-n', 'default')).out, /^drover +Observe/m);
    const refused = await drover('get', 'drt', 'drover');
    assert.equal(refused.err, 'error: droverremediationtemplates have a namespace: write it with -n\n');
    assert.match((await drover('get', 'm', '-n', 'default')).err, /machines have no namespace: leave -n out/);
  });

  it('tells an empty list on stderr, and programs an empty List', async () => {
    assert.deepEqual(await drover('get', 'incidents'), { code: 0, out: '', err: 'No resources found\n' });
    assert.deepEqual(JSON.parse((await drover('get', 'incidents', '-o', 'json')).out).items, []);
  });

  it('prints what it finds of several names, and fails for the rest', async () => {
    const { code, out, err } = await drover('get', 'm', 'm00001', 'nobody');
    assert.equal(code, 1);
    assert.match(out, /m00001/);
    assert.equal(err, 'Error from server (NotFound): machines.drover.dev "nobody" not found\n');
  });

  it('takes misuse for that: exit code 2', async () => {
    for (const args of [
      ['get'],
      ['get', 'floods'],
      ['get', 'm', '-o', 'csv'],
      ['get', 'm', 'x', '-l', 'a=b'],
      ['get', 'm', '--frob'],
      ['got'],
      ['fault', 'm00001'],
      ['explain', 'pod/x'],
    ]) {
      const { code, out, err } = await drover(...args);
      assert.equal(code, 2, args.join(' '));
      assert.equal(out, '');
      assert.match(err, /^error: /);
    }
  });

  it('watches through ends of the watch and expired versions, and shows what changes in the table only', async () => {
    const watch = start(['get', 'm', '-w', '--kubeconfig', kubeconfig]);
    await watch.until(/m00006/);
    await setModel('m00001', 'r77');
    await watch.until(/m00001 .* r77 /);
    api.dropWatches();
    await setModel('m00002', 'r88');
    await watch.until(/m00002 .* r88 /);
    api.dropWatches();
    await setModel('m00003', 'r99');
    api.expireHistory();
    await watch.until(/m00003 .* r99 /);
    await setLabel('m00004', { shown: 'nowhere' });
    await client.delete(machineKind.resource, 'm00006');
    await watch.until(/m00006 .*<deleted>/);
    const { code, out } = await watch.stop();
    assert.equal(code, 0);
    assert.equal(out.match(/m00004/g)?.length, 1);
    assert.equal(out.match(/NAME/g)?.length, 1);
  });

  it('watches objects too', async () => {
    const watch = start(['get', 'm', 'm00001', '-w', '-o', 'json', '--kubeconfig', kubeconfig]);
    await watch.until(/"m00001"/);
    await setLabel('m00001', { seen: 'yes' });
    await watch.until(/"seen": "yes"/);
    await watch.stop();
    assert.doesNotMatch(watch.out(), /m00002/);
  });
});

describe('drover fault', () => {
  it('breaks a simulated machine', async () => {
    assert.deepEqual(await drover('fault', 'node/m00001', '--kind', 'crash'), {
      code: 0,
      out: 'machine/m00001 struck (crash)\n',
      err: '',
    });
    assert.equal(fleet.get('m00001').phase, 'Panicked');
    const again = await drover('fault', 'm00001', '--kind', 'hang');
    assert.equal(again.code, 1);
    assert.match(again.err, /m00001 does not run \(Panicked\)/);
  });

  it('refuses a machine that is not simulated, by name', async () => {
    const machine = {
      apiVersion: 'drover.dev/v1alpha1',
      kind: 'Machine',
      metadata: { name: 'real' },
      spec: { provider: { name: 'ecs', id: 'i-1' } },
    };
    await client.create<KubeObject>(machineKind.resource, machine, 'test');
    const { code, err } = await drover('fault', 'real', '--kind', 'crash');
    assert.equal(code, 1);
    assert.match(err, /machine real is not simulated \(its MachineProvider is ecs\)/);
  });

  it('says when the fleet is not there', async () => {
    await client.mergePatch(
      machineProviderKind.resource,
      'simulated',
      { spec: { simulated: { endpoint: 'http://127.0.0.1:1' } } },
      { fieldManager: 'test' },
    );
    assert.match(
      (await drover('fault', 'm00002', '--kind', 'crash')).err,
      /does not answer .*is 'drover fleet' running/,
    );
  });

  it('lists its kinds in the help', async () => {
    assert.match((await drover('fault', '--help')).out, /rack-switch +the switch of its rack goes dark/);
  });
});

describe('drover fleet', () => {
  it('joins machines to the cluster until it is stopped', async () => {
    const running = start([
      'fleet',
      '--machines',
      '3',
      '--seed',
      '5',
      '--boot',
      '1s',
      '--applications',
      '1',
      '--kubeconfig',
      kubeconfig,
    ]);
    await running.until(/3 simulated machines answer at http:\/\/127\.0\.0\.1:\d+/);
    assert.equal((await drover('fault', 'm00003', '--kind', 'kubelet')).code, 0);
    const { code, out } = await running.stop();
    assert.equal(code, 0);
    assert.match(out, /their objects stay\n$/);
  });
});

describe('a cluster that cannot be reached', () => {
  it('names file and field of a bad kubeconfig', async () => {
    const { code, err } = await run(['get', 'm', '--kubeconfig', join(folder, 'none')]);
    assert.equal(code, 1);
    assert.match(err, /^error: kubeconfig .*none: no such file/);
    assert.match((await drover('get', 'm', '--context', 'nope')).err, /no context "nope"/);
  });

  it('says so in kubectl’s words', async () => {
    const dead = join(folder, 'dead');
    writeFileSync(dead, served.kubeconfig.replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:1'));
    const { code, err } = await run(['get', 'm', '--kubeconfig', dead]);
    assert.equal(code, 1);
    assert.match(err, /^Unable to connect to the server http:\/\/127\.0\.0\.1:1: /);
  });
});

describe('drover explain', () => {
  it('tells ages by the server’s clock, not by that of the laptop', async () => {
    const renewTime = client.microTime();
    const spec = { holderIdentity: 'drover-0', leaseDurationSeconds: 10, renewTime };
    const metadata = { name: 'drover', namespace: 'drover-system' };
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
    await client.create<KubeObject>(LEASES, lease as KubeObject, 'test');
    const ahead = { ...systemClock, now: () => systemClock.now() + 3_600_000 };
    const { out, code } = await run(['--kubeconfig', kubeconfig, 'explain', 'm00001'], { clock: ahead });
    assert.equal(code, 0);
    assert.doesNotMatch(out, /does not run/);
  });
});
