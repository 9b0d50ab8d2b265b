import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { at, DUMPING, type Looks, PANICKED, policy, SILENT, WELL } from '../test-builders.ts';
import { Story } from './test-story.ts';

const NO_KUBELET: Looks = { ...WELL, kubelet: 'Refused', ready: 'Unknown', lease: 'Stalled', power: 'On' };
const BACK: Looks = { ...WELL, bootID: 'boot-2', lease: 'Moving', power: 'On', console: 'Running' };

/** A crash whose reboot has been asked for. */
function crashed(): Story {
  const story = new Story();
  story.passes(32, PANICKED);
  assert.deepEqual(story.asked, ['Reboot']);
  return story;
}

describe('a first symptom', () => {
  it('is an incident when it has lasted 8 s, and counts from its beginning', () => {
    const story = new Story();
    story.passes(8, PANICKED);
    assert.equal(story.incident, undefined);
    story.passes(2);
    assert.equal(story.status.firstSymptomAt, at(2));
    assert.equal(story.status.detectedAt, at(10));
    assert.equal(story.status.stage, 'Detected');
    assert.equal(story.status.bootIDBefore, 'boot-1');
    assert.deepEqual(
      story.status.symptoms?.map(({ name }) => name),
      ['SshSilent', 'KubeletSilent', 'NotReady'],
    );
  });

  it('that passes sooner is none', () => {
    const story = new Story();
    story.passes(6, SILENT);
    story.passes(20, WELL);
    story.passes(6, SILENT);
    assert.equal(story.incident, undefined);
  });

  it('waits as long as the policy says', () => {
    const story = new Story({ policy: policy({ confirmFor: '30s' }) });
    story.passes(30, PANICKED);
    assert.equal(story.incident, undefined);
    story.passes(2);
    assert.ok(story.incident);
  });

  it('is none without a policy, while we are blind, and while a plan explains it', () => {
    const stories = [new Story({ policy: undefined }), new Story(), new Story()];
    Object.assign(stories[1]?.around as object, { blind: 'the API is silent' });
    Object.assign(stories[2]?.around as object, { planned: 'Reboot op' });
    for (const story of stories) {
      story.passes(60, PANICKED);
      assert.equal(story.incident, undefined);
    }
  });

  it('that nothing explains has a verdict as well, and time to pass before a person is called', () => {
    const story = new Story();
    story.passes(12, SILENT);
    assert.deepEqual([story.status.diagnosis?.cause, story.status.stage], ['Unknown', 'Detected']);
    assert.deepEqual([story.waiting, story.status.locatedAt], ['MayHealItself', undefined]);
    story.passes(8 * 60);
    assert.deepEqual([story.status.stage, story.asked], ['Escalated', []]);
  });

  it('that is a reboot by itself has a boot before it that we have lost', () => {
    const story = new Story();
    story.passes(60, WELL);
    story.passes(12, { ...WELL, bootID: 'boot-2' });
    assert.deepEqual([story.status.bootIDBefore, story.status.diagnosis?.cause], ['', 'Restarted']);
  });

  it('of a reboot long ago does not hide which boot the trouble began in', () => {
    const story = new Story();
    story.passes(60, { ...WELL, bootID: 'boot-2' });
    story.passes(86_400, { ...WELL, bootID: 'boot-2' });
    story.passes(30, { ...PANICKED, bootID: 'boot-2' });
    assert.equal(story.status.bootIDBefore, 'boot-2');
  });
});

