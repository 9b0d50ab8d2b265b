import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Machine } from '../api/machine.ts';
import { at, incident, machine, NOW, nodeView, operation, policy } from '../test-builders.ts';
import { hasOutlived } from './cordons.ts';
import { labelsOf, nodeNameOf } from './labels.ts';
import { machineStatus, type Seen } from './machine-status.ts';
import { policyFor } from './policies.ts';

const SEEN: Seen = {
  bootID: 'boot-1',
  kernelVersion: '6.6.1',
  ready: 'True',
  joined: true,
  unschedulable: false,
  cordonedBy: '',
  evidence: ['node: Ready=True since 2026-01-02 01:00:00'],
};
const CRASHED = incident({
  stage: 'Located',
  diagnosis: { cause: 'Crashed', confidence: 'High', message: 'a panic', evidence: [], at: at(0) },
});

describe('the status of a machine', () => {
  const status = (of: Machine, seconds: number, seen: Partial<Seen> = {}, open?: typeof CRASHED) =>
    machineStatus(of, { ...SEEN, ...seen }, open, undefined, [], NOW + seconds * 1000);
  /** The machine as it is after that status was written. */
  const after = (found: ReturnType<typeof status>) => machine({}, { status: found });
  const times = (found: ReturnType<typeof status>) =>
    Object.fromEntries(
      (found.conditions ?? []).map((one) => [one.type, [one.status, one.lastTransitionTime]]),
    );

  it('keeps the last five decisions, those of the replica that led before too', () => {
    const said = (seconds: number) => ({
      at: at(seconds),
      actor: 'healing',
      kind: 'Note' as const,
      reason: 'Detected',
      message: '',
      subject: 'm1-x',
    });
    const before = machine({}, { status: { decisions: [4, 3, 2, 1].map(said) } });
    const next = machineStatus(before, SEEN, undefined, undefined, [said(6), said(5), said(4)], NOW);
    assert.deepEqual(next.decisions, [6, 5, 4, 3, 2].map(said));
  });

  it('is the same at a second look, so that it is not written again', () => {
    const first = status(machine(), 0);
    assert.deepEqual(status(after(first), 3600), first);
  });

  it('keeps the time of each condition until that one changes', () => {
    const first = after(status(machine(), 0));
    const sick = status(first, 60, {}, CRASHED);
    assert.deepEqual(times(sick), {
      Accepted: ['True', at(0)],
      NodeJoined: ['True', at(0)],
      Healthy: ['False', at(60)],
    });
    const located = status(after(sick), 90, {}, incident({ stage: 'Detected' }));
    assert.deepEqual(times(located).Healthy, ['False', at(60)], 'another reason is no transition');
    const gone = status(after(located), 120, { joined: false, ready: 'Unknown' });
    assert.deepEqual(
      [times(gone).NodeJoined, times(gone).Healthy],
      [
        ['False', at(120)],
        ['True', at(120)],
      ],
    );
  });

  it('leaves conditions of others where they are', () => {
    const theirs = {
      type: 'Audited',
      status: 'True',
      reason: 'ByHand',
      message: '',
      lastTransitionTime: at(-60),
    } as const;
    const found = status(machine({}, { status: { conditions: [theirs] } }), 0);
    assert.deepEqual(found.conditions?.[0], theirs);
  });

  it('says since when we have seen the boot, and that a Node without one has not rebooted', () => {
    const first = status(machine(), 0);
    assert.equal(first.bootSeenAt, at(0));
    const blank = status(after(first), 60, { bootID: '', joined: false });
    assert.deepEqual([blank.bootID, blank.bootSeenAt], ['boot-1', at(0)]);
    const rebooted = status(after(blank), 120, { bootID: 'boot-2' });
    assert.deepEqual([rebooted.bootID, rebooted.bootSeenAt], ['boot-2', at(120)]);
  });

  it('says in a word what matters most', () => {
    const locked = machine({ desired: { locked: { by: 'ana', why: 'memory test', until: at(60) } } });
    const running = operation({}, { admittedAt: at(-5) });
    const state = (of: Machine, seen: Partial<Seen> = {}, more: [typeof CRASHED?, typeof running?] = []) =>
      machineStatus(of, { ...SEEN, ...seen }, ...(more as [typeof CRASHED, typeof running]), [], NOW).state;
    assert.equal(state(machine(), {}, [undefined, undefined]), 'Ready');
    assert.equal(state(machine(), { ready: 'Unknown' }, [undefined, undefined]), 'NotReady');
    assert.equal(state(machine(), { unschedulable: true }, [undefined, undefined]), 'Cordoned');
    assert.equal(state(machine(), { joined: false }, [undefined, undefined]), 'NoNode');
    assert.equal(state(locked, { joined: false }, [undefined, undefined]), 'Locked');
    assert.equal(state(locked, {}, [CRASHED, undefined]), 'Located');
    assert.equal(state(locked, {}, [CRASHED, running]), 'Reboot');
    assert.equal(state(locked, {}, [CRASHED, operation()]), 'Located', 'an operation that waits is no state');
  });

  it('says Locked no longer than the lock holds', () => {
    const locked = machine({ desired: { locked: { by: 'ana', why: 'memory test', until: at(60) } } });
    assert.deepEqual([status(locked, 59).state, status(locked, 60).state], ['Locked', 'Ready']);
  });
});

