// From cells to what people and programs read: names, figures, what could not be told apart, and the verdict.

import { someOf } from '../../platform/some-of.ts';
import { because, type Part, type Verdict, verdictBecause, type When } from './because.ts';
import { find, type Prepared, prepare } from './correlate.ts';
import { type Cell, keyOf, partOf, type Sums, totalsOf } from './cube.ts';
import { ratioInterval } from './interval.ts';
import type { Question } from './join.ts';
import { namesOf } from './names.ts';
import { withoutCell } from './objective.ts';
import { intersected, type RowLists, sumsOf, weightOf } from './row-lists.ts';
import { certainty, expectedOf, shapeOf, tail } from './score.ts';
import { type Cause, type Found, rivalsOf } from './search.ts';

export interface Explanation {
  /** Attribute values joined by "and". */
  readonly when: When;
  /** Part of the answer. Others are shown because they come near, or cannot be told from a cause. */
  readonly cause: boolean;
  readonly events: number;
  /** Events had nothing been unusual here: by exposure, own earlier rate, and the level everywhere else. */
  readonly expected: number;
  /** In the population's unit: machines, machine-days … */
  readonly exposure: number;
  /** events ÷ expected, with its 95 % interval. */
  readonly ratio: number;
  readonly interval: readonly [number, number];
  /** Corrected for all combinations that were looked at. */
  readonly p: number;
  /** Other names of (nearly) the same machines. */
  readonly sameAs: readonly When[];
  readonly because: string;
}

export interface Answer {
  readonly verdict: Verdict;
  readonly because: string;
  readonly explanations: readonly Explanation[];
  readonly totals: {
    readonly events: number;
    readonly expected: number;
    readonly exposure: number;
    /** events ÷ expected over everything; 1 by definition where there is no before. */
    readonly ratio: number;
    readonly interval: readonly [number, number];
    /** observed ÷ expected where no cause is. */
    readonly elsewhere: number;
  };
  /** Cells with events that were counted, and combinations of attributes. */
  readonly tried: { readonly cells: number; readonly combinations: number };
  readonly notes: readonly string[];
}

const SHOWN_MAX = 12;

/**
 * What events have in common, against a population and a time before. Columns are dictionary-encoded; counts are
 * events or exposure of a row, 1 where there are none. The same input, in whatever order of rows and columns,
 * gives the same answer. Throws a QuestionError where the tables do not fit together.
 */
export function correlate(question: Question): Answer {
  const { prepared, found } = find(prepare(question));
  return answerOf(prepared, found, question.beforeEvents !== undefined);
}

function answerOf(prepared: Prepared, found: Found, hasBefore: boolean): Answer {
  const { raw, settings, rate, noise, joined } = prepared;
  const { causes, whole } = found;
  const totals = totalsOf(raw);
  const expected = expectedOf(totals, raw.prior);
  const per = settings.dispersion;
  const cells = causes.map(({ cell }) => cell);
  const rivals = found.causes.length > 0 ? rivalsOf(found, settings) : [];
  const describe = (cell: Cell, cause?: Cause) => explanationOf(prepared, found, cell, cause, cells);
  const parts = causes.slice(0, SHOWN_MAX).map((cause) => describe(cause.cell, cause));
  const shown = new Set(cells.map(keyOf));
  for (const rival of rivals) {
    if (shown.has(keyOf(rival.cell))) continue;
    shown.add(keyOf(rival.cell));
    parts.push({ ...describe(rival.cell), rivalOf: parts[rival.of]?.when });
  }
  const nearest = found.first.nearest;
  if (causes.length === 0 && nearest) parts.push(describe(nearest.cell));
  const elsewhere =
    causes.length > 0
      ? whole.fit(cells).base * (noise?.level ?? 1)
      : noise
        ? noise.level
        : expected > 0
          ? totals.events / expected
          : 1;
  const interval = ratioInterval(totals.events / per, expected / per, shapeOf(totals, raw.prior) / per);
  const isRise =
    hasBefore &&
    (noise
      ? noise.level > 1.05
      : interval[0] > 1 &&
        tail(totals.events / per, expected / per, shapeOf(totals, raw.prior) / per) < settings.alpha);
  const verdict: Verdict =
    causes.length > 0 ? (rivals.length > 0 ? 'ambiguous' : 'explained') : isRise ? 'even' : 'chance';
  const about = {
    verdict,
    hasBefore,
    events: totals.events,
    expected,
    ratio: expected > 0 ? totals.events / expected : 1,
    interval,
    elsewhere,
    attributes: joined.attributes.map(({ name }) => name),
  };
  return {
    verdict,
    because: verdictBecause(about, parts),
    explanations: parts.map((part) => ({
      when: part.when,
      cause: part.cause,
      events: tidy(part.events),
      expected: tidy(part.expected),
      exposure: tidy(part.exposure),
      ratio: tidy(part.ratio),
      interval: [tidy(part.interval[0]), tidy(part.interval[1])],
      p: Number(part.p.toPrecision(3)),
      sameAs: part.sameAs,
      because: because(part, about),
    })),
    totals: {
      events: tidy(totals.events),
      expected: tidy(expected),
      exposure: tidy(totals.expected / rate),
      ratio: tidy(about.ratio),
      interval: [tidy(interval[0]), tidy(interval[1])],
      elsewhere: tidy(elsewhere),
    },
    tried: { cells: found.cellsVisited, combinations: found.cuboidsVisited },
    notes: notesOf(prepared),
  };
}

/** Eight digits: sums of the same numbers in another order agree to more. */
function tidy(number: number): number {
  return Number(number.toPrecision(8));
}

