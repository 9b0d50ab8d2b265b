// What a log says: which of its reports matters, what the hardware said, and whether somebody meant it.
import { type LogContents, LogReader, type SignSeen } from './reader.ts';
import type { Report } from './report.ts';
import type { Weight } from './rule-schema.ts';
import { builtInRules, type RuleSet } from './rules.ts';

export interface HardwareEvidence {
  sign: string;
  part: string;
  weight: Weight;
  count: number;
  firstLine: number;
  sample: string;
}

export interface PlannedEvidence {
  sign: string;
  means: string;
  line: number;
  sample: string;
}

export type Cause = 'hardware' | 'kernel' | 'planned' | 'unknown';

export interface LogExplanation {
  /** Empty: no crash in it. */
  title: string;
  alternatives: string[];
  /** The report that matters. */
  report?: Report;
  /** The others, in the order of the log. */
  others: Report[];
  /** All reports seen, also those that are not kept. */
  count: number;
  corrupted: boolean;
  hardware: HardwareEvidence[];
  planned: PlannedEvidence[];
  cause: Cause;
  because: string;
  /** 0 to 1: how far the title and the frame can be trusted. */
  confidence: number;
  kernel?: string;
  lines: number;
  bytes: number;
  boots: number;
}

/** Reports this close before a fatal one belong to its story; an older one is another. */
const EPISODE_S = 300;

/**
 * Explains a whole log. Never throws, whatever the bytes.
 *
 * @param log raw bytes, of any size
 */
export function explainLog(log: Uint8Array, rules: RuleSet = builtInRules()): LogExplanation {
  const reader = new LogReader(rules);
  const PIECE = 1 << 20;
  for (let at = 0; at < log.length; at += PIECE) reader.push(log.subarray(at, at + PIECE));
  return explainContents(reader.end());
}

/** Explains what a LogReader has read. */
export function explainContents(contents: LogContents): LogExplanation {
  const report = mattering(contents.reports);
  const hardware = contents.signs.flatMap(hardwareOf);
  const planned = contents.signs.flatMap(plannedOf);
  const kernel = report?.facts.kernel ?? contents.kernel;
  const { cause, because } = causeOf(report, hardware, planned);
  return {
    title: report?.title ?? '',
    alternatives: report?.alternatives ?? [],
    ...(report && { report }),
    others: contents.reports.filter((each) => each !== report),
    count: contents.count,
    corrupted: report?.corrupted ?? false,
    hardware,
    planned,
    cause,
    because,
    confidence: report ? confidenceOf(report) : 1,
    ...(kernel !== undefined && { kernel }),
    lines: contents.lines,
    bytes: contents.bytes,
    boots: contents.boots,
  };
}

/**
 * The first report of the story that killed the machine: what comes after it is mostly its consequence, and what
 * came long before is another story. Where nothing was fatal, the first.
 */
function mattering(reports: readonly Report[]): Report | undefined {
  const told = reports.filter(({ severity }) => severity !== 'note');
  const deadly = told.findLast(({ severity, panicked }) => panicked || severity === 'fatal');
  if (!deadly) return told[0] ?? reports[0];
  const before = told.slice(0, told.indexOf(deadly));
  let first = deadly;
  for (const report of before.reverse()) {
    if (
      first.time !== undefined &&
      report.time !== undefined &&
      Math.abs(first.time - report.time) > EPISODE_S
    )
      break;
    first = report;
  }
  return first;
}

function hardwareOf({ sign, count, firstLine, sample }: SignSeen): HardwareEvidence[] {
  if (!sign.hardware) return [];
  return [{ sign: sign.name, ...sign.hardware, count, firstLine, sample }];
}

function plannedOf({ sign, firstLine, sample }: SignSeen): PlannedEvidence[] {
  if (!sign.planned) return [];
  return [{ sign: sign.name, means: sign.planned.means, line: firstLine, sample }];
}

function causeOf(
  report: Report | undefined,
  hardware: readonly HardwareEvidence[],
  planned: readonly PlannedEvidence[],
): { cause: Cause; because: string } {
  if (report?.class === 'planned')
    return { cause: 'planned', because: planned[0]?.means ?? 'Somebody asked for this crash.' };
  const certain = hardware.find(({ weight }) => weight === 'certain');
  if (report?.class === 'hardware' || certain) {
    const part = certain?.part ?? 'hardware';
    return {
      cause: 'hardware',
      because: `The ${part} reported an error that it could not mend: ${certain?.sample ?? report?.opening}`,
    };
  }
  const strong = hardware.find(({ weight }) => weight === 'strong');
  if (!report) {
    if (strong)
      return {
        cause: 'hardware',
        because: `No crash of the kernel, but the ${strong.part} reported errors: ${strong.sample}`,
      };
    const [meant] = planned;
    if (meant) return { cause: 'planned', because: meant.means };
    return { cause: 'unknown', because: 'There is no crash in this log.' };
  }
  if (report.class === 'reboot')
    return {
      cause: 'unknown',
      because:
        'The kernel began anew and nothing before says why: a loss of power, a hard reset, or the log was lost. The BMC’s event log knows more.',
    };
  if (report.class === 'nmi')
    return strong
      ? {
          cause: 'hardware',
          because: `An NMI, and the ${strong.part} reported an error with it: ${strong.sample}`,
        }
      : {
          cause: 'unknown',
          because:
            'An NMI of unknown origin: a person, the BMC or Drover asked a machine that hangs for its dump, or hardware that says no more. The BMC’s event log tells them apart; what the CPUs did is in the report.',
        };
  const errors = strong ? `; but the ${strong.part} reported errors too: ${strong.sample}` : '';
  return {
    cause: 'kernel',
    because: `The kernel reports it of itself, and no part of the hardware reports an error that explains it${errors}.`,
  };
}

function confidenceOf(report: Report): number {
  if (report.corrupted) return 0.3;
  if (report.severity === 'note') return 0.4;
  return report.frame === undefined && report.title.endsWith('corrupted') ? 0.3 : 0.9;
}
