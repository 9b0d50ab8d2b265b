import type { Command } from 'commander';
import type { Clock } from '../platform/clock/clock.ts';
import { lineLog } from '../platform/telemetry/log.ts';
import { type Report, simulate } from '../simulation/simulate.ts';
import { CliError, EXIT, type Io } from './io.ts';

interface Options {
  seed: string;
  seeds: string;
  days: string;
  machines: string;
  output?: string;
  verbose?: boolean;
}

export function register(program: Command, io: Io): void {
  program
    .command('sim')
    .description(
      'Simulate days of a fleet with all faults, from a seed, and say whether the invariants held.',
    )
    .option('--seed <n>', 'first seed; the same seed gives the same run', '1')
    .option('--seeds <n>', 'how many seeds, one after another', '1')
    .option('--days <n>', 'days of each run, also 0.25', '1')
    .option('--machines <n>', 'machines of the fleet, at most 2000', '36')
    .option('-o, --output <format>', 'json: one report a line')
    .option('--verbose', 'print every decision')
    .action((options: Options) => run(options, io));
}

async function run(options: Options, io: Io): Promise<void> {
  const first = numberIn('--seed', options.seed, 0, 2 ** 32 - 1);
  const count = numberIn('--seeds', options.seeds, 1, 100_000);
  const days = numberIn('--days', options.days, 0.01, 365);
  const machines = numberIn('--machines', options.machines, 12, 2000);
  let broken = 0;
  for (let seed = first; seed < first + count; seed++) {
    const log = options.verbose
      ? { logOf: (clock: Clock) => lineLog(clock, (line) => io.out(`${line}\n`)) }
      : {};
    const report = await simulate({ seed, days, machines, ...log });
    io.out(options.output === 'json' ? `${JSON.stringify(report)}\n` : textOf(report));
    if (report.violations.length > 0) broken++;
  }
  if (broken > 0) throw new CliError(`${broken} of ${count} seeds broke an invariant`, EXIT.invariantBroken);
}

function textOf(report: Report): string {
  const stages = Object.entries(report.stages).map(([stage, number]) => `${number} ${stage.toLowerCase()}`);
  const lines = [
    `seed ${report.seed}: ${report.machines} machines, ${report.days} days, ${report.faults} faults, ${report.incidents} incidents ` +
      `(${stages.join(', ')}), ${report.acts} power acts; ${(report.wall_ms / 1000).toFixed(1)} s`,
    `  found ${quantiles(report.detected_s)}; ended ${quantiles(report.healed_s)} after the fault`,
    report.violations.length === 0 ? '  all invariants held' : `  ${report.violations.length} violations:`,
    ...report.violations.map(
      ({ invariant, at, message }) => `  invariant ${invariant} at ${new Date(at).toISOString()}: ${message}`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function quantiles(sorted: readonly number[]): string {
  if (sorted.length === 0) return '-';
  const at = (share: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number);
  return `P50 ${at(0.5)} s, P99 ${at(0.99)} s, worst ${at(1)} s`;
}

function numberIn(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= least && value <= most) return value;
  throw new CliError(`${name}: "${text}" is not a number from ${least} to ${most}`, EXIT.usage);
}
