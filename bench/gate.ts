// The one gate over 50,000 machines: the count of each second kept and charged, against a count for each question.
import { admit, type Question } from '../src/budget/admit.ts';
import { charge, takeStock } from '../src/budget/stock.ts';
import { at, budget, machine, NOW, operation } from '../src/test-builders.ts';
import { median_ms, report } from './report.ts';

const MACHINES = 50_000;
const PER_RACK = 20;
const PER_ZONE = 10_000;
const UNDER_WAY = 500;
/** Asked within one second of a storm. */
const QUESTIONS = 2_000;
const RECOUNTS = 10;

const machines = Array.from({ length: MACHINES }, (_, index) =>
  machine(
    {
      location: { zone: `z${Math.floor(index / PER_ZONE)}`, rack: `r${Math.floor(index / PER_RACK)}` },
      model: `x${index % 7}`,
    },
    { name: `m${index}` },
  ),
);
const budgets = [
  budget({}, 'fleet'),
  budget(
    { selector: { matchLabels: { 'drover.dev/zone': 'z1' } }, per: [{ key: 'rack', maxDisrupted: '1' }] },
    'zone-1',
  ),
  budget({ selector: { matchLabels: { 'drover.dev/model': 'x3' } }, maxDisrupted: '1%' }, 'model-3'),
];
const reboot = (index: number, status: unknown = {}) =>
  operation({ machine: `m${index}`, node: `m${index}` }, status, { name: `m${index}-x-1` });
const operations = Array.from({ length: UNDER_WAY }, (_, index) =>
  reboot(index * 97, { admittedAt: at(-60), costsBudget: true }),
);
const fleet = { machines, operations, takesPods: (name: string) => !name.endsWith('00'), now: NOW };
const question = (index: number, stocks: Question['stocks']): Question => ({
  operation: reboot(index),
  machine: machines[index],
  takesPods: true,
  other: undefined,
  stocks,
  notLeader: undefined,
  oldest: { what: 'nodes', age_ms: 1000 },
  braked: undefined,
  now: NOW,
});
const asked = Array.from({ length: QUESTIONS }, (_, at) => question((at * 31) % MACHINES, []));

const count_ms = await median_ms(7, () => takeStock(budgets, fleet));
const keptAll_ms = await median_ms(3, () => {
  const stocks = takeStock(budgets, fleet);
  for (const each of asked) {
    const refusal = admit({ ...each, stocks });
    if (!refusal && each.machine) charge(stocks, each.machine, each.operation, NOW);
  }
});
const recounted_ms = await median_ms(3, () => {
  for (const each of asked.slice(0, RECOUNTS)) admit({ ...each, stocks: takeStock(budgets, fleet) });
});
const kept = QUESTIONS / (keptAll_ms / 1000);
const naive = RECOUNTS / (recounted_ms / 1000);
report('gate', `${MACHINES} machines, ${budgets.length} budgets, ${UNDER_WAY} operations under way`, [
  {
    what: 'one count of the fleet',
    value: count_ms,
    unit: 'ms',
    times: count_ms / 1000,
    of: 'the second it is kept',
  },
  { what: 'a count for each question', value: naive, unit: 'questions/s' },
  {
    what: `one count for ${QUESTIONS} questions`,
    value: kept,
    unit: 'questions/s',
    times: kept / naive,
    of: 'a count for each',
  },
]);
