import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HealingPolicy } from '../api/healing-policy.ts';
import { healingPolicyKind } from '../api/healing-policy.ts';
import { type Machine, machineKind } from '../api/machine.ts';
import { nodeView } from '../fleet/node-view.ts';
import { diagnose } from '../healing/diagnose.ts';
import { SECOND } from '../platform/clock/clock.ts';
import { VirtualClock } from '../platform/clock/virtual.ts';
import type { KubeObject } from '../platform/kube/objects.ts';
import { Beliefs } from './beliefs.ts';
import { compileRules } from './rules.ts';
import { symptomsOf } from './symptoms.ts';

const DEADLOCK = '"KernelDeadlock" in node.conditions && node.conditions["KernelDeadlock"] == "True"';

function policy(...rules: { name: string; when: string; for?: string; diagnosis?: string }[]): HealingPolicy {
  const spec = healingPolicyKind.spec.parse({ rules: rules.map((rule) => ({ diagnosis: 'Hung', ...rule })) });
  return { apiVersion: 'drover.dev/v1alpha1', kind: 'HealingPolicy', metadata: { name: 'site' }, spec };
}

function watched(...rules: Parameters<typeof policy>) {
  const clock = new VirtualClock();
  const beliefs = new Beliefs(clock, () => false);
  beliefs.setPolicies([policy(...rules)]);
  const spec = machineKind.spec.parse({ provider: { name: 'p', id: 'm1' }, model: 'ebmc6' });
  const machine: Machine = {
    apiVersion: 'drover.dev/v1alpha1',
    kind: 'Machine',
    metadata: { name: 'm1' },
    spec,
  };
  const node = (conditions: Record<string, string>) =>
    nodeView({
      metadata: { name: 'm1' },
      status: {
        conditions: Object.entries({ Ready: 'True', ...conditions }).map(([type, status]) => ({
          type,
          status,
        })),
        nodeInfo: { bootID: 'b1', kernelVersion: '5.10' },
      },
    } as unknown as KubeObject);
  beliefs.setMachine('m1', machine, node({}));
  beliefs.setProbe('m1', { ssh: 'Answers', kubelet: 'Answers' });
  const names = () => symptomsOf(beliefs.get('m1') ?? assert.fail(), clock.now()).map(({ name }) => name);
  const look = () => beliefs.setProbe('m1', { ssh: 'Answers', kubelet: 'Answers' });
  return { clock, beliefs, node, names, look };
}

describe('rules of a HealingPolicy', () => {
  test('a rule that has held for its time is a symptom, and its diagnosis the cause', async () => {
    const { clock, beliefs, node, names } = watched({ name: 'deadlock', when: DEADLOCK, for: '30s' });
    beliefs.setNode('m1', node({ KernelDeadlock: 'True' }));
    assert.deepEqual(names(), []);
    await clock.advance(30 * SECOND);
    assert.deepEqual(names(), ['deadlock']);
    const { cause, confidence, message, evidence } = diagnose(
      beliefs.get('m1') ?? assert.fail(),
      {},
      clock.now(),
    );
    assert.deepEqual([cause, confidence], ['Hung', 'Medium']);
    assert.match(message, /rule deadlock of HealingPolicy site holds/);
    assert.ok(evidence.includes('rule deadlock: holds for 30 s'), evidence.join());
  });

  test('time begins anew when it did not hold in between', async () => {
    const { clock, beliefs, node, names } = watched({ name: 'deadlock', when: DEADLOCK });
    beliefs.setNode('m1', node({ KernelDeadlock: 'True' }));
    await clock.advance(20 * SECOND);
    beliefs.setNode('m1', node({ KernelDeadlock: 'False' }));
    beliefs.setNode('m1', node({ KernelDeadlock: 'True' }));
    await clock.advance(20 * SECOND);
    assert.deepEqual(names(), []);
  });

  test('it may name patrol, lease, power, console and what the machine is', async () => {
    const when =
      'machine.model == "ebmc6" && patrol.ssh == "Answers" && lease == "Unknown" && power != "Off" && console == "None" && !node.cordoned && node.kernel.startsWith("5.")';
    const { clock, names, look } = watched({ name: 'all', when, for: '1s' });
    look();
    await clock.advance(SECOND);
    assert.deepEqual(names(), ['all']);
  });

  test('a key that the machine does not have makes the rule false, not the machine sick', async () => {
    const { clock, names, look } = watched({ name: 'x', when: 'machine.labels["group"] == "db"', for: '1s' });
    look();
    await clock.advance(5 * SECOND);
    assert.deepEqual(names(), []);
  });

  test('Drover’s own witnesses go before: a dead kubelet stays one', async () => {
    const { clock, beliefs } = watched({
      name: 'silent',
      when: 'patrol.kubelet != "Answers"',
      for: '1s',
      diagnosis: 'Crashed',
    });
    beliefs.setProbe('m1', { ssh: 'Answers', kubelet: 'Refused' });
    await clock.advance(10 * SECOND);
    beliefs.reconsider('m1');
    assert.equal(diagnose(beliefs.get('m1') ?? assert.fail(), {}, clock.now()).cause, 'KubeletDown');
  });

  test('an edit of one rule leaves the time of the others', async () => {
    const { clock, beliefs, node, names } = watched({ name: 'deadlock', when: DEADLOCK });
    beliefs.setNode('m1', node({ KernelDeadlock: 'True' }));
    await clock.advance(29 * SECOND);
    beliefs.setPolicies([policy({ name: 'deadlock', when: DEADLOCK }, { name: 'new', when: 'false' })]);
    await clock.advance(SECOND);
    assert.deepEqual(names(), ['deadlock']);
  });

  test('what is wrong with a rule names its field, and stops no other', () => {
    const { rules, wrong } = compileRules(
      policy(
        { name: 'typo', when: 'node.redy == "True"' },
        { name: 'half', when: 'node.ready ==' },
        { name: 'text', when: 'node.ready' },
        { name: 'good', when: 'node.ready == "False"' },
      ),
    );
    assert.deepEqual(
      rules.map(({ name }) => name),
      ['good'],
    );
    assert.match(wrong[0] ?? '', /^spec\.rules\[name=typo\]\.when: .*redy/);
    assert.match(wrong[1] ?? '', /^spec\.rules\[name=half\]\.when: /);
    assert.match(wrong[2] ?? '', /gives string, and a rule must give true or false/);
  });
});
