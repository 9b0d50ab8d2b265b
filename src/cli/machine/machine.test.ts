// Looking at machines through their provider, as people type it.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { typeMetaOf } from '../../api/crd.ts';
import { machineKind } from '../../api/machine.ts';
import { machineProviderKind } from '../../api/machine-provider.ts';
import { systemClock } from '../../platform/clock/system.ts';
import { KubeClient } from '../../platform/kube/client.ts';
import { type KubeObject, SECRETS } from '../../platform/kube/objects.ts';
import { EmbeddedApi } from '../../simulation/api/index.ts';
import { SimulatedFleet } from '../../simulation/fleet/fleet.ts';
import { describeFleet, simulatedOwner } from '../../simulation/fleet/objects.ts';
import { serveFleet } from '../../simulation/fleet/server.ts';
import { run } from '../test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'drover-cli-'));
const kubeconfig = join(folder, 'kubeconfig');
const table = join(folder, 'machines.csv');
const api = new EmbeddedApi({ clock: systemClock });
const client = new KubeClient(api.transport({ user: 'admin' }), systemClock);
const fleet = new SimulatedFleet({ clock: systemClock, machines: 4, zones: 2 });
const served = await api.serve();
const outside = await serveFleet(fleet, { port: 0 });
const drover = (...args: string[]) => run(['--kubeconfig', kubeconfig, ...args]);
const machines = async () =>
  (await client.list<KubeObject>(machineKind.resource)).items.map(({ metadata }) => metadata.name);

before(async () => {
  writeFileSync(kubeconfig, served.kubeconfig);
  assert.equal((await drover('install')).code, 0);
  await describeFleet(client, fleet, simulatedOwner(outside.endpoint));
  const spec = { redfish: { secretRef: { namespace: 'default', name: 'bmc' }, scheme: 'HTTP' } };
  const bmcs = { ...typeMetaOf(machineProviderKind), metadata: { name: 'bmcs' }, spec };
  await client.create<KubeObject>(machineProviderKind.resource, bmcs as KubeObject, 'test');
});
after(async () => {
  api.close();
  await served.close();
  await outside.close();
  rmSync(folder, { recursive: true });
});

describe('drover machine', () => {
  it('power says power and what the machine can and cannot', async () => {
    fleet.get('m00002').powerOff();
    const { code, out } = await drover('machine', 'power', 'm00002');
    assert.equal(code, 0);
    assert.match(out, /^machine\/m00002 {2}power Off\ncan {10}Reboot, ForceReboot/);
    assert.match(out, /^cannot {7}Release: a simulated machine has nobody/m);
    const json = JSON.parse((await drover('machine', 'power', 'm00002', '-o', 'json')).out);
    assert.deepEqual([json.power, json.can.Nmi], ['Off', true]);
  });

  it('events prints the hardware’s log, the newest last', async () => {
    assert.equal((await drover('machine', 'events', 'm00001')).out, 'No events.\n');
    fleet.get('m00001').loseSupply();
    const { out } = await drover('machine', 'events', 'm00001');
    assert.match(out, /^\d{4}-\d\d-\d\dT\S+ {2}Critical {2}Power Supply {2}Power supply input lost/);
    assert.match(
      (await drover('machine', 'events', 'm00001', '-o', 'csv')).out,
      /^id,at,severity,sensor,message\n/,
    );
  });

  it('console prints what the provider has kept', async () => {
    assert.equal((await drover('machine', 'console', 'm00003')).out, 'm00003 login:\n');
  });

  it('says what stands in the way', async () => {
    const missing = await drover('machine', 'power', 'm99999');
    assert.deepEqual(
      [missing.code, missing.err],
      [1, 'Error from server (NotFound): machines.drover.dev "m99999" not found\n'],
    );
  });
});

