import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Looks, PANICKED, SILENT } from '../test-builders.ts';
import { Story } from './test-story.ts';

const HALF_UP: Looks = { ssh: 'Answers', kubelet: 'Answers', ready: 'Unknown', lease: 'Moving', power: 'On' };

/** Told a crash, and taken over by another replica before anything was asked for. */
function inherited(): Story {
  const story = new Story();
  story.passes(20, PANICKED);
  assert.equal(story.status.diagnosis?.cause, 'Crashed');
  assert.deepEqual(story.asked, []);
  story.isTakenOver();
  return story;
}

describe('a person who was called because nobody knew', () => {
  it('is not left alone with it when the cause is known', () => {
    const story = new Story();
    story.passes(8 * 60, SILENT);
    assert.equal(story.status.stage, 'Escalated');
    story.passes(30, PANICKED);
    assert.equal(story.status.escalatedAt, undefined);
    assert.deepEqual(story.asked, ['Reboot']);
  });
});

describe('a replica that begins to lead', () => {
  it('asks for nothing on the word of the one before, before it has looked itself', () => {
    const story = inherited();
    story.clock.step(60);
    story.look();
    assert.deepEqual(story.asked, []);
    assert.equal(story.waiting, 'NotConfirmed');
  });

  it('goes on where the machine is as silent to it', () => {
    const story = inherited();
    story.passes(20, { ...SILENT, power: 'On' });
    assert.deepEqual(story.asked, ['Reboot']);
  });

  it('waits for the word of power and console, where a dump or a boot may be seen', () => {
    const story = inherited();
    story.passes(20, SILENT);
    assert.equal(story.waiting, 'NotConfirmed');
    story.passes(20, { ...SILENT, power: 'On', console: 'Booting' });
    assert.equal(story.waiting, 'BootInProgress');
    assert.deepEqual(story.asked, []);
  });

  it('does not forget whose rack is dark, because it has not looked yet', () => {
    const story = new Story();
    story.around = { domain: { name: 'rack/z1/r1', lost: 18, total: 20 } };
    story.passes(20, { ...SILENT, power: 'On', console: 'Running' });
    story.isTakenOver();
    story.around = {};
    story.look();
    assert.deepEqual(
      [story.status.diagnosis?.cause, story.status.diagnosis?.domain],
      ['DomainOutage', 'rack/z1/r1'],
    );
  });

  it('does not reboot a machine that answers it, and calls a person when it does not become well', () => {
    const story = inherited();
    story.passes(180, HALF_UP);
    assert.equal(story.waiting, 'NotConfirmed');
    story.passes(20 * 60, HALF_UP);
    assert.equal(story.status.stage, 'Escalated');
    assert.deepEqual(story.asked, []);
  });
});
