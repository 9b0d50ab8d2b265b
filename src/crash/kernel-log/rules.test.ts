import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkRules } from './check-rules.ts';
import { explainLog } from './explain.ts';
import { builtInRules, loadRules } from './rules.ts';

describe('the rules that come with Drover', () => {
  it('hold in the tests beside them', () => {
    const { tests, failures } = checkRules(builtInRules());
    assert.deepEqual(failures, []);
    assert.ok(tests > 100);
  });
});

const site = `
reports:
  - rule: fabric-stuck
    about: Our fabric driver has lost its card.
    opens: ['fabric{card:num}: stuck in state {state:word}']
    class: hardware
    severity: error
    title: 'fabric stuck in {state}'
    stack: optional
    tests:
      - log: 'fabric0: stuck in state RESET'
        title: 'fabric stuck in RESET'
`;
const load = (text: string) => loadRules([{ name: 'ours.yaml', text }]);

describe('a site’s own rules', () => {
  it('name what ours do not know', () => {
    const rules = load(site);
    assert.equal(
      explainLog(Buffer.from('[ 1.000000] fabric3: stuck in state RESET'), rules).title,
      'fabric stuck in RESET',
    );
    assert.deepEqual(checkRules(rules).failures, []);
  });
  it('stand before ours, and take the place of ours of the same name', () => {
    const rules = load(
      site
        .replace('fabric-stuck', 'bad-rss')
        .replaceAll('fabric{card:num}: stuck in state {state:word}', 'BUG: Bad rss-counter {state:word}')
        .replace("log: 'fabric0: stuck in state RESET'", "log: 'BUG: Bad rss-counter RESET'"),
    );
    assert.equal(
      explainLog(Buffer.from('BUG: Bad rss-counter state mm:1'), rules).title,
      'fabric stuck in state',
    );
  });
  it('say which of their tests fails, and how', () => {
    const rules = load(site.replace("title: 'fabric stuck in RESET'", "title: 'fabric lost'"));
    assert.deepEqual(checkRules(rules).failures, [
      {
        rule: 'fabric-stuck',
        log: 'fabric0: stuck in state RESET',
        want: 'fabric lost',
        got: 'fabric stuck in RESET',
      },
    ]);
  });
  for (const [what, from, to, message] of [
    [
      'a field that is missing',
      "    title: 'fabric stuck in {state}'\n",
      '',
      /ours\.yaml: reports\.0\.title: /,
    ],
    ['a class that does not exist', 'class: hardware', 'class: bad', /ours\.yaml: reports\.0\.class: /],
    [
      'a hole that is not closed',
      '{state:word}',
      '{state:word',
      /rule fabric-stuck: pattern ".*": "\{" is not closed/,
    ],
    [
      'a type of hole that does not exist',
      '{state:word}',
      '{state:name}',
      /the type is one of text, func, num, hex, word/,
    ],
    [
      'a skip list that does not exist',
      'stack: optional',
      'skip: [lib]',
      /rule fabric-stuck: skip: no list "lib"; there are .*allocator/,
    ],
    [
      'a needle that is too short',
      "'fabric{card:num}: stuck in state {state:word}'",
      "'{x}a'",
      /begins with plain text, or with \^/,
    ],
    ['no YAML', 'reports:', '"reports: [', /ours\.yaml: not YAML: /],
  ] as const) {
    it(`with ${what} are refused with the place and what would be right`, () => {
      assert.throws(() => load(site.replace(from, to)), { name: 'RuleError', message });
    });
  }
});
