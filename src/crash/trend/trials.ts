// Made-up years to judge the rule by: what must not alarm, and what must. Used by tests, the calibration
// script and the bench.
import { DAY, HOUR } from '../../platform/clock/clock.ts';
import type { Point } from './baseline.ts';
import { hourOf, isWeekend, type Step, weekdayOf } from './calendar.ts';

export type Random = () => number;

/** A draw from the standard normal distribution (Box and Muller). */
export function drawNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** A draw from Γ(shape, 1) (Marsaglia and Tsang 2000). */
export function drawGamma(random: Random, shape: number): number {
  if (shape < 1) return drawGamma(random, shape + 1) * (1 - random()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = drawNormal(random);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random()) < (x * x) / 2 + d - d * v + d * Math.log(v)) return d * v;
  }
}

export function drawPoisson(random: Random, mean: number): number {
  if (mean > 30) {
    // Γ splits a large mean: the time of the n-th event, then the rest (Ahrens and Dieter 1974).
    const n = Math.floor(mean * 0.875);
    const at = drawGamma(random, n);
    if (at <= mean) return n + drawPoisson(random, mean - at);
    return drawBinomial(random, n - 1, mean / at);
  }
  let count = 0;
  for (let left = random(), limit = Math.exp(-mean); left > limit; left *= random()) count++;
  return count;
}

function drawBinomial(random: Random, n: number, share: number): number {
  let count = 0;
  for (let i = 0; i < n; i++) if (random() < share) count++;
  return count;
}

/** Negative binomial with variance = dispersion × mean. */
export function drawCount(random: Random, mean: number, dispersion: number): number {
  if (mean <= 0) return 0;
  if (dispersion <= 1) return drawPoisson(random, mean);
  return drawPoisson(random, drawGamma(random, mean / (dispersion - 1)) * (dispersion - 1));
}

export interface Story {
  name: string;
  step?: Step;
  days: number;
  /** Events a day without a surge. */
  daily: number;
  dispersion: number;
  /** Times the daily mean, by day (with fractions for hours) and whether it is a weekend. */
  shape?(day: number, weekend: boolean): number;
  /** Machine-days a day, where the series has an exposure; the mean goes with it. */
  fleet?(day: number): number;
  /** Times on which nothing is reported. */
  missing?(day: number): boolean;
  /** Surges, with what they do to the mean. */
  surges?: readonly { from: number; to: number; ratio(day: number, weekend: boolean): number }[];
}

const START = Date.UTC(2026, 0, 5);

export function pointsOf(story: Story, random: Random): Point[] {
  const step = story.step === 'hour' ? HOUR : DAY;
  const shift = Math.floor(random() * 7) * DAY;
  const points: Point[] = [];
  const base = story.fleet?.(0) ?? 1;
  for (let elapsed = 0; elapsed < story.days * DAY; elapsed += step) {
    const at = START + shift + elapsed;
    const day = elapsed / DAY;
    if (story.missing?.(day)) continue;
    const weekend = isWeekend(weekdayOf(at));
    const exposure = (story.fleet?.(day) ?? 1) * (step / DAY);
    let mean = ((story.daily * exposure) / base) * (story.shape?.(day, weekend) ?? 1);
    if (step === HOUR) mean *= 1 + 0.3 * Math.sin((hourOf(at) / 24) * 2 * Math.PI);
    for (const { from, to, ratio } of story.surges ?? [])
      if (day >= from && day < to) mean *= ratio(day, weekend);
    const date = new Date(at).toISOString();
    points.push({
      date: step === DAY ? date.slice(0, 10) : date,
      at,
      local: at,
      count: drawCount(random, mean, story.dispersion),
      exposure: story.fleet ? exposure : 1,
    });
  }
  return points;
}

const year = { days: 365, daily: 10 };
const dip = (share: number) => (_: number, weekend: boolean) => (weekend ? 1 - share : 1);
const wave = (days: number) => (day: number) => 1 + 0.2 * Math.sin((2 * Math.PI * day) / days);
const season = wave(365);

