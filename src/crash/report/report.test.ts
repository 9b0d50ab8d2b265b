import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DAY } from '../../platform/clock/clock.ts';
import { aCrash } from '../../platform/history/crashes-suite.ts';
import type { Answer } from '../correlate/index.ts';
import { changesBefore } from './changes.ts';
import { markdownOf } from './markdown.ts';
import { countInterval, ratesBy } from './rates.ts';
import { crashReport } from './report.ts';
import { scrubbed } from './scrub.ts';
import { STORY_DAYS, STORY_FROM, story } from './test-story.ts';
import { verdictOf } from './verdict.ts';

const { records, days } = story();
const signature = records[0]?.signature as string;
const known = [
  {
    id: 'nvme-queue-null',
    title: 'NULL pointer in nvme_queue_rq after a reset',
    match: { signatures: [signature] },
    links: ['https://example.org/1'],
    fixedIn: ['5.10.134-16.an8.x86_64'],
    hotfixes: [],
  },
];
const input = { records, days, known, since: STORY_FROM, now: STORY_FROM + STORY_DAYS * DAY, site: false };

describe('the report of a bug that came with a kernel on one model', () => {
  const report = crashReport(input);
  it('counts crashes against machine-days', () => {
    assert.equal(report.crashes, records.length);
    const bad = report.by.find(({ key }) => key === 'kernel')?.rates[0];
    assert.equal(bad?.value, '5.10.134-15.an8.x86_64');
    assert.equal(bad?.crashes, records.length);
    assert.ok(
      bad?.permille && bad.interval && bad.interval[0] < bad.permille && bad.permille < bad.interval[1],
    );
  });
  it('names what the crashes have in common, and what changed before them', () => {
    const [cause] = report.common?.explanations ?? [];
    assert.deepEqual(cause?.when, { kernel: '5.10.134-15.an8.x86_64', model: 'ebmc6' });
    assert.equal(report.common?.verdict, 'explained');
    assert.equal(report.changes[0]?.value, '5.10.134-15.an8.x86_64');
  });
  it('says who is exposed to a known bug, and whether its fix helped', () => {
    const [bug] = report.bugs;
    assert.equal(bug?.exposed, 2250);
    assert.equal(bug?.proof?.verdict, 'helped');
  });
  it('has nothing of the site in it, unless asked', () => {
    const text = markdownOf(report) + JSON.stringify(report);
    assert.doesNotMatch(text, /hz-[abc]|m-ebmc6-|10\.1\.2\.3|00:16:3e|host-10/);
    const own = JSON.stringify(crashReport({ ...input, site: true }));
    assert.match(own, /hz-a/);
    assert.match(own, /m-ebmc6-/);
  });
  it('has at most three logs, whole ones first', () => {
    const damaged = records.map((record, at) =>
      at > 0 ? { ...record, corrupted: true, confidence: 0.3 } : record,
    );
    const { logs } = crashReport({ ...input, records: damaged });
    assert.equal(logs.length, 3);
    assert.equal(logs[0]?.happenedAt, records[0]?.happenedAt);
  });
  it('says that there are no rates where the fleet was not counted', () => {
    const bare = crashReport({ ...input, days: [] });
    assert.match(bare.notes[0] ?? '', /no rates/);
    assert.equal(bare.rate.permille, null);
    assert.equal(bare.common, undefined);
    assert.match(markdownOf(bare), /Not known: the fleet was not counted/);
  });
});

describe('hardware, kernel, planned or unknown', () => {
  const crashes = (count: number, more = {}) =>
    Array.from({ length: count }, (_, at) => aCrash(`v${at}`, { machine: `m${at}`, ...more }));
  const common = (when: Record<string, string>) =>
    ({ verdict: 'explained', explanations: [{ when, cause: true }] }) as unknown as Answer;
  const sign = (name: string) => [{ part: 'memory', sign: name, weight: 'weak', count: 9, sample: '' }];
  for (const [what, records, answer, cause] of [
    ['a kernel that they share', crashes(5), common({ kernel: '5.10', model: 'ebmc6' }), 'kernel'],
    ['a rack that they share', crashes(5), common({ rack: 'r7' }), 'hardware'],
    ['a model that they share', crashes(5), common({ model: 'ebmc6' }), 'unknown'],
    ['nothing that they share', crashes(5), undefined, 'kernel'],
    [
      'parts that reported it',
      crashes(5, { cause: 'hardware', hardware: sign('machine-check-fatal') }),
      undefined,
      'hardware',
    ],
    [
      'memory that was corrected before',
      crashes(5, { hardware: sign('memory-corrected') }),
      common({ kernel: '5.10' }),
      'hardware',
    ],
    ['one machine again and again', crashes(4, { machine: 'm1' }), undefined, 'hardware'],
    ['people who meant it', crashes(5, { cause: 'planned' }), undefined, 'planned'],
    ['one crash', crashes(1), undefined, 'unknown'],
  ] as const)
    it(`${cause}, for ${what}`, () => assert.equal(verdictOf(records, answer).cause, cause));
});

it('the interval of a count is the exact one (Garwood 1936)', () => {
  const near = (count: number, low: number, high: number) => {
    const [a, b] = countInterval(count);
    assert.ok(Math.abs(a - low) < 0.01 && Math.abs(b - high) < 0.01, `${count}: ${a} to ${b}`);
  };
  near(0, 0, 3.69);
  near(1, 0.03, 5.57);
  near(10, 4.8, 18.39);
  near(100, 81.36, 121.63);
});

it('a kind that crashes without being in the fleet’s count has no rate', () => {
  const [first] = records;
  assert.ok(first);
  const rates = ratesBy('kernel', [{ ...first, attributes: { kernel: 'unknown' } }], days);
  assert.equal(rates.find(({ value }) => value === 'unknown')?.permille, null);
});

it('a kernel that was there all along is no change', () => {
  assert.deepEqual(
    changesBefore(
      days.filter(({ day }) => day < '2026-08-15'),
      [],
    ),
    [],
  );
});

it('addresses, hosts and prompts are taken out of a log', () => {
  const log =
    'Nov 25 16:00:01 db7.corp.example kernel: x\ndb7 login: root from fe80:0:0:0:216:3eff:fe12:3456 and 10.0.0.7\nserial 123e4567-e89b-12d3-a456-426614174000 on db7-front';
  assert.equal(
    scrubbed(log, ['db7-front']),
    'Nov 25 16:00:01 host kernel: x\nhost login: root from ADDRESS and ADDRESS\nserial UUID on host',
  );
});
