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

/** The same log as other machines hand it out. */
const DRESSES: Readonly<Record<string, (log: string) => string>> = {
  'with carriage returns': (log) => log.replaceAll('\n', '\r\n'),
  'through syslog': (log) => log.replaceAll(/^(?=\[)/gm, 'Nov 25 16:00:01 node-1 kernel: '),
  'with levels': (log) => log.replaceAll(/^(?=\[)/gm, '<4>'),
  'said twice': (log) => log.replaceAll(/^.*$/gm, '$&\n$&'),
  'without debug symbols': (log) =>
    log
      .split('\n')
      .filter((line) => !line.includes('[inline]'))
      .map((line) => line.replace(/ [\w./-]+\.[chS]:\d+$/, ''))
      .join('\n'),
};

describe('a labelled log', () => {
  for (const [dress, put] of Object.entries(DRESSES)) {
    it(`has the same name ${dress}`, () => {
      const other = logs.filter(
        ({ log }) => explainLog(Buffer.from(put(log))).title !== explainLog(Buffer.from(log)).title,
      );
      assert.deepEqual(
        other.map(({ id }) => id),
        [],
      );
    });
  }
});
