// What a rule makes of the trials: false alarms in 30 days, share of surges seen, and how late.
import { DAY } from '../../platform/clock/clock.ts';
import type { Point } from './baseline.ts';
import { Monitor } from './monitor.ts';
import { pointsOf, type Random, type Story } from './trials.ts';

export interface Score {
  name: string;
  runs: number;
  falseAlarmsPerMonth: number;
  /** Share of runs in which the last surge was seen before it ended. */
  found: number;
  /** Days after the first point of the surge: 0 is "at that point". */
  delayMedian: number;
  delayP90: number;
  /** Alarms for one surge beyond the first, a run. */
  repeats: number;
}

export function scoreOf(story: Story, runs: number, random: Random, falseAlarms?: number): Score {
  const surges = story.surges ?? [];
  const last = surges.at(-1);
  const delays: number[] = [];
  let wrong = 0;
  let quiet_days = 0;
  let repeats = 0;
  for (let run = 0; run < runs; run++) {
    const points = pointsOf(story, random);
    const raised = raisedDays(points, story, falseAlarms);
    // For so long after its end a surge may still be told late, or end late: those are no false alarms.
    const late = 7;
    const isQuiet = (day: number) => surges.every(({ from, to }) => day < from || day >= to + late);
    wrong += raised.filter(isQuiet).length;
    quiet_days +=
      story.days - surges.reduce((sum, { from, to }) => sum + Math.min(to + late, story.days) - from, 0);
    for (const { from, to } of surges)
      repeats += Math.max(0, raised.filter((day) => day >= from && day < to + late).length - 1);
    const hit = last && raised.find((day) => day >= last.from && day < last.to);
    if (last && hit !== undefined) delays.push(hit - firstPoint(last.from, story));
  }
  delays.sort((a, b) => a - b);
  // A surge never seen is infinitely late: medians are over all runs.
  const at = (share: number) => delays[Math.ceil(share * runs) - 1] ?? Number.POSITIVE_INFINITY;
  return {
    name: story.name,
    runs,
    falseAlarmsPerMonth: (wrong / quiet_days) * 30,
    found: delays.length / runs,
    delayMedian: at(0.5),
    delayP90: at(0.9),
    repeats: repeats / runs,
  };
}

function firstPoint(from: number, story: Story): number {
  return story.step === 'hour' ? Math.ceil(from * 24) / 24 : Math.ceil(from);
}

function raisedDays(points: readonly Point[], story: Story, falseAlarms: number | undefined): number[] {
  const monitor = new Monitor({
    step: story.step ?? 'day',
    ...(falseAlarms !== undefined && { falseAlarms }),
  });
  const days = new Map<string, number>();
  const start = points[0]?.at ?? 0;
  for (const point of points) {
    days.set(point.date, (point.at - start) / DAY);
    monitor.step(point);
  }
  return monitor.alarms.map(({ raisedAt }) => days.get(raisedAt) as number);
}
