// One crash of one machine, as it is kept. What the machine was at that time is part of it: labels, kernels and
// racks change, and a crash must be counted where it happened.

export const CRASH_CAUSES = ['hardware', 'kernel', 'planned', 'unknown'] as const;
export type CrashCause = (typeof CRASH_CAUSES)[number];

/** Where the evidence of a crash comes from. */
export const EVIDENCE_KINDS = [
  'vmcore-dmesg',
  'pstore',
  'journal',
  'console',
  'netconsole',
  'sel',
  'rasdaemon',
  // What crash(8) answered of a dump.
  'crash-utility',
  'log',
] as const;
export type EvidenceKind = (typeof EVIDENCE_KINDS)[number];

export interface Evidence {
  kind: EvidenceKind;
  /** What it was called where it was found. */
  name: string;
  /** Key in the blob store; missing when it was too large or is past its time. */
  blob?: string;
  bytes: number;
  sha256: string;
  /** Only its last part was kept. */
  cut?: boolean;
}

export interface CrashRecord {
  /** Made of the machine and the evidence: the same crash handed in twice is one record. */
  id: string;
  cluster: string;
  machine: string;
  /** ISO 8601. By our clock or the evidence's place, never worked out from a sick machine's clock alone. */
  happenedAt: string;
  /** How `happenedAt` is known: `incident`, `path`, `file`, `given`. */
  timeFrom: string;
  seenAt: string;
  /** Seconds since its boot. */
  uptime_s?: number;
  /** Region, zone, room, rack, unit, environment, group, model, cpu, os, kernel, bios, bmc, nic, type, workload. */
  attributes: Record<string, string>;
  signature: string;
  title: string;
  class: string;
  severity: string;
  cause: CrashCause;
  because: string;
  frame?: string;
  frames: string[];
  module?: string;
  process?: string;
  corrupted: boolean;
  confidence: number;
  /** Signs of the hardware: part, sign, weight and how often. */
  hardware: { part: string; sign: string; weight: string; count: number; sample: string }[];
  /** What explains it when it was meant: an operation, an event, a line of the log. */
  planned?: string;
  incident?: string;
  operation?: string;
  evidence: Evidence[];
  /** The report itself, a few dozen lines, so that it is at hand when the raw evidence is gone. */
  excerpt: string;
}

export interface CrashQuery {
  machine?: string;
  cluster?: string;
  signature?: string;
  cause?: CrashCause;
  /** Planned ones are left out unless this is true. */
  planned?: boolean;
  /** Epoch milliseconds. */
  since?: number;
  until?: number;
  /** Attributes that must have one of these values, or none of them. */
  where?: readonly { key: string; values: readonly string[]; not: boolean }[];
  limit: number;
}
