import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import type { Trend } from '../../crash/trend/index.ts';
import { run } from '../test-io.ts';

const DAY = 86_400_000;

function csv(counts: readonly number[], exposure = ''): string {
  const rows = counts.map((count, day) => {
    const date = new Date(Date.UTC(2026, 0, 1) + day * DAY).toISOString().slice(0, 10);
    return `${date},${count}${exposure && ',50000'}`;
  });
  return `date,count${exposure && `,${exposure}`}\n${rows.join('\n')}\n`;
}

const trend = (text: string, ...args: string[]) =>
  run(['crash', 'trend', '--series', '-', ...args], {
    stdin: async function* () {
      yield new TextEncoder().encode(text);
    },
  });

const steady = Array<number>(60).fill(10);

describe('drover crash trend', () => {
  it('-o json writes points and alarms', async () => {
    const { code, out, err } = await trend(csv([...steady, 35, 30]), '-o', 'json');
    assert.equal(code, 0, err);
    const { points, alarms } = JSON.parse(out) as Trend;
    assert.equal(points.length, 62);
    assert.deepEqual(Object.keys(points[60] ?? {}), ['date', 'count', 'expected', 'upper', 'alarm']);
    assert.equal(points[60]?.alarm, true);
    assert.equal(alarms.length, 1);
    const [alarm] = alarms;
    assert.equal(alarm?.since, '2026-03-02');
    assert.equal(alarm?.raisedAt, '2026-03-02');
    assert.ok((alarm?.excess ?? 0) > 40 && (alarm?.p ?? 1) < 0.01);
  });

  it('for people: a chart of 80 columns, and why, what was expected, since when, how sure', async () => {
    const { code, out } = await trend(csv([...steady, 35, 30]));
    assert.equal(code, 0);
    for (const line of out.split('\n')) assert.ok(line.length <= 80, line);
    assert.match(out, /▲▲\n/);
    const sentences = out.replaceAll(/\s+/g, ' ');
    assert.match(
      sentences,
      /Surge, still on: since 2026-03-02 65 events where 20 were expected, 4[45](\.\d)? more \(×3\.\d\)/,
    );
    assert.match(sentences, /Seen 2026-03-02, by one day above its limit\. Chance does this/);
    assert.match(sentences, /No exposure was given: a fleet that grew would look the same/);
  });

  it('no surge: says what the last day had and what would have been one', async () => {
    const { out } = await trend(csv(steady, 'exposure'));
    assert.match(
      out.replaceAll(/\s+/g, ' '),
      /No surge now\. The last day, 2026-03-01, had 10; 10(\.\d)? were expected, more than \d+ would be/,
    );
    assert.doesNotMatch(out, /▲|No exposure/);
  });

  it('one row is no history, and is said to be none', async () => {
    const { code, out } = await trend('date,count\n2026-01-02,3\n');
    assert.equal(code, 0);
    assert.match(out, /No history yet/);
  });

  it('a bad row is an error that names it, and nothing is printed', async () => {
    const { code, out, err } = await trend('date,count\n2026-01-02,2.5\n');
    assert.equal(code, 1);
    assert.equal(out, '');
    assert.match(err, /standard input, line 2, column "count": "2\.5" is no whole number/);
  });

  it('all of a long answer goes through a pipe', () => {
    const main = new URL('../main.ts', import.meta.url).pathname;
    const { stdout, status } = spawnSync(
      process.execPath,
      [main, 'crash', 'trend', '--series', '-', '-o', 'json'],
      {
        input: csv(Array<number>(3000).fill(10)),
        encoding: 'utf8',
        maxBuffer: 1 << 26,
      },
    );
    assert.equal(status, 0);
    assert.equal((JSON.parse(stdout) as Trend).points.length, 3000);
  });

  it('wrong options are usage errors', async () => {
    assert.equal((await trend(csv(steady), '--false-alarms', '0')).code, 2);
    assert.match((await run(['crash', 'trend', '--series', '/nowhere/at/all'])).err, /there is no such file/);
  });
});
