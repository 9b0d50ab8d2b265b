import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EmbeddedApi, Faults } from '../../simulation/api/index.ts';
import { MINUTE, SECOND } from '../clock/clock.ts';
import { VirtualClock } from '../clock/virtual.ts';
import { KubeClient } from './client.ts';
import { EVENTS, type KubeObject } from './objects.ts';
import { PENDING_MAX, Recorder } from './recorder.ts';

interface Event extends KubeObject {
  note: string;
  reason: string;
  action: string;
  type: string;
  regarding: Record<string, string>;
}

function setUp() {
  const clock = new VirtualClock(2);
  const api = new EmbeddedApi({ clock });
  const faults = new Faults();
  const recorder = new Recorder(new KubeClient(api.transport({ user: 'drover', faults }), clock), 'drover-1');
  const admin = new KubeClient(api.transport({ user: 'admin' }), clock);
  const events = async () => (await admin.list<Event>(EVENTS)).items;
  return { clock, faults, recorder, events };
}

const about = (name: string, namespace?: string): KubeObject => ({
  apiVersion: 'drover.dev/v1alpha1',
  kind: 'Machine',
  metadata: { name, uid: 'u1', ...(namespace && { namespace }) },
});
const because = (message: string) => ({ reason: 'BudgetSpent', message });

test('an event says about what, what and why, beside its object', async () => {
  const { clock, recorder, events } = setUp();
  recorder.record(about('m1'), 'Warning', 'Refuse', because('2 of 100 are disrupted'));
  recorder.record(about('p1', 'default'), 'Normal', 'Evict', because('moved'));
  await clock.advance(SECOND);
  const [first, second] = await events();
  assert.equal(first?.note, '2 of 100 are disrupted');
  assert.equal(first?.reason, 'BudgetSpent');
  assert.equal(first?.action, 'Refuse');
  assert.equal(first?.type, 'Warning');
  assert.equal(first?.metadata.namespace, 'default', 'what has no namespace is told of in default');
  assert.deepEqual(first?.regarding, {
    apiVersion: 'drover.dev/v1alpha1',
    kind: 'Machine',
    name: 'm1',
    uid: 'u1',
  });
  assert.equal(second?.regarding.namespace, 'default');
});

test('a long message is cut to what the API takes, which counts bytes, and no character is torn', async () => {
  const { clock, recorder, events } = setUp();
  recorder.record(about('m1'), 'Normal', 'Note', because('x'.repeat(5000)));
  recorder.record(about('m1'), 'Normal', 'Note', because(`x${'机'.repeat(2000)}`));
  recorder.record(about('m1'), 'Normal', 'Note', because('🐎'.repeat(2000)));
  await clock.advance(SECOND);
  const notes = (await events()).map(({ note }) => note);
  assert.equal(notes.length, 3);
  for (const note of notes) {
    const size = Buffer.byteLength(note);
    assert.ok(size > 1020 && size <= 1024, `${size} bytes`);
    assert.ok(note.isWellFormed() && !note.includes('\ufffd'));
  }
});

test('the longest name of an object still gives a name that the API takes', async () => {
  const { clock, recorder, events } = setUp();
  recorder.record(about(`${'a'.repeat(199)}-${'b'.repeat(53)}`), 'Normal', 'Note', because('why'));
  await clock.advance(SECOND);
  assert.match((await events())[0]?.metadata.name ?? '', /^a{199}\.[0-9a-z]{16}$/);
  assert.equal(recorder.dropped, 0);
});

test('events that cannot be written are counted and forgotten, and nobody hears of it', async () => {
  const { clock, faults, recorder, events } = setUp();
  faults.unreachable = true;
  recorder.record(about('m1'), 'Normal', 'Note', because('lost'));
  await clock.advance(SECOND);
  assert.equal(recorder.dropped, 1);
  faults.unreachable = false;
  recorder.record(about('m1'), 'Normal', 'Note', because('written'));
  await clock.advance(SECOND);
  assert.deepEqual(
    (await events()).map(({ note }) => note),
    ['written'],
  );
});

test('no more than so many wait for a slow server; the others are dropped at once', async () => {
  const { clock, faults, recorder, events } = setUp();
  faults.latency_ms = 5 * SECOND;
  for (let at = 0; at < PENDING_MAX + 100; at++)
    recorder.record(about('m1'), 'Normal', 'Note', because(`${at}`));
  assert.equal(recorder.dropped, 100);
  await clock.advance(MINUTE);
  assert.equal((await events()).length, PENDING_MAX);
  recorder.record(about('m1'), 'Normal', 'Note', because('there is room again'));
  await clock.advance(MINUTE);
  assert.equal((await events()).length, PENDING_MAX + 1);
});
