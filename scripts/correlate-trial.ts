// How often correlation finds planted causes: `node scripts/correlate-trial.ts sparse|dense|ripple [FROM] [TO] [--verbose]`.
import { denseCase } from '../src/crash/correlate/test-dense.ts';
import { rippleCase } from '../src/crash/correlate/test-ripple.ts';
import { sparseCase } from '../src/crash/correlate/test-sparse.ts';
import { cases, f1, type Outcome, scored, textOf } from '../src/crash/correlate/test-trial.ts';

const [kind = 'sparse', from = '0', to = '100'] = process.argv
  .slice(2)
  .filter((word) => !word.startsWith('--'));
const makers = { sparse: sparseCase, dense: denseCase, ripple: rippleCase };
const make = makers[kind as keyof typeof makers];
if (!make || !(Number(to) > Number(from))) {
  console.error('usage: node scripts/correlate-trial.ts sparse|dense|ripple [FROM] [TO] [--verbose]');
  process.exit(2);
}

const startedAt = performance.now();
const verdicts = new Map<string, number>();
const scores = scored(cases(make, Number(from), Number(to)), (outcome) => {
  const { verdict } = outcome.answer;
  verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
  if (!outcome.isExact && process.argv.includes('--verbose')) tell(outcome);
});
for (const [name, score] of [...scores].sort()) {
  const { cases, exact, wrong, missed } = score;
  const figures = [
    `${cases} cases`,
    `exact ${((100 * exact) / cases).toFixed(1)} %`,
    `F1 ${f1(score).toFixed(3)}`,
  ];
  console.log(`${name.padEnd(16)} ${figures.join('  ')}  wrong ${wrong}  missed ${missed}`);
}
console.log([...verdicts].map(([verdict, count]) => `${verdict} ${count}`).join(', '));
console.log(
  `${((performance.now() - startedAt) / (Number(to) - Number(from))).toFixed(0)} ms a case, making it included`,
);

function tell({ planted, answer }: Outcome): void {
  console.log(`${planted.name} (${planted.kind}): ${answer.verdict}`);
  console.log(`  planted ${planted.truth.map(textOf).join(' | ') || 'nothing'}`);
  for (const { when, cause, events, expected, p } of answer.explanations)
    console.log(
      `  ${cause ? 'cause  ' : 'nearest'} ${textOf(when)}: ${events} for ${expected.toPrecision(3)}, p ${p}`,
    );
}
