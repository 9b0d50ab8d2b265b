// Many series at once: the fleet, each model, each signature. The budget of false alarms is shared, since many
// places looked at are many chances to be fooled. A series with little history leans on its parent: its prior
// is the parent's rate, the firmer the more alike the parent's children are (Gamma–Poisson, empirical Bayes).
import type { Point } from './baseline.ts';
import type { Step } from './calendar.ts';
import type { Prior } from './level.ts';
import { type Alarm, FALSE_ALARMS_DEFAULT, type JudgedPoint, Monitor } from './monitor.ts';

export interface WatchedSeries {
  id: string;
  /** The id of the series that it is a part of: with an exposure in both. */
  parent?: string;
  /** Share of the budget against the others; 1 when not said. */
  weight?: number;
  points: readonly Point[];
}

export interface WatchedTrend {
  id: string;
  falseAlarms: number;
  points: JudgedPoint[];
  alarms: Alarm[];
}

interface Watched {
  series: WatchedSeries;
  monitor: Monitor;
  siblings: Watched[];
  next: number;
  trend: WatchedTrend;
}

/** Before siblings are seen their rates are thought to differ by as much as their mean … */
const SPREAD_PRIOR = 1;
/** … with the weight of this many expected events. */
const SPREAD_PRIOR_EVENTS = 20;
const SPREAD_MIN = 0.02;
const SPREAD_MAX = 4;
/** Ordinary clustering: so many events say what one independent event would. */
const DISPERSION = 1.5;

/** Judges series side by side, each point by what came before it in its own series and in its parent's. */
export function watchMany(
  all: readonly WatchedSeries[],
  { step, falseAlarms = FALSE_ALARMS_DEFAULT }: { step: Step; falseAlarms?: number },
): WatchedTrend[] {
  const weights = all.reduce((sum, { weight = 1 }) => sum + weight, 0);
  const watched = all.map((series): Watched => {
    const share = (falseAlarms * (series.weight ?? 1)) / weights;
    const monitor = new Monitor({ step, falseAlarms: share });
    const trend = { id: series.id, falseAlarms: share, points: [], alarms: monitor.alarms };
    return { series, monitor, siblings: [], next: 0, trend };
  });
  const byId = new Map(watched.map((one) => [one.series.id, one]));
  if (byId.size < watched.length) throw new RangeError('two series have the same id');
  for (const one of watched) {
    if (one.series.parent === undefined) continue;
    const parent = byId.get(one.series.parent);
    if (!parent || parent === one)
      throw new RangeError(`the parent ${one.series.parent} of ${one.series.id} is not among the series`);
    parent.siblings.push(one);
  }
  for (const at of timesOf(all)) {
    // All priors before any point of this moment: nobody learns from what happens now.
    const priors = new Map<Watched, Prior>();
    for (const parent of watched) leanOn(parent, priors);
    for (const one of watched) {
      const point = one.series.points[one.next];
      if (point?.at !== at) continue;
      one.next++;
      one.trend.points.push(one.monitor.step(point, priors.get(one)));
    }
  }
  return watched.map(({ trend }) => trend);
}

function leanOn(parent: Watched, priors: Map<Watched, Prior>): void {
  if (parent.siblings.length === 0) return;
  const { events, exposure } = parent.monitor.known;
  if (events <= 0 || exposure <= 0) return;
  const rate = events / exposure;
  let spread = SPREAD_PRIOR * SPREAD_PRIOR_EVENTS ** 2;
  let weight = SPREAD_PRIOR_EVENTS ** 2;
  for (const { monitor } of parent.siblings) {
    const { events, exposure } = monitor.known;
    const mean = exposure * rate;
    spread += (events - mean) ** 2 - DISPERSION * mean;
    weight += mean * mean;
  }
  const between = Math.min(SPREAD_MAX, Math.max(SPREAD_MIN, spread / weight));
  const firm = DISPERSION / between;
  for (const child of parent.siblings) priors.set(child, { events: firm, exposure: firm / rate });
}

function timesOf(all: readonly WatchedSeries[]): number[] {
  const times = new Set<number>();
  for (const { points } of all) for (const { at } of points) times.add(at);
  return [...times].sort((a, b) => a - b);
}
