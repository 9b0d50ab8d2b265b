// From evidence to the record of one crash. Pure: what is known comes in, the record goes out.
import { createHash } from 'node:crypto';
import type { CrashCause, CrashRecord, Evidence } from '../../platform/history/crash-record.ts';
import type { LogExplanation } from '../kernel-log/explain.ts';
import { signatureOf } from './signature.ts';

export interface Known {
  cluster: string;
  machine: string;
  happenedAt: string;
  timeFrom: string;
  seenAt: string;
  attributes: Record<string, string>;
  evidence: Evidence[];
  excerpt: string;
  incident?: string;
  operation?: string;
  /** What explains the crash when it was meant: an operation of ours, an event of the provider. */
  planned?: string;
}

/** Nothing in the evidence says why: the machine restarted without a word. */
export const SILENT = 'restarted without a crash report';

export function recordOf(explanation: LogExplanation, known: Known): CrashRecord {
  const { report, title, corrupted, confidence, hardware, kernel } = explanation;
  const cause: CrashCause = known.planned ? 'planned' : explanation.cause;
  const said = title || (cause === 'hardware' ? `hardware error: ${hardware[0]?.part}` : SILENT);
  const kind = report?.class ?? (cause === 'hardware' ? 'hardware' : 'reboot');
  const frame = report?.frame;
  const attributes = { ...known.attributes, ...(kernel && !known.attributes.kernel && { kernel }) };
  return {
    id: idOf(known),
    cluster: known.cluster,
    machine: known.machine,
    happenedAt: known.happenedAt,
    timeFrom: known.timeFrom,
    seenAt: known.seenAt,
    ...(report?.time !== undefined && { uptime_s: Math.round(report.time) }),
    attributes,
    signature: signatureOf({ title: said, class: kind, frame, corrupted }),
    title: said,
    class: kind,
    severity: report?.severity ?? 'fatal',
    cause,
    because: known.planned ?? explanation.because,
    ...(frame && { frame }),
    frames: [...(frame ? [frame] : []), ...(report?.otherFrames ?? [])],
    ...(report?.module && { module: report.module }),
    ...(report?.facts.process && { process: report.facts.process }),
    corrupted,
    confidence,
    hardware: hardware.map(({ part, sign, weight, count, sample }) => ({
      part,
      sign,
      weight,
      count,
      sample,
    })),
    ...(known.planned && { planned: known.planned }),
    ...(known.incident && { incident: known.incident }),
    ...(known.operation && { operation: known.operation }),
    evidence: known.evidence,
    excerpt: known.excerpt,
  };
}

/**
 * An incident is one crash, however much evidence comes in. Without one, the same evidence of the same machine is
 * the same crash, whoever hands it in and how often.
 */
function idOf({ cluster, machine, evidence, incident }: Known): string {
  const digests = evidence.map(({ sha256 }) => sha256).sort();
  const what = [cluster, machine, ...(incident ? [incident] : digests)].join('\n');
  return createHash('sha256').update(what).digest('hex').slice(0, 12);
}
