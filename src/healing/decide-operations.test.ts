import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Remedy } from '../api/diagnosis.ts';
import { DUMPING, type Looks, PANICKED, policy, SILENT, WELL } from '../test-builders.ts';
import { Story } from './test-story.ts';

const CUT: Looks = { ...SILENT, power: 'On', console: 'LinkDown' };
const NO_KUBELET: Looks = { ...WELL, kubelet: 'Refused', ready: 'Unknown', lease: 'Stalled', power: 'On' };
const HUNG: Looks = { ssh: 'Silent', kubelet: 'Silent', ready: 'Unknown', lease: 'Stalled', power: 'On' };
const UP: Looks = { ...WELL, lease: 'Moving', power: 'On' };
const MINUTE = 60;

/** A crash whose reboot waits at the gate, since the brake holds. */
function held(): Story {
  const story = new Story();
  story.passes(32, PANICKED);
  assert.deepEqual(story.asked, ['Reboot']);
  story.isHeld('Braked');
  story.passes(2);
  return story;
}
const isCancelled = (story: Story) => story.operations.map(({ spec }) => spec.cancelled);

describe('an operation that waits to be let through', () => {
  it('is waited for, whatever holds it, and no second one is asked for', () => {
    const story = held();
    story.passes(10 * MINUTE);
    assert.deepEqual([story.asked, story.waiting, story.status.stage], [['Reboot'], 'Braked', 'Healing']);
    assert.deepEqual(isCancelled(story), [false]);
  });

  it('is called off when the machine is well again, and the incident ends', () => {
    const story = held();
    story.passes(20, UP);
    assert.deepEqual(isCancelled(story), [true]);
    assert.match(
      story.said.at(-1) ?? '',
      /^NoLongerNeeded: Reboot is called off .* the machine is well again/,
    );
    story.ends('Cancelled');
    story.passes(2);
    assert.equal(story.ended[0]?.status?.stage, 'Recovered');
  });

  it('is called off when another cause is found', () => {
    const story = held();
    story.passes(2, CUT);
    assert.deepEqual(isCancelled(story), [true]);
    assert.match(story.said.at(-1) ?? '', /the cause is now NetworkLost/);
    const said = story.said.length;
    story.passes(20);
    assert.equal(story.said.length, said, 'and that is said once');
  });

  it('is not called off because a witness has gone silent: the cause that was found stands', () => {
    const story = held();
    story.passes(40, SILENT);
    assert.deepEqual([story.status.diagnosis?.cause, isCancelled(story)], ['Crashed', [false]]);
  });

  it('is called off while we are blind', () => {
    const story = held();
    story.around = { blind: 'the API has told us nothing for 120 s' };
    story.passes(2);
    assert.deepEqual([story.status.diagnosis?.cause, isCancelled(story)], ['ControlPlaneBlind', [true]]);
  });
});

it('what was known before we went blind, or before a plan, is not taken up again: it is found anew', () => {
  for (const [around, cause] of [
    [{ blind: 'the API has told us nothing for 120 s' }, 'ControlPlaneBlind'],
    [{ planned: 'the provider is at work on it' }, 'Planned'],
  ] as const) {
    const story = held();
    story.around = around;
    story.passes(4);
    assert.equal(story.status.diagnosis?.cause, cause);
    story.around = {};
    story.passes(4, { ...SILENT, power: 'On', console: 'None' });
    assert.equal(story.status.diagnosis?.cause, 'Unknown');
    story.passes(4, PANICKED);
    assert.equal(story.status.diagnosis?.cause, 'Crashed');
  }
});

describe('an operation that is held for 20 minutes', () => {
  const tooLong = () => {
    const story = held();
    story.passes(20 * MINUTE);
    return story;
  };

  it('calls a person, who may lift what holds it, and stays', () => {
    const story = tooLong();
    assert.deepEqual([story.status.stage, story.waiting], ['Escalated', 'HeldTooLong']);
    assert.match(story.status.waiting?.message ?? '', /Reboot has been held for 20 min \(Braked\)/);
    assert.deepEqual(isCancelled(story), [false]);
  });

  it('does not reboot a machine that is well again: it is called off, and the incident ends', () => {
    const story = tooLong();
    story.passes(20, UP);
    assert.deepEqual(isCancelled(story), [true]);
    story.ends('Cancelled');
    story.passes(2);
    assert.equal(story.ended[0]?.status?.stage, 'Recovered');
    assert.ok(story.ended[0]?.status?.escalatedAt);
  });

  it('is called off when the cause turns out to be another, and the person stays called', () => {
    const story = tooLong();
    story.passes(2, CUT);
    assert.deepEqual([isCancelled(story), story.status.stage], [[true], 'Escalated']);
  });
});

