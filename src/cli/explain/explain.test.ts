import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { disruptionBudgetKind } from '../../api/disruption-budget.ts';
import { healingPolicyKind } from '../../api/healing-policy.ts';
import { incidentKind } from '../../api/incident.ts';
import type { Kind, ObjectOf } from '../../api/kind.ts';
import { machineKind } from '../../api/machine.ts';
import { nodeOperationKind } from '../../api/node-operation.ts';
import { parseAs } from '../../api/parse.ts';
import { CORDONED_BY } from '../../fleet/node-view.ts';
import { MINUTE } from '../../platform/clock/clock.ts';
import { VirtualClock } from '../../platform/clock/virtual.ts';
import type { KubeObject, Node } from '../../platform/kube/objects.ts';
import { strike } from '../../simulation/fleet/faults.ts';
import { World } from '../../simulation/world.ts';
import { printTree, type Tree } from '../tree.ts';
import { explain } from './explain.ts';
import { type Facts, readFacts } from './facts.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 10, 0);
const at = (seconds: number) => new Date(NOW + seconds * 1000).toISOString();

/** An object as the API server would hand it out, with all defaults. */
function make<K extends Kind>(
  kind: K,
  name: string,
  spec: unknown,
  status: unknown = {},
  metadata: Partial<KubeObject['metadata']> = {},
): ObjectOf<K> {
  const object = {
    apiVersion: 'drover.dev/v1alpha1',
    kind: kind.resource.kind,
    metadata: { name, ...metadata },
    spec,
    status,
  };
  const parsed = parseAs(kind, object as KubeObject);
  if (!parsed.ok) throw new Error(parsed.message);
  assert.deepEqual(
    Object.keys(parsed.value.status ?? {}).sort(),
    Object.keys(status as object).sort(),
    'the status was not understood',
  );
  return parsed.value;
}

const machine = (
  desired: unknown = {},
  status: unknown = { state: 'Ready', evidence: ['node: Ready=True since 2026-01-02 01:00:00'] },
) =>
  make(
    machineKind,
    'm7',
    { provider: { name: 'ecs', id: 'i-7' }, location: { zone: 'z1', rack: 'r3' }, desired },
    status,
  );

const node = (
  ready: 'True' | 'Unknown',
  metadata: Partial<Node['metadata']> = {},
  unschedulable = false,
): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'm7', ...metadata },
  spec: { unschedulable },
  status: {
    conditions: [
      {
        type: 'Ready',
        status: ready,
        reason: ready === 'True' ? 'KubeletReady' : 'NodeStatusUnknown',
        lastTransitionTime: at(-20),
      },
    ],
  },
});

const facts = (more: Partial<Facts> = {}): Facts => ({
  machine: machine(),
  node: node('True'),
  incident: undefined,
  operations: [],
  policies: [make(healingPolicyKind, 'default', {})],
  budgets: [
    make(disruptionBudgetKind, 'default', {}, { selected: 100, schedulable: 99, disrupted: 0, inFlight: 0 }),
  ],
  leader: { holder: 'a', renewedAt: NOW - 1000 },
  ...more,
});

const diagnosis = (cause: string, seconds: number) => ({
  cause,
  confidence: 'High',
  message: 'the console shows a kernel panic',
  evidence: ['ssh: Timeout for 8 s'],
  at: at(seconds),
});
const incident = (status: Record<string, unknown>) =>
  make(
    incidentKind,
    'm7-x',
    { machine: 'm7', node: 'm7' },
    { firstSymptomAt: at(-60), detectedAt: at(-52), locatedAt: at(-30), ...status },
    { creationTimestamp: at(-52) },
  );

const text = (given: Facts) => printTree(explain(given, NOW), { colour: false });

