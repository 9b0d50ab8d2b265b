import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '../../platform/clock/system.ts';
import { KubeClient } from '../../platform/kube/client.ts';
import { type KubeObject, NODES } from '../../platform/kube/objects.ts';
import { EmbeddedApi } from '../../simulation/api/index.ts';
import { run, start } from '../test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'drover-plan-'));
after(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const pods = file(
  'pods.csv',
  'name,replicas,cpu,memory,network-interfaces\ntrade,60,16,60Gi,1\nweb,320,2,4Gi,1\n',
);
const types = file('types.csv', 'name,price,cpu,memory,network-interfaces\nebmc6,12.5,96,527Gi,32\n');
const plan = (...args: string[]) => run(['plan', '--pods', pods, '--types', types, ...args]);

test('the summary says machines, cost, proof, waste and its cause, and what limits are worth', async () => {
  const { code, out, err } = await plan();
  assert.deepEqual([code, err], [0, '']);
  assert.match(out, /^17 machines, cost 212.5: no plan costs less\.\n/);
  assert.match(out, /CLASS +COUNT +PRICE +COST\nebmc6 +17 +12.5 +212.5/);
  assert.match(out, /COUNT +CLASS +PODS ON ONE MACHINE\n/);
  assert.match(out, /of memory stands idle on ebmc6 because cpu runs out at 96/);
  assert.match(out, /CLASS +LIMIT +HAS +WITH +COST +SAVES +MACHINES +ONE MORE SAVES\nebmc6 +cpu +96 +192/);
  for (const line of out.split('\n')) assert.ok(line.length <= 100, line);
});

test('-o json is what docs/planning.md says, and the same each time', async () => {
  const [one, other] = [await plan('-o', 'json'), await plan('-o', 'json')];
  assert.equal(one.out, other.out);
  const made = JSON.parse(one.out);
  assert.deepEqual(Object.keys(made), [
    'machines',
    'cost',
    'bound',
    'gap',
    'unplaced',
    'waste',
    'limits',
    'changes',
    'reasons',
    'pods',
  ]);
  assert.deepEqual([made.cost, made.bound, made.gap, made.unplaced], [212.5, 212.5, 0, {}]);
  const held: Record<string, number> = {};
  for (const { patterns } of made.machines)
    for (const { count, pods: on } of patterns)
      for (const [name, each] of Object.entries(on))
        held[name] = (held[name] ?? 0) + count * (each as number);
  assert.deepEqual(held, { trade: 60, web: 320 });
});

test('other formats', async () => {
  assert.match(
    (await plan('-o', 'csv')).out,
    /^class,zone,profile,owned,count,spare,price,cost\nebmc6,,,false,17,0,12.5,212.5\n$/,
  );
  assert.match((await plan('-o', 'markdown')).out, /\| CLASS \| COUNT \| PRICE \| COST \|\n\| --- \|/);
  assert.match((await plan('-o', 'svg')).out, /^<svg xmlns[\s\S]*ebmc6 · 17 machines[\s\S]*<\/svg>\n$/);
  assert.match((await plan('-o', 'yaml')).out, /^machines:\n {2}- class: ebmc6\n/);
});

test('Pods without a place make the exit code 1, with the reason', async () => {
  const huge = file('huge.csv', 'name,replicas,cpu\nhuge,2,128\n');
  const { code, out } = await run(['plan', '--pods', huge, '--types', types]);
  assert.equal(code, 1);
  assert.match(out, /2 Pods have no place/);
  assert.match(
    out.replaceAll('\n', ' '),
    /huge fits on no class; the nearest lacks least: it needs 128 cpu, and ebmc6 has 96/,
  );
});

test('wrong input: file, line and column', async () => {
  const wrong = file('wrong.csv', 'name,replicas,cpu\nweb,1,many\n');
  const { code, err } = await run(['plan', '--pods', wrong, '--types', types]);
  assert.deepEqual(
    [code, err],
    [
      1,
      `error: ${wrong}, line 2, column "cpu": "many" is no quantity; write it like 16, 0.5, 500m or 60Gi\n`,
    ],
  );
  assert.equal((await run(['plan', '--types', types])).code, 2);
  assert.equal((await plan('--headroom', '95')).code, 2);
});

test('MachineClasses and WorkloadProfiles of the examples', async () => {
  const { code, out } = await run([
    'plan',
    '-f',
    'deploy/examples/machine-class.yaml',
    '-f',
    'deploy/examples/workload-profile.yaml',
  ]);
  assert.equal(code, 0);
  assert.match(out, /^1500 machines, cost 19800: no plan costs less/);
  // The outer size of a Pod, and what it is made of.
  assert.match(out, /\nPODS +REPLICAS +CPU +MEMORY .*SIZE OF A DISK\ntrade +9000 +16 +60Gi .* 60Gi\n/);
  assert.match(out, /\n {2}main +14 +54Gi\n {2}operations +1.5 +4Gi\n {2}helper +0.5 +2Gi\n/);
  // They are 6 on a machine at most, and have all of its CPUs; its part for offline Pods is no waste.
  assert.match(out, /\n30 % of memory stands idle on ebmc6 because cpu runs out at 96\n/);
  assert.doesNotMatch(out, /offline|no more Pods/);
});

test('Ctrl-C ends with the best plan so far', async () => {
  const many = file(
    'many.csv',
    `name,replicas,cpu,memory\n${Array.from({ length: 150 }, (_, at) => `p${at},${200 + at},${1 + ((at * 7) % 30)},${2 + ((at * 13) % 90)}Gi\n`).join('')}`,
  );
  const choices = file(
    'choices.csv',
    `name,price,cpu,memory\n${Array.from({ length: 30 }, (_, at) => `t${at},${100 + ((at * 37) % 53)},${64 + at},${(64 + at) * 4}Gi\n`).join('')}`,
  );
  const started = start(['plan', '--pods', many, '--types', choices, '--gap', '0']);
  const { code, out } = await started.stop();
  assert.equal(code, 0);
  assert.match(out.replaceAll('\n', ' '), /it was broken off: the best plan so far/);
});

test('two plans are compared', async () => {
  const a = file('a.json', (await plan('-o', 'json')).out);
  const wide = file('wide.csv', 'name,price,cpu,memory,network-interfaces\nebmc6,12.5,192,527Gi,64\n');
  const b = file('b.json', (await run(['plan', '--pods', pods, '--types', wide, '-o', 'json'])).out);
  const { code, out } = await run(['plan', 'compare', a, b]);
  assert.equal(code, 0);
  assert.match(out, /cost +212.5 +125 +-41.2 %/);
  assert.match(out, /machines of ebmc6 +17 +10/);
  const { err } = await run(['plan', 'compare', a, pods]);
  assert.match(err, /is no JSON; a plan is wanted as "drover plan -o json" writes it/);
});

test('machines of the cluster are filled first with what their Pods leave free', async () => {
  const api = new EmbeddedApi({ clock: systemClock });
  const client = new KubeClient(api.transport({ user: 'admin' }), systemClock);
  const served = await api.serve();
  try {
    const kubeconfig = file('kubeconfig', served.kubeconfig);
    for (const name of ['n1', 'n2'])
      await client.create(
        NODES,
        {
          apiVersion: 'v1',
          kind: 'Node',
          metadata: { name, labels: { 'node.kubernetes.io/instance-type': 'ebmc6' } },
          status: {
            conditions: [{ type: 'Ready', status: 'True' }],
            allocatable: { cpu: '96', memory: '527Gi', 'network-interfaces': '32' },
          },
        } as KubeObject,
        'test',
      );
    const { code, out } = await run([
      '--kubeconfig',
      kubeconfig,
      'plan',
      '--pods',
      pods,
      '--types',
      types,
      '--owned-nodes',
    ]);
    assert.equal(code, 0);
    assert.match(out, /^17 machines, 2 of them owned, cost 187.5: no plan costs less/);
  } finally {
    api.close();
    await served.close();
  }
});

test('a change is planned for by itself', async () => {
  const { code, out } = await plan(
    '--try',
    'web.cpu=1',
    '--try',
    'ebmc6.price=10',
    '--try',
    'trade.replicas=0',
  );
  assert.equal(code, 0);
  assert.match(
    out,
    /IF +COST +SAVES +MACHINES\nweb.cpu=1 +175 +17.6 % +17 to 14\nebmc6.price=10 +170 +20.0 % +17 to 17\ntrade.replicas=0 +125 +41.2 % +17 to 10/,
  );
  for (const [change, words] of [
    ['ebmc7.cpu=1', /there is no ebmc7; there are ebmc6, trade, web/],
    ['without ebmc6', /there is no other class/],
    ['web.cpu', /is no change; write CLASS.RESOURCE=AMOUNT/],
    ['web.cpu=-1', /is no change/],
    ['web.replicas=0.5', /a whole number is wanted/],
  ] as const) {
    const { code: wrong, err } = await plan('--try', change);
    assert.equal(wrong, 1);
    assert.match(err, words);
  }
});