describe('the labels of a machine', () => {
  it('are its own, and where it stands and what it is', () => {
    const found = labelsOf(
      machine(
        { location: { zone: 'z1', rack: 'r1', powerFeed: 'A' }, model: 'g7' },
        { labels: { team: 'web' } },
      ),
    );
    assert.deepEqual(found, {
      team: 'web',
      'drover.dev/cluster': 'home',
      'drover.dev/zone': 'z1',
      'drover.dev/rack': 'r1',
      'drover.dev/powerFeed': 'A',
      'drover.dev/model': 'g7',
    });
  });

  it('say what the spec says, whatever somebody wrote by hand', () => {
    const found = labelsOf(machine({}, { labels: { 'drover.dev/zone': 'elsewhere' } }));
    assert.equal(found['drover.dev/zone'], 'z1');
  });

  it('go with the name of its Node, its own by default', () => {
    assert.deepEqual(
      [nodeNameOf(machine()), nodeNameOf(machine({ nodeName: 'ip-10-0-0-1' }))],
      ['m1', 'ip-10-0-0-1'],
    );
  });
});

describe('the policy of a machine', () => {
  const zone = (name: string) => ({ selector: { matchLabels: { 'drover.dev/zone': name } } });
  const chosen = (...policies: ReturnType<typeof policy>[]) => policyFor(machine(), policies)?.metadata.name;

  it('is one that selects it, or none', () => {
    assert.equal(chosen(), undefined);
    assert.equal(chosen(policy(zone('z2'), 'other')), undefined);
    assert.equal(chosen(policy(zone('z2'), 'other'), policy(zone('z1'), 'mine')), 'mine');
  });

  it('is the one of the highest priority, then the first by name, in whatever order they come', () => {
    const list = [
      policy({}, 'b'),
      policy({}, 'a'),
      policy({ priority: -1 }, '0'),
      policy({ priority: 5 }, 'z'),
    ];
    for (const order of [list, [...list].reverse()]) {
      assert.equal(chosen(...order), 'z');
      assert.equal(chosen(...order.filter(({ metadata }) => metadata.name !== 'z')), 'a');
    }
  });
});

describe('a cordon of ours', () => {
  const node = nodeView({ unschedulable: true, cordonedBy: 'm1-x-1' });
  const running = operation({}, { admittedAt: at(-60) });
  const ended = operation({}, { admittedAt: at(-60), endedAt: at(-1) });
  const open = incident({ stage: 'Healing' });
  const closed = incident({ stage: 'Healed', endedAt: at(-1) });

  it('stays while an operation is under way, its own or another', () => {
    assert.equal(hasOutlived(node, [running], [], true), false);
    assert.equal(hasOutlived(node, [ended, running], [closed], true), false);
  });

  it('stays after it while the machine is not well and its incident is open', () => {
    assert.equal(hasOutlived(node, [ended], [open], false), false);
  });

  it('goes when the machine is well, when no incident is open, and when its operation is gone', () => {
    assert.equal(hasOutlived(node, [ended], [open], true), true);
    assert.equal(hasOutlived(node, [ended], [closed], false), true);
    assert.equal(hasOutlived(node, [], [], false), true);
    assert.equal(hasOutlived(node, [operation()], [], false), true, 'one that waits has cordoned nothing');
  });

  it('is asked about, and no other', () => {
    assert.equal(hasOutlived(nodeView({ unschedulable: true }), [], [], true), false);
    assert.equal(hasOutlived(nodeView({ freedBy: 'm1-x-1' }), [], [], true), true);
  });
});
