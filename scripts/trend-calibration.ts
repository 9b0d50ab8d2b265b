// The table of docs/crash-trend.md: `node scripts/trend-calibration.ts [--runs 200] [--budget 0.4] [--seed 1]`.
import { parseArgs } from 'node:util';
import { scoreOf } from '../src/crash/trend/score.ts';
import { NULLS, SURGES } from '../src/crash/trend/trials.ts';
import { seededRandom } from '../src/platform/clock/random.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200' },
    budget: { type: 'string' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
  },
});
const runs = Number(values.runs);
const budget = values.budget === undefined ? undefined : Number(values.budget);
console.log('| series | false alarms in 30 days | found | delay, median | delay, P90 | repeats |');
console.log('|---|---|---|---|---|---|');
let sum = 0;
for (const story of [...NULLS, ...SURGES]) {
  if (!story.name.includes(values.only)) continue;
  const hours = story.step === 'hour';
  const score = scoreOf(story, hours ? Math.ceil(runs / 4) : runs, seededRandom(Number(values.seed)), budget);
  const delay = (days: number) =>
    !Number.isFinite(days) ? '–' : hours ? `${Math.round(days * 24)} h` : `${Math.round(days)} d`;
  if (!story.surges) sum += score.falseAlarmsPerMonth;
  const found = story.surges
    ? [
        `${(score.found * 100).toFixed(0)} %`,
        delay(score.delayMedian),
        delay(score.delayP90),
        score.repeats.toFixed(2),
      ]
    : ['', '', '', ''];
  console.log(`| ${story.name} | ${score.falseAlarmsPerMonth.toFixed(3)} | ${found.join(' | ')} |`);
}
console.log(`\nmean over the series without a surge: ${(sum / NULLS.length).toFixed(3)}`);
