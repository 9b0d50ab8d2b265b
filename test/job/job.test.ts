// Jobs on a real control plane: what is made, what becomes of it, and each way in which it fails.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { scaledClock } from '../../src/platform/clock/scaled.ts';
import { systemClock } from '../../src/platform/clock/system.ts';
import { hostsOver } from '../../src/platform/hosts/actions/run.ts';
import type { Order, Shell } from '../../src/platform/hosts/actions/shell.ts';
import { type ActionName, actionOf, actionsOf } from '../../src/platform/hosts/actions/table.ts';
import { HostError, type HostFailure, type HostRef } from '../../src/platform/hosts/host.ts';
import { JOBS, jobOf } from '../../src/platform/hosts/job/manifest.ts';
import { KubeClient } from '../../src/platform/kube/client.ts';
import { NODES, PODS, pathOf } from '../../src/platform/kube/objects.ts';
import { type Transport, TransportError } from '../../src/platform/kube/transport.ts';
import { BASES, nastyStrings } from '../sshd/nasty.ts';
import { type Kubelet, START_TIMEOUT_MS, startKubelet } from './kubelet.ts';
import { type JobStage, jobStage, SETTINGS } from './stage.ts';

const ORDER: Order = { script: ':', args: [], root: true, timeout_ms: 20_000, output_bytes_max: 200_000 };
/** Minutes in which nothing happens are seconds. */
const QUICK = scaledClock(systemClock, 20, systemClock.random, systemClock.id);

let stage: JobStage;
let kubelet: Kubelet;
before(
  async () => {
    stage = await jobStage(['drover', 'nobody']);
    kubelet = await startKubelet({ node: 'n1', transport: stage.plane.transport() });
  },
  { timeout: START_TIMEOUT_MS },
);
after(async () => {
  await kubelet?.[Symbol.asyncDispose]();
  await stage?.[Symbol.asyncDispose]();
});

const on = (name: string, cluster = 'home'): HostRef => ({
  id: `i-${name}`,
  ssh: '192.0.2.1:22',
  node: { cluster, name },
});
const exec = (shell: Shell, order: Partial<Order>, node = 'n1') =>
  shell.exec(on(node), { ...ORDER, ...order });
const fails = (run: Promise<unknown>, failure: HostFailure, says: RegExp) =>
  assert.rejects(run, (error) => {
    assert.ok(error instanceof HostError, String(error));
    assert.equal(error.failure, failure, error.message);
    assert.match(error.message, says);
    return true;
  });
const jobs = async (namespace = SETTINGS.namespace) =>
  (await stage.client.list(JOBS, { namespace })).items.map(({ metadata }) => metadata.name);

async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = systemClock.now() + 20_000;
  while (!(await holds())) {
    if (systemClock.now() > deadline) throw new Error(`not within 20 s: ${what}`);
    await systemClock.sleep(50);
  }
}

