import { type Alarm, type JudgedPoint, Monitor } from './monitor.ts';
import type { Series } from './series.ts';

export interface Trend {
  points: JudgedPoint[];
  alarms: Alarm[];
}

/**
 * Judges a whole series, each point by those before it.
 *
 *     const { alarms } = trend(seriesOf(rows), { falseAlarms: 0.2 });
 */
export function trend(series: Series, options: { falseAlarms?: number } = {}): Trend {
  const monitor = new Monitor({ step: series.step, ...options });
  return { points: series.points.map((point) => monitor.step(point)), alarms: monitor.alarms };
}
