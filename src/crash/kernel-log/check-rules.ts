// Runs the tests that stand beside each rule.
import { explainLog } from './explain.ts';
import type { RuleSet } from './rules.ts';

export interface RuleCheck {
  rules: number;
  tests: number;
  failures: { rule: string; log: string; want: string; got: string }[];
}

/** Each test of a report gives its title and says whether it is damaged; each of a sign is seen as that sign. */
export function checkRules(rules: RuleSet): RuleCheck {
  const { reports, hardware, planned } = rules.sources;
  const failures: RuleCheck['failures'] = [];
  let tests = 0;
  for (const { rule, tests: own } of reports) {
    for (const { log, title, corrupted } of own) {
      tests++;
      const explained = explainLog(Buffer.from(log), rules);
      const got = said(explained.title, explained.corrupted);
      const want = said(title, corrupted);
      if (got !== want) failures.push({ rule, log, want, got });
    }
  }
  for (const { sign, tests: own } of [...hardware, ...planned]) {
    for (const log of own) {
      tests++;
      const { hardware, planned } = explainLog(Buffer.from(log), rules);
      const seen = [...hardware, ...planned].map((each) => each.sign);
      if (!seen.includes(sign))
        failures.push({ rule: sign, log, want: sign, got: seen.join(', ') || 'nothing' });
    }
  }
  return { rules: reports.length + hardware.length + planned.length, tests, failures };
}

function said(title: string, corrupted: boolean): string {
  if (title === '') return 'no crash';
  return corrupted ? `${title} (corrupted)` : title;
}