describe('the Job of an action', () => {
  it('is valid to the API server, every field of it, for every action', async () => {
    const actions = actionsOf();
    for (const name of Object.keys(actions) as ActionName[]) {
      const action = actionOf(actions, name);
      const args = action.args(action.params.parse(BASES[name]));
      const packing = { name: `drover-${name.toLowerCase()}`, folder: '/run/drover', first_bytes_max: 1000 };
      const settings = { ...SETTINGS, imagePullSecrets: ['registry'] };
      const run = { settings, node: 'n1', id: 'i-1', order: { ...action, args }, packing };
      await stage.client.request({
        method: 'POST',
        path: pathOf(JOBS, SETTINGS.namespace),
        query: { dryRun: 'All', fieldValidation: 'Strict' },
        body: jobOf(run),
      });
    }
  });

  it('runs on its node, tainted and cordoned as that may be, and is gone after', async () => {
    const spec = { unschedulable: true, taints: [{ key: 'broken', effect: 'NoExecute' }] };
    await stage.client.mergePatch(NODES, 'n1', { spec }, { fieldManager: 'test' });
    const { stdout } = await exec(stage.shell(), { script: 'echo "here: $1"', args: ['x'] });
    assert.equal(stdout.toString(), 'here: x\n');
    await stage.client.mergePatch(
      NODES,
      'n1',
      { spec: { unschedulable: null, taints: null } },
      { fieldManager: 'test' },
    );
    assert.deepEqual(await jobs(), []);
    const { namespace } = SETTINGS;
    await eventually('its Pod is gone', async () => {
      const { items } = await stage.client.list(PODS, { namespace });
      return items.length === 0;
    });
    const pod = kubelet.pods.at(-1)?.spec as Record<string, unknown>;
    assert.deepEqual(
      [pod.nodeName, pod.hostPID, pod.hostNetwork, pod.automountServiceAccountToken, pod.priorityClassName],
      ['n1', true, true, false, 'system-node-critical'],
    );
    assert.deepEqual(pod.volumes, [{ name: 'host', hostPath: { path: '/', type: 'Directory' } }]);
  });

  it('brings a megabyte whole, through the log', async () => {
    const script = 'head -c 1000000 /dev/urandom >"$1"; cat "$1"; sha256sum <"$1" >&2';
    const args = [join(stage.folder, 'random')];
    const { stdout, stderr } = await exec(stage.shell(), { script, args, output_bytes_max: 1_000_000 });
    assert.equal(stderr.toString().slice(0, 64), createHash('sha256').update(stdout).digest('hex'));
  });

  it('is made once where the answer to its creation was lost', async () => {
    const real = stage.plane.transport();
    let lost = 0;
    const losing: Transport = {
      send: async (request) => {
        const answer = await real.send(request);
        if (request.method === 'POST' && lost++ === 0) throw new TransportError('cut', { sent: true });
        return answer;
      },
      stream: (request) => real.stream(request),
      close: () => real.close(),
    };
    const ran = kubelet.pods.length;
    const { stdout } = await exec(stage.shellBy(new KubeClient(losing, systemClock)), {
      script: 'echo once',
    });
    assert.equal(stdout.toString(), 'once\n');
    assert.equal(kubelet.pods.length, ran + 1);
    assert.equal(lost, 2);
    losing.close();
  });

  it('reads no argument as a command or a variable', async () => {
    const canary = join(stage.folder, 'canary');
    const fit = [...nastyStrings(canary), '$(HOSTNAME)', '$$(id)', '$$', '$$$$', '$(id)'].filter(
      (text) => text.length < 5000 && !/[\n\0]/.test(text),
    );
    const { stdout } = await exec(stage.shell(), { script: `printf '%s\\0' "$@"`, args: fit });
    assert.equal(stdout.toString(), fit.map((text) => `${Buffer.from(text).toString()}\0`).join(''));
    assert.equal(existsSync(canary), false);
  });

  it('answers before it lets the machine go, and what it left in the background still happens', async () => {
    const args = [join(stage.folder, 'went-down')];
    // As an action that forces a dump does it.
    const script = `echo bye; ( sleep 1; touch "$1" ) </dev/null >/dev/null 2>&1 &`;
    await using _ = await startKubelet({ node: 'n2', transport: stage.plane.transport(), gracefully: true });
    const { stdout, duration_ms } = await exec(stage.shell(), { script, args }, 'n2');
    assert.deepEqual(
      [stdout.toString(), existsSync(args[0] as string)],
      ['bye\n', false],
      `${duration_ms} ms`,
    );
    await eventually('it happened', async () => existsSync(args[0] as string));
  });

  it('is read at its end where the log of what runs cannot be had', async () => {
    const transport = stage.plane.transport();
    await using _ = await startKubelet({ node: 'n3', transport, logsAtEnd: true });
    const { stdout, exitCode } = await exec(stage.shell(), { script: 'echo late; exit 7' }, 'n3');
    assert.deepEqual([stdout.toString(), exitCode], ['late\n', 7]);
  });

  it('serves named actions', async () => {
    const hosts = hostsOver(stage.shell(), { clock: systemClock, onRecord: () => {} });
    const { systems } = await hosts.run(on('n1'), 'fileSystems', {}).then((all) => ({ systems: all }));
    assert.ok(JSON.stringify(systems).includes('"/"'));
  });

  it('needs no more rights than docs/providers/job.md gives', async () => {
    await fails(exec(stage.shell({}, 'nobody'), {}), 'NotAllowed', /nodes "n1" is forbidden/);
    const page = readFileSync(join(import.meta.dirname, '../../docs/providers/job.md'), 'utf8');
    const rights = page.split('\n\n').filter((part) => /^ {4}apiVersion: rbac/.test(part));
    assert.equal(rights.length, 2);
    // Drover reads Nodes everywhere.
    const nodes = [
      'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: { name: nodes }\nrules: [{ apiGroups: [""], resources: [nodes], verbs: [get] }]',
      'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: { name: nodes }\nroleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: nodes }\nsubjects: [{ kind: User, name: drover }]',
    ];
    const file = join(stage.folder, 'rights.yaml');
    writeFileSync(file, [...rights, ...nodes].join('\n---\n'));
    await stage.plane.kubectl('apply', '-f', file);
    await eventually('the rights are known', async () => {
      const said = await stage.plane
        .kubectl('auth', 'can-i', 'create', 'jobs', '-n', SETTINGS.namespace, '--as', 'drover')
        .catch(() => 'no');
      return said.startsWith('yes');
    });
    const { stdout } = await exec(stage.shell({}, 'drover'), { script: 'echo mine' });
    assert.equal(stdout.toString(), 'mine\n');
    assert.deepEqual(await jobs(), []);
  });
});

