// What all benchmarks share. Speed depends on the machine, so each names a naive way and says how many times
// better ours is within the same run; that ratio is what may be compared between machines and versions.

export interface Row {
  what: string;
  value: number;
  unit: string;
  /** Ratio to `of`, another row or a budget. */
  times?: number;
  of?: string;
}

/** One JSON line with `--json`, else a table for people. */
export function report(name: string, about: string, rows: readonly Row[]): void {
  if (process.argv.includes('--json')) {
    console.log(JSON.stringify({ name, about, node: process.version, rows }));
    return;
  }
  const cells = rows.map(({ what, value, unit, times, of }) => [
    what,
    `${short(value)} ${unit}`,
    times === undefined ? '' : `${short(times)} × ${of}`,
  ]);
  const widths = [0, 1].map((column) => Math.max(...cells.map((row) => (row[column] as string).length)));
  console.log(`\n${name}: ${about}`);
  for (const [what = '', value = '', ratio = ''] of cells)
    console.log(`  ${what.padEnd(widths[0] ?? 0)}  ${value.padStart(widths[1] ?? 0)}  ${ratio}`.trimEnd());
}

/** Three telling digits. */
function short(value: number): string {
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return Number(value.toFixed(Math.min(digits, 6))).toLocaleString('en-US', { maximumFractionDigits: 6 });
}

/** Median milliseconds of so many runs, after one that is not counted. */
export async function median_ms(rounds: number, run: () => unknown): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const startedAt = performance.now();
    await run();
    if (round > 0) times.push(performance.now() - startedAt);
  }
  times.sort((a, b) => a - b);
  return times[Math.floor(times.length / 2)] as number;
}

/** Bytes in use after a full collection: `npm run bench` switches it on. */
export function heap_bytes(): number {
  if (!globalThis.gc) throw new Error('run it by npm run bench, or with node --expose-gc');
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}
