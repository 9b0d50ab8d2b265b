import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { run } from '../test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'drover-correlate-'));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, lines: readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  return path;
}

const correlate = (...args: string[]) => run(['crash', 'correlate', ...args]);

// 5 models × 4 kernels × 4 zones, 100 machines each; kernel k3 crashes on model m2.
const MODELS = [0, 1, 2, 3, 4].map((each) => `m${each}`);
const KERNELS = [0, 1, 2, 3].map((each) => `k${each}`);
const ZONES = [0, 1, 2, 3].map((each) => `z${each}`);
const all = MODELS.flatMap((model) =>
  KERNELS.flatMap((kernel) => ZONES.map((zone) => [model, kernel, zone])),
);
const population = file('population.csv', [
  'model,kernel,zone,count',
  ...all.map((each) => `${each.join(',')},100`),
]);
const crashes = all.flatMap((each, at) => {
  const [model, kernel] = each;
  return Array<string[]>(model === 'm2' && kernel === 'k3' ? 6 : at % 3 === 0 ? 1 : 0).fill(each);
});
const events = file('events.csv', [
  'zone,kernel,model',
  ...crashes.map((each) => [...each].reverse().join(',')),
]);

test('JSON has the agreed shape, and the cause', async () => {
  const { code, out } = await correlate('--events', events, '--population', population, '-o', 'json');
  assert.equal(code, 0);
  const answer = JSON.parse(out);
  assert.equal(answer.verdict, 'explained');
  const [first] = answer.explanations;
  assert.deepEqual(first.when, { kernel: 'k3', model: 'm2' });
  assert.deepEqual(Object.keys(first), [
    'when',
    'cause',
    'events',
    'expected',
    'exposure',
    'ratio',
    'interval',
    'p',
    'sameAs',
    'because',
  ]);
  assert.deepEqual([first.cause, first.events, first.exposure], [true, 24, 400]);
  assert.ok(first.interval[0] < first.ratio && first.ratio < first.interval[1] && first.p < 1e-6);
});

test('JSON lines and standard input are read as well', async () => {
  const lines = crashes.map(([model, kernel, zone]) => JSON.stringify({ model, kernel, zone }));
  const { code, out } = await run(
    ['crash', 'correlate', '--events', '-', '--population', population, '-o', 'yaml'],
    {
      stdin: async function* () {
        yield new TextEncoder().encode(lines.join('\n'));
      },
    },
  );
  assert.equal(code, 0);
  assert.match(out, /^verdict: explained/);
  assert.match(out, /kernel: k3/);
});

test('people get a sentence, bars and the numbers in 80 columns', async () => {
  const { code, out } = await correlate('--events', events, '--population', population);
  assert.equal(code, 0);
  assert.match(out, /^One cause stands out: kernel k3 and model m2/);
  assert.match(out, /CAUSE {2}kernel k3 and model m2\n {2}inside .*█/);
  assert.match(out, /24 of \d+ events have/);
  assert.ok(
    out.split('\n').every((line) => line.length <= 80),
    out,
  );
});

test('wide is a row an explanation', async () => {
  const { out } = await correlate('--events', events, '--population', population, '-o', 'wide');
  assert.match(out, /^WHEN +CAUSE +EVENTS/);
  assert.match(out, /kernel=k3,model=m2 +yes +24/);
});

test('what was always so is not blamed', async () => {
  const args = ['--events', events, '--population', population, '--before-events', events, '-o', 'json'];
  assert.equal(JSON.parse((await correlate(...args)).out).verdict, 'chance');
});

test('empty files are chance, or an error where there is no population', async () => {
  const none = file('none.csv', ['model,kernel,zone']);
  const { out } = await correlate('--events', none, '--population', population, '-o', 'json');
  assert.equal(JSON.parse(out).verdict, 'chance');
  const empty = file('empty.csv', []);
  const { code, err } = await correlate('--events', events, '--population', empty);
  assert.equal(code, 1);
  assert.match(err, /empty\.csv: has no rows with exposure/);
});

for (const [what, lines, message] of [
  [
    'a negative count',
    ['model,count', 'm1,3', 'm2,-1'],
    /bad\.csv, line 3, column "count": "-1" must be at least 0/,
  ],
  ['a count that is no number', ['model,count', 'm1,many'], /line 2, column "count": "many" is no number/],
  ['a broken row', ['model,kernel', 'm1'], /line 2: has 1 field, the header has 2/],
  [
    'no column in common',
    ['colour', 'red'],
    /no attribute column in common; events: colour; population: kernel, model, zone|no attribute column in common; events: colour; population: model, kernel, zone/,
  ],
] as const) {
  test(`${what} is told with file, line and column`, async () => {
    const { code, err } = await correlate('--events', file('bad.csv', lines), '--population', population);
    assert.equal(code, 1);
    assert.match(err, message);
  });
}

test('a missing file, two of standard input and an unknown format are usage errors or told plainly', async () => {
  assert.match(
    (await correlate('--events', '/nowhere', '--population', population)).err,
    /there is no file \/nowhere/,
  );
  assert.match(
    (await correlate('--events', '-', '--population', '-')).err,
    /only one file can be standard input/,
  );
  assert.match(
    (await correlate('--events', events, '--population', population, '-o', 'xml')).err,
    /unknown output format/,
  );
  assert.equal((await correlate('--events', events)).code, 2);
});