function whenOf({ raw }: Prepared, { attributes, codes }: Cell): When {
  return Object.fromEntries(
    attributes.map((attribute, at) => [
      raw.attributes[attribute]?.name ?? '',
      raw.attributes[attribute]?.values[codes[at] as number] ?? '',
    ]),
  );
}

function explanationOf(
  prepared: Prepared,
  { whole }: Found,
  cell: Cell,
  cause: Cause | undefined,
  causes: readonly Cell[],
): Part {
  const { raw, settings, rate, noise, cube } = prepared;
  // A rival stands in the place of the causes that it would replace.
  const list = cause ? causes : [...causes.filter((each) => !overlaps(whole, each, cell)), cell];
  const bit = list.findIndex((each) => keyOf(each) === keyOf(cell));
  const fit = whole.fit(list);
  const level = noise?.level ?? 1;
  const own = sumsOf(raw.blocks, whole.lists.of(cell));
  const { events: counted, mean, shape, exposed } = withoutCell(fit, bit, cube.prior);
  const others = exposed > 0 ? mean / exposed : fit.base;
  const expected = noise ? level * others * denseExpected(prepared, whole.lists.of(cell)) : mean;
  const per = settings.dispersion;
  const known = certainty(shape, fit.rest, whole.level);
  const [low, high] = ratioInterval(counted / per, mean / per, known / per);
  const ratio = expected > 0 ? own.events / expected : 0;
  // Effective counts give the width; the ratio is that of the numbers handed in.
  const shift = mean > 0 && counted > 0 ? ratio / (counted / mean) : 1;
  const names = namesOf(raw, cell, whole.lists);
  const raw_p = tail(counted / per, mean / per, known / per);
  return {
    cell,
    when: whenOf(prepared, names.cell),
    sameAs: names.sameAs.map((same) => whenOf(prepared, same)),
    cause: cause !== undefined,
    events: own.events,
    expected,
    exposure: own.expected / rate,
    exposureAll: totalsOf(raw).expected / rate,
    ratio,
    interval: [low * shift, high * shift],
    p: cause?.p ?? Math.min(1, raw_p * Math.exp(whole.penalty(cell))),
    isMachine: cell.attributes.some((each) => raw.attributes[each]?.isIdentifier),
    parents: parentsOf(prepared, whole.lists, names.cell, own, fit.base * level),
    rivalOf: undefined,
  };
}

function overlaps({ lists }: Found['whole'], a: Cell, b: Cell): boolean {
  const others = lists.of(b);
  return lists.of(a).some((rows, at) => intersected(rows, others[at] as Int32Array).length > 0);
}

/** What leaves expect one by one: in dense tables a cell's own earlier count is that of its leaves. */
function denseExpected({ leaves }: Prepared, [rows]: readonly Int32Array[]): number {
  return rows && leaves ? weightOf(leaves.expected, rows) : 0;
}

/** Each condition left out in turn: what the wider set shows without this cell. */
function parentsOf(
  prepared: Prepared,
  lists: RowLists,
  cell: Cell,
  own: Sums,
  base: number,
): Part['parents'] {
  if (cell.attributes.length < 2) return [];
  return cell.attributes.map((left, place) => {
    const parent = partOf(cell, (at) => at !== place);
    const sums = sumsOf(prepared.raw.blocks, lists.of(parent));
    const rest: Sums = {
      events: sums.events - own.events,
      expected: sums.expected - own.expected,
      beforeEvents: sums.beforeEvents - own.beforeEvents,
      beforeExpected: sums.beforeExpected - own.beforeExpected,
    };
    const { prior } = prepared.raw;
    return {
      when: whenOf(prepared, parent),
      without: prepared.raw.attributes[left]?.name ?? '',
      events: rest.events,
      expected: base * expectedOf(rest, prior),
    };
  });
}

function notesOf({ joined, noise, settings }: Prepared): string[] {
  const notes: string[] = [];
  const missing = joined.leftOut
    .filter(({ why }) => why === 'is not in all the tables')
    .map(({ column }) => column);
  if (missing.length > 0) notes.push(`Left out, since not all tables have them: ${listed(missing)}.`);
  const single = joined.leftOut.filter(({ why }) => why === 'has one value only').map(({ column }) => column);
  if (single.length > 0) notes.push(`Left out, since they have one value only: ${listed(single)}.`);
  const many = joined.leftOut.filter(({ why }) => why.startsWith('more than'));
  if (many.length > 0) notes.push(`${many.length} columns were left out: ${many[0]?.why}.`);
  const names = joined.attributes.filter(({ isIdentifier }) => isIdentifier).map(({ name }) => name);
  if (names.length > 0) notes.push(`Taken for names of machines, and not combined: ${listed(names)}.`);
  const alone = settings.alone
    .filter((at) => !joined.attributes[at]?.isIdentifier)
    .map((at) => joined.attributes[at]?.name ?? '');
  if (alone.length > 0)
    notes.push(`Looked at by themselves only, as there are many columns: ${listed(alone)}.`);
  if (joined.strangers.length > 0) {
    const list = joined.strangers.map(
      ({ column, value, events }) => `${column} ${value || '(empty)'} (${round(events)})`,
    );
    notes.push(`Events with values that no machine of the population has, never blamed: ${listed(list)}.`);
  }
  if (noise)
    notes.push('The numbers are dense: deviations are measured against the noise of the table itself.');
  else if (settings.dispersion > 1.05)
    notes.push(
      `Events cluster: their variance is ${round(settings.dispersion)} times that of independent ones.`,
    );
  return notes;
}

function listed(items: readonly string[]): string {
  return someOf(items, 8);
}

function round(number: number): string {
  return String(Number(number.toPrecision(3)));
}