describe('drover explain', () => {
  it('says in one line that a machine is well', () => {
    const said = text(facts());
    assert.match(said, /^machine\/m7 {2}well\n/);
    assert.match(said, /incident +none$/m);
    assert.match(said, /policy +HealingPolicy default, rebooted 0 of at most 3 times within a day/);
    assert.match(
      said,
      /default +0 of at most 2 disrupted, .* 99 of 100 nodes take Pods \(99\.0 %, at least 98%\)/,
    );
    assert.doesNotMatch(said, /waits for|drover +does not run/);
  });

  it('shows a crash whose reboot the brake holds: clock, evidence, rung, numbers, and how to lift it', () => {
    const braked = {
      reason: 'Braked',
      message: '9 of 100 machines of cluster home are in trouble together, more than 5: reboots are held',
      evidence: { troubled: '9', allowed: '5' },
    };
    const operation = make(
      nodeOperationKind,
      'm7-x-1',
      { machine: 'm7', node: 'm7', type: 'Reboot', reason: { kind: 'Incident', name: 'm7-x' } },
      { state: 'Waiting', waiting: braked },
      { creationTimestamp: at(-10) },
    );
    const status = {
      stage: 'Healing',
      diagnosis: diagnosis('Crashed', -30),
      symptoms: [
        { name: 'SshSilent', source: 'Patrol', message: 'port 22 does not answer at all', since: at(-60) },
      ],
      attempts: [{ remedy: 'Reboot', operation: 'm7-x-1', at: at(-10), outcome: 'Running', message: '' }],
    };
    const said = text(facts({ node: node('Unknown'), incident: incident(status), operations: [operation] }));
    assert.match(said, /^machine\/m7 {2}Crashed, Healing, waits: Braked\n/);
    assert.match(said, /node +m7 Ready=Unknown \(NodeStatusUnknown\), since 03:09:40Z, 20s ago/);
    assert.match(said, /clock +first symptom 03:09:00Z, detected \+8s, located \+30s, not healed after 60s/);
    assert.match(said, /symptom +SshSilent \(Patrol 03:09:00Z\): port 22/);
    assert.match(said, /cause +Crashed, confidence High/);
    assert.match(said, /→ 1 {2}Reboot: under way/);
    assert.match(said, / {2}3 {2}Escalate/);
    assert.match(said, /operation +Reboot m7-x-1, for Incident m7-x: not begun/);
    assert.match(said, /waits for +Braked: 9 of 100/);
    assert.match(said, /numbers +troubled=9 allowed=5/);
    assert.match(said, /to lift .*kubectl edit healingpolicy default \(spec\.brake\)/);
    assert.match(said, /kubectl patch nodeoperation m7-x-1 --type=merge -p '\{"spec":\{"force":/);
  });

  it('says who locked it and the command that unlocks it', () => {
    const said = text(
      facts({
        machine: machine(
          { locked: { by: 'lin', why: 'disk swap', until: at(3600) } },
          { state: 'Locked', evidence: ['ssh: Answers since 2026-01-02 01:00:00'] },
        ),
      }),
    );
    assert.match(said, /^machine\/m7 {2}locked\n/);
    assert.match(said, /waits for +Locked: Machine m7 is locked by lin: disk swap/);
    assert.match(said, /lasts +until 04:10:00Z, in 60m/);
    assert.match(
      said,
      /lin decides; unlock: kubectl patch machine m7 --type=merge -p '\{"spec":\{"desired":\{"locked":null\}\}\}'/,
    );
    assert.doesNotMatch(
      text(facts({ machine: machine({ locked: { by: 'lin', why: 'old', until: at(-1) } }) })),
      /waits for/,
    );
  });

  it('calls for a person when the ladder has ended, and says what was tried', () => {
    const tried = [
      {
        remedy: 'Reboot',
        at: at(-900),
        endedAt: at(-600),
        outcome: 'Failed',
        message: 'the boot id has not changed in time',
      },
      {
        remedy: 'PowerCycle',
        at: at(-590),
        endedAt: at(-90),
        outcome: 'Failed',
        message: 'the boot id has not changed in time',
      },
    ];
    const waiting = {
      reason: 'LadderEnded',
      message: 'Crashed: tried Reboot, PowerCycle, and it is not well; a person has to look',
    };
    const status = {
      stage: 'Escalated',
      firstSymptomAt: at(-1000),
      escalatedAt: at(-80),
      diagnosis: diagnosis('Crashed', -930),
      attempts: tried,
      waiting,
    };
    const tree = explain(facts({ incident: incident(status) }), NOW);
    const said = printTree(tree, { colour: false });
    assert.equal(tree.tone, 'bad');
    assert.match(said, /^machine\/m7 {2}Crashed: a person has to look\n/);
    assert.match(said, /not healed after 16m \(late\), escalated \+15m/);
    assert.match(said, /tried +Reboot at 02:55:00Z: Failed after 5m: the boot id/);
    assert.match(said, / {2}2 {2}PowerCycle: Failed/);
    assert.match(said, /→ 3 {2}Escalate: a person has been called at 03:08:40Z/);
    assert.match(said, /person +LadderEnded/);
  });

  it('leaves a machine that dumps alone, and says until when', () => {
    const waiting = { reason: 'DumpInProgress', message: 'it is writing its crash dump', until: at(840) };
    const said = text(
      facts({ incident: incident({ stage: 'Located', diagnosis: diagnosis('Dumping', -52), waiting }) }),
    );
    assert.match(said, /^machine\/m7 {2}Dumping, Located, waits: DumpInProgress\n/);
    assert.match(said, /→ 1 {2}PowerCycle: comes next, as soon as nothing holds it/);
    assert.match(said, /lasts +until 03:24:00Z, in 14m/);
    assert.doesNotMatch(said, /to lift/);
  });

  it('counts down to the next rung, and marks waits that were in vain', () => {
    const soon = text(
      facts({ incident: incident({ stage: 'Located', diagnosis: diagnosis('Crashed', -5) }) }),
    );
    assert.match(soon, /→ 1 {2}Reboot: not before 03:10:15Z, in 15s/);
    const late = text(
      facts({ incident: incident({ stage: 'Located', diagnosis: diagnosis('NetworkLost', -500) }) }),
    );
    assert.match(late, / {2}1 {2}Wait: waited in vain/);
    assert.match(late, /→ 2 {2}Escalate: comes next/);
  });

  it('tells whose cordon it is', () => {
    const ours = text(facts({ node: node('True', { annotations: { [CORDONED_BY]: 'm7-x-1' } }, true) }));
    assert.match(ours, /cordon +by Drover, for operation m7-x-1/);
    const managedFields = [
      { manager: 'kubectl-cordon', time: at(-300), fieldsV1: { 'f:spec': { 'f:unschedulable': {} } } },
    ];
    const theirs = text(facts({ node: node('True', { managedFields }, true) }));
    assert.match(
      theirs,
      /cordon +by kubectl-cordon at 03:05:00Z, 5m ago; Drover never undoes it: kubectl uncordon m7/,
    );
  });

  it('says first of all when no Drover looks after the machine', () => {
    const said = text(facts({ leader: { holder: 'a', renewedAt: NOW - 10 * MINUTE } }));
    assert.match(
      said,
      /^machine\/m7 {2}well, when Drover last looked\n├─ drover +does not run, last seen 10m ago as a; start 'drover run'/,
    );
    assert.match(text(facts({ leader: undefined })), /has never run on this cluster/);
  });

  it('names what is missing: policy, budget, node', () => {
    const said = text(facts({ policies: [], budgets: [], node: undefined }));
    assert.match(said, /no HealingPolicy selects this machine/);
    assert.match(said, /no DisruptionBudget selects this machine/);
    assert.match(said, /cluster home has no Node m7/);
  });

  it('shows stops and freezes of budgets', () => {
    const stopped = make(disruptionBudgetKind, 'a', { stop: { by: 'mei', why: 'power work' } });
    const frozen = make(disruptionBudgetKind, 'b', {
      freezes: [{ from: at(-60), to: at(3600), why: 'Double 11' }],
    });
    const other = make(disruptionBudgetKind, 'c', { selector: { matchLabels: { 'drover.dev/zone': 'z9' } } });
    const said = text(facts({ budgets: [stopped, frozen, other] }));
    assert.match(said, /a {2}stopped by mei: power work/);
    assert.match(said, /b {2}DisruptionBudget b forbids disruption until 04:10:00Z: Double 11/);
    assert.doesNotMatch(said, /─ c /);
  });

  it('explains a machine of a simulated fleet at each moment of a crash', async () => {
    const clock = new VirtualClock(7);
    const world = new World({ clock, machines: 12 });
    const opening = world.open();
    await clock.advance(1000);
    await opening;
    world.start();
    await clock.advance(2 * MINUTE);
    const look = async () => {
      const name = 'm00002';
      const object = await world.admin.get<KubeObject>(machineKind.resource, name);
      const parsed = object && parseAs(machineKind, object);
      assert.ok(parsed?.ok);
      return printTree(explain(await readFacts(world.admin, parsed.value), clock.now()), { colour: false });
    };
    assert.match(await look(), /^machine\/m00002 {2}well\n/);
    strike(world.fleet, 'crash', 'm00002');
    await clock.advance(20_000);
    const crashed = await look();
    assert.match(crashed, /^machine\/m00002 {2}Crashed, Located, waits: BeforeRemedy\n/);
    assert.match(crashed, /→ 1 {2}Reboot: not before/);
    await clock.advance(60_000);
    const booting = await look();
    assert.match(booting, /cordon +by Drover, for operation/);
    assert.match(booting, /proof +under way/);
    assert.match(booting, /rebooted 1 of at most 3 times/);
    await clock.advance(5 * MINUTE);
    assert.match(
      await look(),
      /^machine\/m00002 {2}well\n[\s\S]*none open; the last was m00002-\w+: Healed at/,
    );
    world.close();
  });
});

describe('the printed tree', () => {
  const tree: Tree = {
    label: 'a',
    text: 'x',
    tone: 'bad',
    children: [
      { label: 'b', text: 'one two three four five six', children: [{ label: 'c', text: 'y' }] },
      { label: 'long', text: 'z', tone: 'good' },
    ],
  };

  it('has no colour and no line breaks for programs', () => {
    assert.equal(
      printTree(tree, { colour: false }),
      'a  x\n├─ b     one two three four five six\n│  └─ c  y\n└─ long  z\n',
    );
  });

  it('wraps under the text and paints for people', () => {
    const painted = printTree(tree, { colour: true, columns: 30 });
    assert.match(painted, /├─ b {5}one two three four\n│ {2}│ {5}five six\n/);
    assert.ok(painted.includes('\u001b[32mz\u001b[0m'));
  });
});