describe('an operation that is under way', () => {
  it('stands in the incident with what came of it', () => {
    const outcome = (end?: 'Succeeded' | 'Failed' | 'Cancelled') => {
      const story = held();
      story.isAdmitted();
      if (end) story.ends(end);
      story.passes(2);
      const [attempt] = story.status.attempts ?? [];
      assert.equal(attempt?.endedAt, story.operations[0]?.status?.endedAt);
      return [attempt?.remedy, attempt?.operation, attempt?.outcome];
    };
    assert.deepEqual(outcome(), ['Reboot', 'm1-x-1', 'Running']);
    assert.deepEqual(outcome('Succeeded'), ['Reboot', 'm1-x-1', 'Worked']);
    assert.deepEqual(outcome('Failed'), ['Reboot', 'm1-x-1', 'Failed']);
    assert.deepEqual(outcome('Cancelled'), ['Reboot', 'm1-x-1', 'NotNeeded']);
  });

  it('is never called off, and what it does to the machine is no new cause', () => {
    const story = held();
    story.isAdmitted();
    for (const looks of [{ ...SILENT, power: 'Off' }, CUT, NO_KUBELET, UP] as const) story.passes(20, looks);
    assert.deepEqual([story.status.diagnosis?.cause, isCancelled(story)], ['Crashed', [false]]);
    assert.deepEqual(story.asked, ['Reboot']);
  });

  it('that has succeeded is watched for a minute before it is held to have been no help', () => {
    const story = new Story();
    story.passes(60, WELL);
    story.passes(30, NO_KUBELET);
    story.isAdmitted();
    story.ends('Succeeded');
    story.passes(58);
    assert.deepEqual([story.asked, story.waiting], [['RestartService kubelet'], 'Settling']);
    story.passes(4);
    assert.deepEqual(story.asked, ['RestartService kubelet', 'RestartService containerd']);
  });
});

describe('an escalated incident', () => {
  it('asks for nothing more, and still ends when the machine is well', () => {
    const story = new Story();
    story.passes(20 * MINUTE, CUT);
    assert.deepEqual([story.status.stage, story.waiting, story.asked], ['Escalated', 'LadderEnded', []]);
    story.passes(20 * MINUTE, PANICKED);
    assert.deepEqual(story.asked, []);
    story.passes(20, UP);
    assert.equal(story.ended[0]?.status?.stage, 'Recovered');
  });

  it('is recovered, not healed, though a try of ours had worked: a person was needed', () => {
    const story = new Story();
    story.passes(60, WELL);
    story.passes(30, NO_KUBELET);
    for (const _ of [1, 2, 3]) {
      story.isAdmitted();
      story.ends('Succeeded');
      story.passes(70);
    }
    assert.equal(story.status.stage, 'Escalated');
    story.passes(20, UP);
    assert.equal(story.ended[0]?.status?.stage, 'Recovered');
  });
});

const BOOTS: readonly Remedy[] = ['Reboot', 'PowerCycle', 'PowerOn', 'Nmi'];
const LOOKS: readonly Looks[] = [
  UP,
  PANICKED,
  DUMPING,
  CUT,
  NO_KUBELET,
  HUNG,
  SILENT,
  { ...SILENT, power: 'On', console: 'Booting' },
  { ...SILENT, power: 'Off' },
  { ...DUMPING, lease: 'Moving' },
];

describe('whatever happens to a machine and to the operations on it', () => {
  const ladders = Object.fromEntries(
    ['Unknown', 'DomainOutage', 'NetworkLost'].map((cause) => [cause, [{ remedy: 'Reboot' }]]),
  );
  const scene = fc.record({
    looks: fc.constantFrom(...LOOKS),
    seconds: fc.integer({ min: 2, max: 200 }),
    blind: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
    domain: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
    observe: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
    fate: fc.constantFrom('held', 'admitted', 'Succeeded', 'Failed', 'Cancelled'),
  });

  it('no boot is asked for during a dump, while blind or by a policy that observes; no two at once', () => {
    let asked = 0;
    const story = fc.property(fc.array(scene, { minLength: 1, maxLength: 12 }), (scenes) => {
      const story = new Story();
      for (const { looks, seconds, blind, domain, observe, fate } of scenes) {
        story.policy = policy({ mode: observe ? 'Observe' : 'Heal', dumpTimeout: '10m', ladders });
        story.around = {
          ...(blind && { blind: 'the API is silent' }),
          ...(domain && { domain: { name: 'rack/z1/r1', lost: 9, total: 10 } }),
        };
        const open = story.operations.at(-1);
        if (open && !open.status?.endedAt) {
          if (fate === 'held') story.isHeld('Braked');
          else if (fate === 'admitted') story.isAdmitted();
          else story.ends(fate);
        }
        for (let left = seconds; left > 0; left -= 2) {
          const [plan] = story.passes(2, looks);
          if (!plan?.ask) continue;
          asked++;
          const { belief, now } = story.view();
          assert.ok(!observe, 'asked by a policy that only observes');
          assert.ok(!blind, 'asked while blind');
          assert.ok(
            story.operations.slice(0, -1).every((one) => one.status?.endedAt),
            'two at once',
          );
          if (!BOOTS.includes(plan.ask.remedy)) continue;
          const dumps = belief.console?.value === 'Dumping' && now - belief.console.since < 10 * 60_000;
          assert.ok(!dumps, `${plan.ask.remedy} asked for during a dump`);
        }
      }
    });
    fc.assert(story, { numRuns: 300 });
    assert.ok(asked > 100, `only ${asked} remedies were asked for: the runs prove little`);
  });
});
