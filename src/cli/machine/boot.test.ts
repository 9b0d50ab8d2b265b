// What a machine starts from, as people type it, against a BMC of our own.
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
import { MadeUpBoard, serveRedfish } from '../../simulation/redfish/index.ts';
import { run } from '../test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'drover-cli-'));
const kubeconfig = join(folder, 'kubeconfig');
const api = new EmbeddedApi({ clock: systemClock });
const client = new KubeClient(api.transport({ user: 'admin' }), systemClock);
const served = await api.serve();
const board = new MadeUpBoard(systemClock, {});
const users = [{ name: 'root', password: 'secret', role: 'Operator' as const }];
const bmc = await serveRedfish({ boards: [board], vendor: 'Lenovo', users });
const boot = (...args: string[]) => run(['--kubeconfig', kubeconfig, 'machine', 'boot', ...args]);
const changes = () => bmc.requests.filter(({ method }) => method === 'PATCH').map(({ body }) => body);

before(async () => {
  writeFileSync(kubeconfig, served.kubeconfig);
  assert.equal((await run(['--kubeconfig', kubeconfig, 'install'])).code, 0);
  const create = (object: unknown, resource: typeof SECRETS) =>
    client.create<KubeObject>(resource, object as KubeObject, 'test');
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const data = { username: base64('root'), password: base64('secret') };
  await create(
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'bmc', namespace: 'default' }, data },
    SECRETS,
  );
  const redfish = { secretRef: { namespace: 'default', name: 'bmc' }, scheme: 'HTTP' };
  const provider = (name: string, spec: unknown) =>
    create({ ...typeMetaOf(machineProviderKind), metadata: { name }, spec }, machineProviderKind.resource);
  await provider('room', { redfish });
  await provider('looked-at', { watchOnly: {} });
  const machine = (name: string, id: string, of: string, desired = {}) => {
    const spec = { provider: { name: of, id }, location: { zone: 'z1' }, desired };
    return create({ ...typeMetaOf(machineKind), metadata: { name }, spec }, machineKind.resource);
  };
  const { host } = new URL(bmc.url);
  await machine('m1', host, 'room');
  await machine('m2', host, 'room', { locked: { by: 'mei', why: 'looking at its DIMMs' } });
  await machine('m3', 'x', 'looked-at');
});
after(async () => {
  api.close();
  await served.close();
  await bmc.close();
  rmSync(folder, { recursive: true });
});

describe('drover machine boot', () => {
  it('says what it would set, and sets it with --apply; the machine runs on', async () => {
    const preview = await boot('m1', '--once', 'pxe');
    assert.deepEqual(
      [preview.code, preview.out],
      [0, 'machine/m1 would start from Pxe, once, at its next boot (power On): --apply sets it.\n'],
    );
    assert.deepEqual(changes(), []);
    const applied = await boot('m1', '--once', 'PXE', '--mode', 'uefi', '--apply');
    assert.deepEqual(
      [applied.code, applied.out],
      [0, 'machine/m1 starts from Pxe (UEFI), once, at its next boot\n'],
    );
    const Boot = {
      BootSourceOverrideEnabled: 'Once',
      BootSourceOverrideTarget: 'Pxe',
      BootSourceOverrideMode: 'UEFI',
    };
    assert.deepEqual(changes(), [{ Boot }]);
    assert.equal(
      (await boot('m1', '--once', 'none', '--apply')).out,
      'machine/m1 starts as it is set, at its next boot\n',
    );
    assert.deepEqual([board.orders, bmc.sessionsOpen], [[], 0]);
  });

  it('says who has locked the machine', async () => {
    assert.match(
      (await boot('m2', '--once', 'pxe')).out,
      /^machine\/m2 is locked by mei: looking at its DIMMs\n/,
    );
  });

  it('refuses what there is not, by name', async () => {
    const wrong = await boot('m1', '--once', 'floppy');
    assert.deepEqual([wrong.code, /"floppy": write one of none, pxe/.test(wrong.err)], [2, true]);
    const diags = await boot('m1', '--once', 'diags', '--apply');
    assert.match(diags.err, /takes no Diags as BootSourceOverrideTarget: it takes None, Pxe/);
    const watched = await boot('m3', '--once', 'pxe', '--apply');
    assert.deepEqual(
      [watched.code, watched.err],
      [1, 'error: the provider of machine/m3 cannot choose what it starts from\n'],
    );
  });
});
