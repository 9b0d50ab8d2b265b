// Is a count rising above what its history explains? Pure, online: each point is judged by those before it.
//
//   series.ts      rows of a table → points in order, or an error that names the row
//   baseline.ts    what history expects of the next point: level.ts × rhythm.ts, and how it scatters: dispersion.ts
//   evidence.ts    several points together: is the rate higher, and since when
//   monitor.ts     the rule: alarm, since when, how sure, and when it is over
//   watch.ts       many series at once with one budget of false alarms; those with little history lean on a parent
//   trials.ts, score.ts   made-up years and what the rule makes of them: docs/crash-trend.md has the table
export type { Point } from './baseline.ts';
export {
  type Alarm,
  FALSE_ALARMS_DEFAULT,
  type JudgedPoint,
  Monitor,
  type MonitorOptions,
} from './monitor.ts';
export { rowsOf, type Series, SeriesError, type SeriesOptions, type SourceRow, seriesOf } from './series.ts';
export { type Trend, trend } from './trend.ts';
export { type WatchedSeries, type WatchedTrend, watchMany } from './watch.ts';
