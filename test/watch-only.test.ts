// A machine that Drover may only look at, with real sockets: found, told of, and not touched.

import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { typeMetaOf } from '../src/api/crd.ts';
import { type Incident, incidentKind } from '../src/api/incident.ts';
import { type Machine, machineKind } from '../src/api/machine.ts';
import { type MachineProvider, machineProviderKind } from '../src/api/machine-provider.ts';
import { nodeOperationKind } from '../src/api/node-operation.ts';
import { Drover } from '../src/drover.ts';
import { install, NAMESPACE } from '../src/fleet/install.ts';
import { MINUTE, SECOND } from '../src/platform/clock/clock.ts';
import { systemClock } from '../src/platform/clock/system.ts';
import { noHistory } from '../src/platform/history/history.ts';
import { KubeClient } from '../src/platform/kube/client.ts';
import { type KubeObject, NODES, type Resource } from '../src/platform/kube/objects.ts';
import { noLog } from '../src/platform/telemetry/log.ts';
import { EmbeddedApi } from '../src/simulation/api/index.ts';
import { until } from './fleet/stage.ts';

/** Something that speaks when it is spoken to, or at once. */
async function listen(onSocket: (socket: Socket) => void): Promise<{ address: string; server: Server }> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address);
  return { address: `127.0.0.1:${address.port}`, server };
}

test('a dead kubelet is found by patrol, told of with what could be done, and a person is called', {
  timeout: 3 * MINUTE,
}, async () => {
  const sshd = await listen((socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n'));
  const kubelet = await listen((socket) => socket.on('data', () => socket.write('\x15\x03\x01')));
  const api = new EmbeddedApi({ clock: systemClock });
  const admin = new KubeClient(api.transport({ user: 'admin' }), systemClock);
  await install(admin, { defaults: true });
  const create = (resource: Resource, object: unknown) =>
    admin.create<KubeObject>(resource, object as KubeObject, 'test');
  await create(machineProviderKind.resource, {
    ...typeMetaOf(machineProviderKind),
    metadata: { name: 'rack-7' },
    spec: { watchOnly: {} },
  });
  const addresses = { ssh: sshd.address, kubelet: kubelet.address };
  await create(machineKind.resource, {
    ...typeMetaOf(machineKind),
    metadata: { name: 'm1' },
    spec: { provider: { name: 'rack-7', id: 'serial-1' }, addresses },
  });
  const conditions = [{ type: 'Ready', status: 'True' }];
  const status = { conditions, nodeInfo: { bootID: 'b1' } };
  await create(NODES, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'm1' }, status });

  const drover = new Drover({
    clock: systemClock,
    transport: api.transport({ user: 'drover' }),
    identity: 'drover',
    namespace: NAMESPACE,
    history: noHistory,
    log: noLog,
    connect: () => assert.fail('there is one cluster'),
  });
  const stop = new AbortController();
  const running = drover.run(stop.signal);
  try {
    await until('it is well by real sockets', 30 * SECOND, async () => {
      const machine = await admin.get<KubeObject & Machine>(machineKind.resource, 'm1');
      const seen = machine?.status?.evidence?.join() ?? '';
      return /ssh: Answers.*kubelet port: Answers/.test(seen) || undefined;
    });
    await until('its provider says what it is', 60 * SECOND, async () => {
      const provider = await admin.get<KubeObject & MachineProvider>(machineProviderKind.resource, 'rack-7');
      return (provider?.status?.type === 'watchOnly' && provider.status.machines === 1) || undefined;
    });
    kubelet.server.close();
    const incident = await until('the person is called', 2 * MINUTE, async () => {
      const [found] = (await admin.list<KubeObject & Incident>(incidentKind.resource)).items;
      return found?.status?.escalatedAt ? found : undefined;
    });
    assert.equal(incident.status?.diagnosis?.cause, 'KubeletDown');
    const { items } = await admin.list<KubeObject>(nodeOperationKind.resource);
    assert.ok(items.length > 0);
    assert.match(JSON.stringify(items), /its MachineProvider is watchOnly/);
  } finally {
    stop.abort(new Error('over'));
    await running;
    api.close();
    for (const { server } of [sshd, kubelet]) server.close();
  }
});