describe('a Job that comes to nothing', () => {
  it('is NotAllowed in a namespace that refuses privileged Pods, with the label that it needs', async () => {
    await stage.makeNamespace('strict', 'baseline');
    const run = exec(stage.shell({ namespace: 'strict' }), {});
    await fails(run, 'NotAllowed', /label it pod-security\.kubernetes\.io\/enforce=privileged .*baseline/);
    assert.deepEqual(await jobs('strict'), []);
  });

  it('is NotAllowed or Refused with the words of who refused it', async () => {
    await fails(exec(stage.shell({ namespace: 'none' }), {}), 'Refused', /namespaces "none" not found/);
    const unknown = exec(stage.shell({ priorityClassName: 'unheard-of' }), {});
    await fails(unknown, 'NotAllowed', /unheard-of/);
  });

  it('is not made where there is no Node, or one that is not ready', async () => {
    await fails(exec(stage.shell(), {}, 'n9'), 'Unreachable', /no such Node/);
    await kubelet.setReady('False');
    await fails(exec(stage.shell(), {}), 'Unreachable', /not ready \(container runtime is down\)/);
    await kubelet.setReady('True');
    assert.deepEqual(await jobs(), []);
    await fails(
      stage.shell().exec(on('n1', 'elsewhere'), ORDER),
      'Unreachable',
      /no open way to cluster elsewhere/,
    );
    await fails(stage.shell().exec({ id: 'i-1', ssh: '' }, ORDER), 'Refused', /no Node/);
  });

  it('is Failed with the runtime’s words where the image cannot be had', async () => {
    const words = { reason: 'ImagePullBackOff', message: 'Back-off pulling image "busybox:1.37": not found' };
    const transport = stage.plane.transport();
    await using _ = await startKubelet({ node: 'no-image', transport, waits: () => words });
    await fails(exec(stage.shell(), {}, 'no-image'), 'Failed', /ImagePullBackOff: Back-off pulling image/);
    assert.deepEqual(await jobs(), []);
  });

  it('is Silent where the kubelet never begins it', async () => {
    await using _ = await startKubelet({ node: 'deaf', transport: stage.plane.transport(), isDeaf: true });
    const shell = stage.shellBy(stage.client, QUICK);
    await fails(
      exec(shell, {}, 'deaf'),
      'Silent',
      /did not begin within 60000 ms: its kubelet has not begun it/,
    );
  });

  it('is Unreachable where nothing can be scheduled', async () => {
    await using full = await startKubelet({ node: 'full', transport: stage.plane.transport(), pods: '0' });
    const shell = stage.shellBy(stage.client, QUICK);
    await fails(exec(shell, {}, 'full'), 'Unreachable', /Unschedulable: .*Too many pods/);
    assert.deepEqual(full.pods, []);
  });

  it('is Cut when somebody deletes it on the way', async () => {
    const run = exec(stage.shell(), { script: 'sleep 20' });
    const cut = fails(run, 'Cut', /deleted its Job|Pod/);
    await eventually('it is there', async () => (await jobs()).length > 0);
    for (const name of await jobs()) await stage.client.delete(JOBS, name, { namespace: SETTINGS.namespace });
    await cut;
  });

  it('is Failed where the host has no place for its output', async () => {
    await fails(exec(stage.shellIn('/proc/no-such-folder'), {}), 'Failed', /could not begin it: mkdir/);
  });

  it('is TimedOut at its limit, and its processes end with it', async () => {
    const args = [join(stage.folder, 'late')];
    const run = exec(stage.shell(), { script: 'sleep 4; touch "$1"', args, timeout_ms: 500 });
    await fails(run, 'TimedOut', /did not end within 500 ms/);
    assert.deepEqual(await jobs(), []);
    await systemClock.sleep(1500);
    assert.equal(existsSync(args[0] as string), false);
  });

  it('is refused with more than a Job can hold', async () => {
    await fails(exec(stage.shell(), { args: ['a'.repeat(70_000)] }), 'Refused', /65536 at most/);
    assert.deepEqual(await jobs(), []);
  });
});
