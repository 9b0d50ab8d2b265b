// Sentences that somebody who was woken up can read and believe: what, how much, against what, how sure.
import type { Cell } from './cube.ts';

export type When = Readonly<Record<string, string>>;
export type Verdict = 'explained' | 'even' | 'chance' | 'ambiguous';

export interface Part {
  readonly cell: Cell;
  readonly when: When;
  readonly sameAs: readonly When[];
  readonly cause: boolean;
  readonly events: number;
  readonly expected: number;
  readonly exposure: number;
  readonly exposureAll: number;
  readonly ratio: number;
  readonly interval: readonly [number, number];
  readonly p: number;
  readonly isMachine: boolean;
  /** What each wider set shows outside of this cell. */
  readonly parents: readonly { when: When; without: string; events: number; expected: number }[];
  /** The cause that this could be instead. */
  readonly rivalOf: When | undefined;
}

export interface About {
  readonly verdict: Verdict;
  readonly hasBefore: boolean;
  readonly events: number;
  readonly expected: number;
  readonly ratio: number;
  readonly interval: readonly [number, number];
  readonly elsewhere: number;
  readonly attributes: readonly string[];
}

export function because(part: Part, about: About): string {
  const sentences = [headOf(part, about), rateOf(part, about)];
  if (part.cause) sentences.push(parentsOf(part));
  if (part.cause && part.sameAs.length > 0)
    sentences.push(
      `The same machines are also ${part.sameAs.map(nameOf).join('; or ')}: only machines that have one without the other could tell which it is.`,
    );
  if (part.rivalOf) sentences.push(rivalOf(part, part.rivalOf));
  else if (!part.cause)
    sentences.push('That is within what chance does somewhere among so many combinations.');
  return sentences.filter(Boolean).join(' ');
}

function headOf(part: Part, { events }: About): string {
  const share = part.exposureAll > 0 ? part.exposure / part.exposureAll : 0;
  if (part.isMachine)
    return `One machine crashed again and again: ${nameOf(part.when)} has ${number(part.events)} of ${number(events)} events.`;
  return `${number(part.events)} of ${number(events)} events have ${nameOf(part.when)}, which is ${percent(share)} of the population.`;
}

function rateOf({ events, expected, ratio, interval, p, cause }: Part, { hasBefore }: About): string {
  const usual = hasBefore ? 'by its own earlier rate and the level elsewhere now' : 'at the rate elsewhere';
  const times =
    events > 0
      ? `${number(ratio)} times as many (95 % interval ${number(interval[0])} to ${number(interval[1])})`
      : 'none';
  const luck = cause
    ? `; the chance of such a finding anywhere, all combinations counted, is ${chance(p)}`
    : '';
  return `${number(expected)} were to be expected ${usual}: ${times}${luck}.`;
}

function parentsOf({ parents }: Part): string {
  const known = parents.filter(({ expected }) => expected > 0);
  if (known.length === 0) return '';
  const each = known.map(
    ({ when, without, events, expected }) =>
      `${nameOf(when)} with any other ${without} has ${number(events)} for ${number(expected)} expected`,
  );
  const areCalm = known.every(({ events, expected }) => events <= expected + 2 * Math.sqrt(expected) + 1);
  const head = areCalm ? `It takes ${parents.length > 2 ? 'all of it' : 'both'}` : 'Around it';
  return `${head}: ${each.join('; ')}.`;
}

function rivalOf(part: Part, cause: When): string {
  return `The data cannot tell it from ${nameOf(cause)}: nearly all events have both. Machines that have ${nameOf(part.when)} but not ${nameOf(cause)}, or the other way round, would tell: run the workload on some, or wait for more events.`;
}

export function verdictBecause(about: About, parts: readonly Part[]): string {
  const causes = parts.filter(({ cause }) => cause);
  const all = `${number(about.events)} events for ${number(about.expected)} expected`;
  switch (about.verdict) {
    case 'explained':
      return `${causes.length === 1 ? 'One cause stands out' : `${causes.length} causes stand out`}: ${causes.map(({ when }) => nameOf(when)).join('; and ')}.${restOf(about)}`;
    case 'ambiguous':
      return `${causes.map(({ when }) => nameOf(when)).join('; and ')} stands out, but the data cannot tell it from ${parts
        .filter(({ rivalOf: rival }) => rival)
        .map(({ when }) => nameOf(when))
        .join('; or ')}.${restOf(about)}`;
    case 'even':
      return `Events rose evenly, ${number(about.ratio)} times (${all}): no ${about.attributes.slice(0, 3).join(', ') || 'attribute'} or other attribute stands out. Look at what all machines share: load, a service, the time.`;
    case 'chance':
      return about.events === 0
        ? 'There are no events, so there is nothing to explain.'
        : `Nothing stands out from chance (${all}${about.hasBefore ? '' : ', by definition, as there is no time before'}).`;
  }
}

function restOf({ hasBefore, elsewhere }: About): string {
  return hasBefore ? ` Elsewhere the rate is ${number(elsewhere)} times what it was before.` : '';
}

/** kernel 4.19 and model m1 */
export function nameOf(when: When): string {
  return Object.entries(when)
    .map(([name, value]) => `${name} ${value === '' ? '(empty)' : value}`)
    .join(' and ');
}

/** Three digits, no exponent. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const rounded = value >= 100 ? Math.round(value) : Number(value.toPrecision(value < 10 ? 2 : 3));
  return rounded.toLocaleString('en-US', { maximumFractionDigits: 6 });
}

function percent(share: number): string {
  return `${number(share * 100)} %`;
}

function chance(p: number): string {
  if (p > 1e-3) return `1 in ${number(1 / p)}`;
  return p < 1e-9 ? 'under 1 in a billion' : `1 in ${number(1 / p)}`;
}
