import type { Observed, Proof, ProofInput, RateRatio } from './prove.ts';

type Numbers = Omit<Proof, 'verdict' | 'because'>;

/** From numbers to one word and one sentence. */
export function judge(
  { before, after, control }: ProofInput,
  { treated, control: other, effect, rateAfterMax, exposureNeeded }: Numbers,
  confidence: number,
): Pick<Proof, 'verdict' | 'because'> {
  const seen = `${told(before)} before, ${told(after)} after`;
  if (before.exposure === 0)
    return { verdict: 'too early', because: 'Nothing is known of the time before the fix.' };
  if (after.exposure === 0) return { verdict: 'too early', because: 'No machine has run with the fix yet.' };
  if (!effect || !treated)
    return { verdict: 'too early', because: `${seen}: without a crash there is nothing to compare.` };
  const against = other
    ? `, against machines without the fix, whose rate went to ${percent(other.ratio)}`
    : '';
  const numbers = `${seen}: the rate is ${rangeOf(effect, other !== null)}${against} (p = ${short(effect.p)})`;
  const ceiling =
    after.events === 0 && rateAfterMax !== null
      ? ` None was seen since; up to one in ${Math.round(1 / rateAfterMax).toLocaleString('en-US')} machine-days would still fit.`
      : '';
  if (effect.p <= 1 - confidence)
    return effect.ratio < 1
      ? { verdict: 'helped', because: `${numbers}.${ceiling}` }
      : { verdict: 'worse', because: `${numbers}.` };
  const needed = exposureNeeded.halved;
  if (needed !== null && after.exposure >= needed)
    return {
      verdict: 'no difference seen yet',
      because: `${numbers}. Had the crashes been halved, that would most likely have shown by now.${ceiling}`,
    };
  return {
    verdict: 'too early',
    because: `${numbers}. ${waitOf(before, after, control !== undefined, exposureNeeded)}`,
  };
}

function waitOf(
  before: Observed,
  after: Observed,
  hasControl: boolean,
  { halved, ended }: Proof['exposureNeeded'],
): string {
  const more = (needed: number) => Math.max(0, Math.ceil(needed - after.exposure)).toLocaleString('en-US');
  const control = hasControl ? ', and as much again without the fix' : '';
  if (halved !== null)
    return `${more(halved)} more machine-days${control} would show a halving with a probability of 80 %.`;
  if (ended !== null && after.exposure < ended)
    return `The time before had too few crashes (${before.events}) to ever show a halving; that they ended would show after ${more(ended)} more machine-days${control}.`;
  return `The time before had too few crashes (${before.events}) to show it.`;
}

function told({ events, exposure }: Observed): string {
  return `${events} ${events === 1 ? 'crash' : 'crashes'} in ${exposure.toLocaleString('en-US', { maximumFractionDigits: 0 })} machine-days`;
}

function rangeOf({ ratio, interval: [low, high] }: RateRatio, hasControl: boolean): string {
  const of = hasControl ? 'of what it would be' : 'of what it was';
  return `${percent(ratio)} ${of} (${percent(low)} to ${Number.isFinite(high) ? percent(high) : 'anything'})`;
}

function percent(share: number): string {
  if (!Number.isFinite(share)) return 'more than nothing';
  return `${short(share * 100)} %`;
}

function short(value: number): string {
  if (value === 0) return '0';
  if (value < 0.0001) return value.toExponential(0);
  return Number(value.toPrecision(2)).toLocaleString('en-US', { maximumFractionDigits: 4 });
}
