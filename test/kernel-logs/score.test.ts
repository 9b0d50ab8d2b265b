// How well kernel logs are read, against names that kernel developers gave: not to be worse than it was.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { explainLog } from '../../src/crash/kernel-log/explain.ts';

interface Labelled {
  id: string;
  log: string;
  title: string;
  alt: string[];
  type: string;
  frame: string;
  corrupted: boolean;
}

const text = gunzipSync(readFileSync(new URL('labelled.jsonl.gz', import.meta.url))).toString('utf8');
const logs: Labelled[] = text
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));

/** Two logs carry the test's own header, in which the crash is not to be found; all else is a real log. */
const HEADED = ['4', '98'];

describe('labelled kernel logs', () => {
  let titled = 0;
  let damaged = 0;
  let framed = 0;
  const invented: string[] = [];
  const withFrame = logs.filter(({ frame }) => frame);
  before(() => {
    for (const { id, log, title, alt, frame, corrupted } of logs) {
      const said = explainLog(Buffer.from(log));
      if (said.title === title || alt.includes(said.title)) titled++;
      if (said.corrupted === corrupted) damaged++;
      if (frame && said.report?.frame === frame) framed++;
      if (title === '' && said.title !== '') invented.push(id);
    }
  });
  it('have their names in at least 98 of 100', () => {
    assert.ok(titled / logs.length >= 0.98, `${titled} of ${logs.length}`);
  });
  it('are called damaged when they are, in at least 98 of 100', () => {
    assert.ok(damaged / logs.length >= 0.98, `${damaged} of ${logs.length}`);
  });
  it('have their guilty frames', () => {
    assert.equal(framed, withFrame.length);
  });
  it('have no crash where there is none', () => {
    assert.deepEqual(invented, HEADED);
  });
});