describe('a crash', () => {
  it('is located, given its wait, and rebooted', () => {
    const story = new Story();
    story.passes(12, PANICKED);
    assert.deepEqual([story.status.stage, story.status.diagnosis?.cause], ['Located', 'Crashed']);
    assert.equal(story.status.locatedAt, at(12));
    assert.equal(story.waiting, 'BeforeRemedy');
    story.passes(18);
    assert.deepEqual(story.asked, []);
    story.passes(2);
    assert.deepEqual(story.asked, ['Reboot']);
    assert.deepEqual([story.status.stage, story.status.healingAt], ['Healing', at(32)]);
    assert.equal(story.waiting, undefined);
  });

  it('is followed through its reboot to healed', () => {
    const story = crashed();
    story.isHeld('TooManyInFlight');
    story.passes(2);
    assert.deepEqual([story.status.stage, story.waiting], ['Healing', 'TooManyInFlight']);
    story.isAdmitted();
    story.passes(60, { ...SILENT, power: 'On', console: 'Booting' });
    story.planned = true;
    story.passes(10, BACK);
    assert.equal(story.status.diagnosis?.cause, 'Crashed', 'our own reboot is no new cause');
    story.isVerifying();
    story.passes(6);
    assert.equal(story.status.stage, 'Verifying');
    story.ends('Succeeded');
    story.passes(10);
    const [ended] = story.ended;
    assert.equal(ended?.status?.stage, 'Healed');
    assert.equal(ended?.status?.healedAt, ended?.status?.endedAt);
    assert.match(story.said.at(-1) ?? '', /^Healed: healed, \d+ s after the first symptom/);
    assert.deepEqual(story.asked, [], 'and nothing more is asked for');
  });

  it('whose reboot fails is power-cycled, and then a person is called', () => {
    const story = crashed();
    story.isAdmitted();
    story.passes(2);
    story.ends('Failed');
    story.passes(4);
    assert.deepEqual(story.asked, ['Reboot', 'PowerCycle']);
    story.isAdmitted();
    story.ends('Failed');
    story.passes(4);
    assert.deepEqual([story.status.stage, story.waiting], ['Escalated', 'LadderEnded']);
    story.passes(3600);
    assert.deepEqual(story.asked, ['Reboot', 'PowerCycle'], 'and nothing is done behind their back');
  });

  it('that heals by itself in time is recovered, and nobody is asked for anything', () => {
    const story = new Story();
    story.passes(20, PANICKED);
    story.passes(40, BACK);
    assert.equal(story.ended[0]?.status?.stage, 'Recovered');
    assert.match(story.said.at(-1) ?? '', /^Recovered: well again without an act of ours/);
  });

  it('keeps its name while the machine comes up', () => {
    const story = new Story();
    story.passes(14, PANICKED);
    story.passes(6, { ...BACK, kubelet: 'Refused', ready: 'Unknown', lease: 'Stalled' });
    assert.deepEqual([story.status.diagnosis?.cause, story.waiting], ['Crashed', 'Starting']);
  });

  it('ends only when no cordon of ours is left', () => {
    const story = new Story();
    story.passes(20, PANICKED);
    story.passes(60, { ...BACK, cordonedBy: 'm1-x-1' });
    assert.equal(story.ended.length, 0);
    story.passes(2, BACK);
    assert.equal(story.ended.length, 1);
  });
});

describe('a crash dump', () => {
  it('holds every remedy until its time is up, and then the power is cycled', () => {
    const story = new Story({ policy: policy({ dumpTimeout: '5m' }) });
    story.passes(20, DUMPING);
    assert.deepEqual([story.status.diagnosis?.cause, story.waiting], ['Dumping', 'DumpInProgress']);
    assert.equal(story.status.waiting?.until, at(2 + 300));
    story.passes(280);
    assert.deepEqual(story.asked, []);
    story.passes(4);
    assert.deepEqual(story.asked, ['PowerCycle']);
  });

  it('that ends in a boot lets the boot go on', () => {
    const story = new Story();
    story.passes(60, DUMPING);
    story.passes(60, { ...SILENT, power: 'On', console: 'Booting' });
    assert.deepEqual([story.waiting, story.asked], ['BootInProgress', []]);
    story.passes(40, BACK);
    assert.equal(story.ended[0]?.status?.stage, 'Recovered');
  });

  it('is not cut short by a ladder of the site’s own for what hides it', () => {
    const ladders = { DomainOutage: [{ remedy: 'PowerCycle' }], Unknown: [{ remedy: 'Reboot' }] };
    const story = new Story({ policy: policy({ ladders, dumpTimeout: '5m' }) });
    story.around = { domain: { name: 'rack/z1/r1', lost: 9, total: 10 } };
    story.passes(240, DUMPING);
    assert.deepEqual([story.asked, story.waiting], [[], 'DumpInProgress']);
  });
});

describe('what a limit of the policy says', () => {
  it('Observe: finds, locates and says what it would do, and does nothing', () => {
    const story = new Story({ policy: policy({ mode: 'Observe' }) });
    story.passes(3600, PANICKED);
    assert.deepEqual([story.asked, story.waiting], [[], 'ObserveOnly']);
    assert.match(story.status.waiting?.message ?? '', /the next remedy would be Reboot/);
    assert.equal(story.said.filter((line) => line.startsWith('ObserveOnly')).length, 1);
  });

  it('RepeatOffender: a machine that was rebooted thrice today gets a person, not a fourth reboot', () => {
    const story = new Story();
    story.rebootsToday = 3;
    story.passes(40, PANICKED);
    assert.deepEqual([story.asked, story.status.stage, story.waiting], [[], 'Escalated', 'RepeatOffender']);
    const other = new Story();
    other.rebootsToday = 3;
    other.passes(60, WELL);
    other.passes(30, NO_KUBELET);
    assert.deepEqual(other.asked, ['RestartService kubelet'], 'a restarted service is no reboot');
  });

  it('NoPolicy: nothing is done for a machine that no policy selects any more', () => {
    const story = new Story();
    story.passes(12, PANICKED);
    story.policy = undefined;
    story.passes(600);
    assert.deepEqual([story.asked, story.waiting], [[], 'NoPolicy']);
  });
});

it('an incident at rest is not written again, nor is anything said of it twice', () => {
  const story = new Story({ policy: policy({ mode: 'Observe' }) });
  story.passes(60, PANICKED);
  const said = story.said.length;
  const plans = story.passes(20);
  assert.deepEqual(
    plans.filter((plan) => plan.status ?? plan.say),
    [],
  );
  assert.equal(story.said.length, said);
});