export const NULLS: readonly Story[] = [
  { ...year, name: 'plain', dispersion: 1 },
  { ...year, name: 'dispersion 1.2', dispersion: 1.2 },
  { ...year, name: 'dispersion 2', dispersion: 2 },
  { ...year, name: 'dispersion 3', dispersion: 3 },
  { ...year, name: 'weekends −30 %', dispersion: 1.5, shape: dip(0.3) },
  { ...year, name: 'weekends −60 %', dispersion: 1.5, shape: dip(0.6) },
  { ...year, name: 'season ±20 %', dispersion: 1.5, shape: season },
  {
    ...year,
    name: 'season, weekends −50 %, dispersion 2.5',
    dispersion: 2.5,
    shape: (day, weekend) => season(day) * (weekend ? 0.5 : 1),
  },
  { ...year, name: 'season ±20 % of 90 days', dispersion: 1.5, shape: wave(90) },
  { ...year, name: 'growth, ×2 in the year', dispersion: 1.5, shape: (day) => 2 ** (day / 365) },
  {
    ...year,
    name: 'a week at half, each 90 days',
    dispersion: 1.5,
    shape: (day) => (day % 90 < 83 ? 1 : 0.5),
  },
  { ...year, name: 'fleet doubles', dispersion: 1.5, fleet: (day) => (day < 180 ? 25_000 : 50_000) },
  { ...year, name: 'fleet grows threefold', dispersion: 1.5, fleet: (day) => 20_000 + 110 * day },
  { ...year, name: 'gaps', dispersion: 1.5, missing: (day) => day % 47 >= 44 || (day >= 200 && day < 221) },
  { ...year, name: 'maintenance: days of none', dispersion: 1.5, shape: (day) => (day % 30 >= 28 ? 0 : 1) },
  { ...year, name: 'start only (21 days)', days: 21, dispersion: 2 },
  { ...year, name: 'small fleet, 1 a day', daily: 1, dispersion: 1.3 },
  { ...year, name: 'small fleet, 0.1 a day', daily: 0.1, dispersion: 1.3 },
  { ...year, name: 'small fleet, 0.005 a day', daily: 0.005, dispersion: 1.2 },
  { ...year, name: 'large, 200 a day', daily: 200, dispersion: 3, shape: dip(0.4) },
  {
    ...year,
    name: 'large, 1,000 a day, season, weekends −50 %',
    daily: 1000,
    dispersion: 2,
    shape: (day, weekend) => season(day) * (weekend ? 0.5 : 1),
  },
  {
    ...year,
    name: 'hours, 40 a day, weekends −50 %',
    step: 'hour',
    days: 90,
    daily: 40,
    dispersion: 1.5,
    shape: dip(0.5),
  },
  { ...year, name: 'hours', step: 'hour', days: 120, dispersion: 1.1, shape: dip(0.3) },
];

const FROM = 200;
const step = (ratio: number, days = 14) => [{ from: FROM, to: FROM + days, ratio: () => ratio }];

export const SURGES: readonly Story[] = [
  { ...year, name: 'step ×1.5', dispersion: 1.5, surges: step(1.5) },
  { ...year, name: 'step ×2', dispersion: 1.5, surges: step(2) },
  { ...year, name: 'step ×2, plain', dispersion: 1, surges: step(2) },
  { ...year, name: 'step ×2, dispersion 3', dispersion: 3, surges: step(2) },
  { ...year, name: 'step ×3', dispersion: 1.5, surges: step(3) },
  { ...year, name: '+8 a day on 10', dispersion: 1.5, surges: step(1.8) },
  { ...year, name: 'spike of one day ×3', dispersion: 1.5, surges: step(3, 1) },
  {
    ...year,
    name: 'slow rise to ×2 in 3 weeks',
    dispersion: 1.5,
    surges: [{ from: FROM, to: FROM + 35, ratio: (day) => 1 + Math.min(1, (day - FROM) / 21) }],
  },
  {
    ...year,
    name: 'step ×2, weekends −50 %',
    dispersion: 1.5,
    shape: dip(0.5),
    surges: step(2),
  },
  {
    ...year,
    name: 'weekends only ×2.5',
    dispersion: 1.5,
    surges: [{ from: FROM, to: FROM + 35, ratio: (_, weekend) => (weekend ? 2.5 : 1) }],
  },
  {
    ...year,
    name: 'step ×2 after 20 days',
    days: 60,
    dispersion: 1.5,
    surges: [{ from: 20, to: 34, ratio: () => 2 }],
  },
  { ...year, name: 'small fleet, 0.01 to 3 a day', daily: 0.01, dispersion: 1.2, surges: step(300) },
  { ...year, name: 'small fleet, 0.1 to 1 a day', daily: 0.1, dispersion: 1.2, surges: step(10) },
  { ...year, name: '1 to 3 a day', daily: 1, dispersion: 1.3, surges: step(3) },
  {
    ...year,
    name: 'second ×2, 40 days after a first',
    dispersion: 1.5,
    surges: [
      { from: 150, to: 160, ratio: () => 2.5 },
      { from: FROM, to: FROM + 14, ratio: () => 2 },
    ],
  },
  {
    ...year,
    name: 'hours: step ×2',
    step: 'hour',
    days: 90,
    dispersion: 1.1,
    surges: [{ from: 60.5, to: 67, ratio: () => 2 }],
  },
  {
    ...year,
    name: 'hours: step ×4',
    step: 'hour',
    days: 90,
    dispersion: 1.1,
    surges: [{ from: 60.5, to: 67, ratio: () => 4 }],
  },
];
