import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod } from '../../platform/kube/objects.ts';
import { formatQuantity } from '../../platform/kube/quantity.ts';
import { ownedNodes } from './nodes.ts';

const node = (name: string, more: Partial<Node> = {}, labels: Record<string, string> = {}): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { 'node.kubernetes.io/instance-type': 'ebmc6', ...labels } },
  status: {
    conditions: [{ type: 'Ready', status: 'True' }],
    allocatable: { cpu: '96', memory: '527Gi', pods: '110', 'drover.dev/cloud-disks': '20' },
  } as Node['status'] & object,
  ...more,
});

const pod = (nodeName: string, spec: Record<string, unknown>, phase = 'Running'): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'default' },
  spec: { nodeName, ...spec },
  status: { phase: phase as 'Running' },
});

const asks = (requests: Record<string, string>) => ({ resources: { requests } });
const NAMES = ['cpu', 'memory', 'pods', 'cloud-disks'];
const shown = (offers: ReturnType<typeof ownedNodes>) =>
  offers.map(({ name, room, max, zones }) => [
    name,
    Object.fromEntries([...room].map(([key, amount]) => [key, formatQuantity(amount)])),
    zones ?? max,
  ]);

test('what Pods leave free, by the rules of the scheduler; equal nodes together', () => {
  const busy = pod('b', {
    initContainers: [{ restartPolicy: 'Always', ...asks({ cpu: '1' }) }, asks({ cpu: '20' })],
    containers: [asks({ cpu: '8', memory: '27Gi', 'drover.dev/cloud-disks': '1' }), asks({ cpu: '500m' })],
    overhead: { cpu: '1' },
  });
  const done = pod('a', { containers: [asks({ cpu: '90' })] }, 'Succeeded');
  assert.deepEqual(shown(ownedNodes([node('a'), node('b'), node('c')], [busy, done], NAMES)), [
    ['ebmc6', { cpu: '96', memory: '527Gi', pods: '110', 'cloud-disks': '20' }, 2],
    ['ebmc6', { cpu: '74', memory: '500Gi', pods: '109', 'cloud-disks': '19' }, 1],
  ]);
});

test('nodes that take no Pods are left out; zones are kept apart', () => {
  const nodes = [
    node('cordoned', { spec: { unschedulable: true } }),
    node('tainted', { spec: { taints: [{ key: 'x', effect: 'NoSchedule' }] } }),
    node('down', {
      status: {
        conditions: [{ type: 'Ready', status: 'False' }],
        allocatable: { cpu: '96' },
      } as Node['status'] & object,
    }),
    node('a', {}, { 'topology.kubernetes.io/zone': 'z1' }),
    node('b', {}, { 'topology.kubernetes.io/zone': 'z2' }),
  ];
  assert.deepEqual(
    ownedNodes(nodes, [], ['cpu']).map(({ zones }) => zones),
    [[{ zone: 'z1', max: 1 }], [{ zone: 'z2', max: 1 }]],
  );
});

test('thousands of nodes that all differ become few kinds, none with more than it has', () => {
  const nodes = Array.from({ length: 3_000 }, (_, at) => node(`n${at}`));
  const pods = nodes.map(({ metadata }, at) =>
    pod(metadata.name, { containers: [asks({ cpu: `${at * 31}m`, memory: `${at}Mi` })] }),
  );
  const offers = ownedNodes(nodes, pods, ['cpu', 'memory']);
  assert.ok(offers.length <= 500);
  assert.equal(
    offers.reduce((sum, { max = 0 }) => sum + max, 0),
    3_000,
  );
  const free = nodes.reduce((sum, _, at) => sum + 96_000 - at * 31, 0);
  const offered = offers.reduce((sum, { room, max = 0 }) => sum + (Number(room.get('cpu')) / 1e6) * max, 0);
  assert.ok(offered <= free && offered > 0.9 * free);
});
