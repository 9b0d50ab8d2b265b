/** How many Pods of one workload there are, by date. */
export interface Series {
  name: string;
  /** Before the first date. */
  replicas?: number;
  series: readonly { date: string; replicas: number }[];
}

/** From the last date that has come; without a day, the most there ever are. */
export function replicasOn(
  { series, replicas = 0 }: { series: Series['series']; replicas?: number | undefined },
  day: string | undefined,
): number {
  if (day === undefined) return Math.max(replicas, ...series.map((each) => each.replicas));
  const come = series.filter(({ date }) => date <= day).sort((a, b) => (a.date < b.date ? -1 : 1));
  return come.at(-1)?.replicas ?? replicas;
}