describe('drover machine import', () => {
  it('shows what it would make of a provider’s list, and makes nothing', async () => {
    await client.delete(machineKind.resource, 'm00004');
    const { code, out } = await drover('machine', 'import', '--provider', 'simulated');
    assert.equal(code, 0);
    assert.match(out, /^machine\/m00001 exists$/m);
    assert.match(out, /^machine\/m00004 would be created {2}id=m00004 model=\S+ zone=z2$/m);
    assert.match(out, /1 machines would be created: --apply makes them\.\n$/);
    assert.deepEqual(await machines(), ['m00001', 'm00002', 'm00003']);
  });

  it('makes it with --apply, and nothing twice', async () => {
    const first = await drover('machine', 'import', '--provider', 'simulated', '--apply');
    assert.match(first.out, /1 machines created\.\n$/);
    assert.deepEqual(await machines(), ['m00001', 'm00002', 'm00003', 'm00004']);
    assert.match(
      (await drover('machine', 'import', '--provider', 'simulated', '--apply')).out,
      /0 machines created/,
    );
  });

  it('takes a table, and one wrong row stops no other', async () => {
    writeFileSync(
      table,
      'name,id,rack,model\nb1,10.0.0.1,r01,x\nB_2,10.0.0.2,r01,x\nb3,10.0.0.1,r01,x\nb4,10.0.0.4,bad rack,x\n',
    );
    const { code, out, err } = await drover(
      'machine',
      'import',
      '--provider',
      'bmcs',
      '-f',
      table,
      '--apply',
    );
    assert.equal(code, 1);
    assert.match(out, /^machine\/b1 created {2}id=10\.0\.0\.1 model=x rack=r01$/m);
    assert.match(out, /^machine\/b3 exists as machine\/b1$/m);
    assert.match(err, /machine\/B_2 is wrong: a name has lower-case letters/);
    assert.match(err, /machine\/b4 is wrong: spec\.location\.rack/);
    assert.ok((await machines()).includes('b1'));
  });

  it('says which columns it knows', async () => {
    writeFileSync(table, 'name,id,colour\nb5,10.0.0.5,red\n');
    const { code, err } = await drover('machine', 'import', '--provider', 'bmcs', '-f', table);
    assert.equal(code, 1);
    assert.match(err, /has unknown columns colour: there are name, id, node/);
  });
});

describe('drover provider check', () => {
  it('says for how many it answers, and what they can', async () => {
    const { code, out } = await drover('provider', 'check', 'simulated');
    assert.equal(code, 0, out);
    assert.match(
      out,
      /^machineprovider\/simulated {2}simulated, 4 machines, 4 asked\n✔ answers {6}4 of 4: power/,
    );
    assert.match(out, /^ {2}cannot {7}Release: /m);
  });

  it('names what is wrong, and ends with 1', async () => {
    const { code, out } = await drover('provider', 'check', 'bmcs');
    assert.equal(code, 1);
    assert.match(
      out,
      /^✖ credentials {2}BadCredentials of b1: Secret default\/bmc can't be read: there is no Secret/m,
    );
    const data = {
      username: Buffer.from('u').toString('base64'),
      password: Buffer.from('p').toString('base64'),
    };
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'bmc', namespace: 'default' },
      data,
    };
    await client.create<KubeObject>(SECRETS, secret as KubeObject, 'test');
    assert.match(
      (await drover('provider', 'check', 'bmcs')).out,
      /^✖ credentials {2}InsecureScheme of b1: the password of 10\.0\.0\.1 would go over HTTP in clear/m,
    );
  });
});

describe('drover host sudoers', () => {
  it('prints a file for the units and actions that are asked for', async () => {
    const { code, out } = await drover(
      'host',
      'sudoers',
      '--user',
      'ops',
      '--unit',
      'site-agent',
      '--only',
      'restartUnit',
    );
    assert.equal(code, 0);
    assert.match(out, /^ops ALL=\(root\) NOPASSWD: NOSETENV: \/bin\/sh -c /m);
    assert.match(out, /kubelet\|containerd\|site-agent/);
    assert.equal(out.match(/NOPASSWD/g)?.length, 1);
    const wrong = await drover('host', 'sudoers', '--only', 'sh');
    assert.deepEqual([wrong.code, wrong.err.slice(0, 32)], [2, 'error: there is no action sh; th']);
  });
});
