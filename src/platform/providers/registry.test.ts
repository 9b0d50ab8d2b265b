// Which way onto hosts a MachineProvider's spec opens: told by how each fails with nothing behind it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { machineProviderKind } from '../../api/machine-provider.ts';
import { make } from '../../test-builders.ts';
import { VirtualClock } from '../clock/virtual.ts';
import type { ActionRecord } from '../hosts/actions/run.ts';
import { HostError } from '../hosts/host.ts';
import { Outsides } from './registry.ts';

const secretRef = { namespace: 'drover', name: 'x' };

async function failureOf(spec: object): Promise<{ said: string; records: ActionRecord[] }> {
  const asked: string[] = [];
  const records: ActionRecord[] = [];
  const outsides = new Outsides({
    clock: new VirtualClock(),
    secrets: async ({ name }) => {
      throw new Error(`no Secret ${name}`);
    },
    client: (cluster) => {
      asked.push(cluster);
      return undefined;
    },
    onRecord: (record) => records.push(record),
  });
  const { hosts } = outsides.get(make(machineProviderKind, 'p', spec as never));
  const host = { id: 'i-1', ssh: '192.0.2.1:22', node: { cluster: 'east', name: 'n1' } };
  const error = await hosts.run(host, 'load', {}).then(
    () => assert.fail('it did not fail'),
    (thrown: unknown) => thrown,
  );
  await outsides.close();
  assert.ok(error instanceof HostError, String(error));
  return { said: `${error.failure}: ${error.message}`, records };
}

describe('spec.hosts', () => {
  const ecs = { regionId: 'cn-beijing', credentials: { secretRef } };

  it('opens a Job on the cluster of the machine', async () => {
    const job = { namespace: 'hosts', image: 'busybox' };
    const { said, records } = await failureOf({ redfish: { secretRef }, hosts: { job } });
    assert.match(said, /^Unreachable: .*no open way to cluster east/);
    assert.deepEqual(
      records.map(({ action, outcome }) => `${action} ${outcome}`),
      ['load Unreachable'],
    );
  });

  it('opens the agent with the credentials of its provider', async () => {
    const { said } = await failureOf({ ecs, hosts: { agent: {} } });
    assert.match(said, /^BadCredentials: .*no Secret x/);
  });

  it('opens SSH with a Secret of its own', async () => {
    const ssh = { secretRef: { ...secretRef, name: 'keys' } };
    const { said } = await failureOf({ ecs, hosts: { ssh } });
    assert.match(said, /^BadCredentials: .*no Secret keys/);
  });
});
