// Makes a record of every crash that healing has seen, from what can be had of it. Level-triggered: each pass looks
// at the incidents there are and at the records there are, so that it can be killed at any line.
import type { Cause } from '../api/diagnosis.ts';
import type { Reason } from '../api/fields.ts';
import type { Incident } from '../api/incident.ts';
import type { Machine } from '../api/machine.ts';
import type { Caches } from '../fleet/caches.ts';
import type { Clusters } from '../fleet/clusters.ts';
import { nodeNameOf } from '../fleet/labels.ts';
import type { NodeView } from '../fleet/node-view.ts';
import type { Blobs } from '../platform/blobs/blobs.ts';
import { type Clock, DAY, dayOf, HOUR, MINUTE } from '../platform/clock/clock.ts';
import type { CrashQuery, CrashRecord } from '../platform/history/crash-record.ts';
import type { FleetDay } from '../platform/history/crashes.ts';
import { collectCrashEvidence } from '../platform/hosts/actions/collect.ts';
import { HostError } from '../platform/hosts/host.ts';
import type { Outside } from '../platform/outside.ts';
import type { Provider } from '../platform/providers/provider.ts';
import { sideBySide } from '../platform/side-by-side.ts';
import { hostOf } from '../signals/targets.ts';
import { attributesOf } from './attributes.ts';
import { censusOf, type Kind } from './census.ts';
import { explainLog } from './kernel-log/explain.ts';
import { inOrder } from './kernel-log/order.ts';
import { excerptOf } from './records/excerpt.ts';
import { decisionsOf, mutedSignatures } from './records/families.ts';
import { kept, type Piece } from './records/keep.ts';
import { recordOf } from './records/make.ts';
import { merged } from './records/merge.ts';
import { placeOf } from './records/places.ts';
import { HISTORY_HOURS, type Surge, surgeHold, surgesOf } from './surges.ts';

export const COLLECT_MS = 15_000;
/** Surges are looked for this often. */
export const WATCH_MS = 10 * MINUTE;
/** A surge that was quiet for less is not told again. */
const TOLD_MS = 3 * DAY;
/** Crashes of the last weeks that are looked at; a fleet that has more has a surge. */
const WATCHED_MAX = 20_000;
/** Crashes that one pass takes in; after the fall of a zone the rest waits for the next. */
const INCIDENTS_MAX = 50;
/** A year of crashes at 0.2 ‰ a day of 50,000 machines is 3,650; each has one to three pieces of evidence. */
export const CRASHES_KEPT_MS = 400 * DAY;
/** Looked at this often. */
export const FORGET_MS = HOUR;
/** Pieces of evidence that one pass deletes. */
const FORGOTTEN_MAX = 5000;
/** Read, or deleted, side by side. */
const READS_MAX = 8;
/** A dump is named by the machine's clock, which may be off; the first symptom comes some seconds after it. */
const BEFORE_MS = 2 * HOUR;
/** An incident that ended longer ago has its record, or never will. */
const LATE_MS = DAY;

/** What a machine died of by itself. A hang whose NMI made it panic ends as a crash too. */
const CRASHES: ReadonlySet<Cause> = new Set(['Crashed', 'Dumping', 'Hung', 'Restarted']);

/** Where records are kept: CrashStore in production. */
export interface CrashRecords {
  get(id: string): Promise<CrashRecord | undefined>;
  put(record: CrashRecord): Promise<unknown>;
  list(query: CrashQuery): Promise<CrashRecord[]>;
  orders(): Promise<{ order: unknown }[]>;
  hasFleetDay(day: string): Promise<boolean>;
  putFleetDay(day: string, kinds: readonly Kind[]): Promise<void>;
  fleetDays(since: Date, until: Date): Promise<FleetDay[]>;
  /** Says which evidence nobody needs any more. */
  deleteBefore(before: Date): Promise<{ blobs: string[] }>;
}

export interface CrashOptions {
  clock: Clock;
  caches: Caches;
  clusters: Clusters;
  /** Throws while the database is away. */
  records(): Promise<CrashRecords>;
  /** None: only the excerpt is kept. */
  blobs?: Blobs;
  /** How long records and evidence are kept. */
  keep_ms: number;
  /** What the machine sent over netconsole, oldest first. */
  netconsole(node: NodeView | undefined): readonly string[];
  outside(machine: Machine): Outside | undefined;
  /** Called when a surge begins. */
  onSurge(surge: Surge): void;
  /** Called once for each crash. */
  onRecord(record: CrashRecord): void;
  onError(machine: string, error: unknown): void;
}

export class CrashController {
  readonly #options: CrashOptions;
  /** What has been recorded of each incident: `open` while it went on, `ended` with all that came. */
  readonly #done = new Map<string, 'open' | 'ended'>();
  /** What surges now, the largest excess first. */
  surges: readonly Surge[] = [];
  /** When each surge was seen last. */
  readonly #told = new Map<string, number>();
  /** The last day whose fleet is written down. */
  #counted = '';
  /** The last day on which old records were deleted. */
  #forgotten = '';
  /** Evidence of records that are gone. What is lost of this list with the process stays, and only takes room. */
  readonly #orphans = new Set<string>();

  constructor(options: CrashOptions) {
    this.#options = options;
  }

  /** One pass. What fails is told and tried again in the next one. */
  async collect(): Promise<void> {
    const { caches, onError } = this.#options;
    const due = [...caches.incidents.values()].filter((incident) => this.#isDue(incident));
    await sideBySide(due.slice(0, INCIDENTS_MAX), READS_MAX, (incident) =>
      this.#take(incident).catch((error: unknown) => onError(incident.spec.machine, error)),
    );
    for (const name of this.#done.keys()) if (!caches.incidents.get(name)) this.#done.delete(name);
  }

  /** Writes down today's fleet, if nobody has yet. */
  async count(): Promise<void> {
    const { clock, caches, clusters, records } = this.#options;
    const day = dayOf(clock.now());
    if (day === this.#counted) return;
    const store = await records();
    if (!(await store.hasFleetDay(day))) {
      const nodeOf = (machine: Machine, node: string) => clusters.get(machine.spec.cluster)?.nodes.get(node);
      await store.putFleetDay(day, censusOf(caches.machines.values(), nodeOf, clock.now()));
    }
    this.#counted = day;
  }

  /** Deletes what is older than it is to be kept, once a day; evidence that can't be reached now, in a later pass. */
  async forget(): Promise<void> {
    const { clock, records, blobs, keep_ms } = this.#options;
    const day = dayOf(clock.now());
    if (day !== this.#forgotten) {
      const store = await records();
      const gone = await store.deleteBefore(new Date(clock.now() - keep_ms));
      if (blobs) for (const key of gone.blobs) this.#orphans.add(key);
      this.#forgotten = day;
    }
    await sideBySide([...this.#orphans].slice(0, FORGOTTEN_MAX), READS_MAX, async (key) => {
      await blobs?.delete(key);
      this.#orphans.delete(key);
    });
  }

  /** Looks for surges in the records of the last weeks. */
  async watch(): Promise<void> {
    const { clock, records, onSurge } = this.#options;
    const now = clock.now();
    const since = now - HISTORY_HOURS * HOUR;
    const store = await records();
    const crashes = await store.list({ since, limit: WATCHED_MAX });
    const days = await store.fleetDays(new Date(since), new Date(now + DAY));
    const muted = mutedSignatures(crashes, await decisionsOf(store), now);
    this.surges = surgesOf(crashes, days, now).filter(
      ({ by, value }) => by !== 'signature' || !muted.has(value),
    );
    for (const surge of this.surges) {
      const name = nameOf(surge);
      const told = this.#told.get(name);
      this.#told.set(name, now);
      // One that comes and goes is one surge.
      if (told === undefined || now - told > TOLD_MS) onSurge(surge);
    }
  }

  /** Why a rollout shall wait for this machine. */
  hold(machine: Machine): Reason | undefined {
    if (this.surges.length === 0) return undefined;
    const { clock, clusters } = this.#options;
    const node = clusters.get(machine.spec.cluster)?.nodes.get(nodeNameOf(machine));
    return surgeHold(this.surges, attributesOf(machine, node, clock.now()));
  }

  #isDue({ metadata, status }: Incident): boolean {
    const cause = status?.diagnosis?.cause;
    if (!cause || !CRASHES.has(cause)) return false;
    const done = this.#done.get(metadata.name);
    if (!status.endedAt) return done === undefined;
    return done !== 'ended' && this.#options.clock.now() - Date.parse(status.endedAt) < LATE_MS;
  }

  async #take(incident: Incident): Promise<void> {
    const { clock, caches, clusters, blobs, records, onRecord } = this.#options;
    const { machine: name, cluster, node: nodeName } = incident.spec;
    const machine = caches.machines.get(name);
    const node = clusters.get(cluster)?.nodes.get(nodeName);
    const ended = incident.status?.endedAt !== undefined;
    const pieces = await this.#pieces(incident, machine, node, ended);
    // Parts of a pstore dump come newest first; each kind is put in order by itself.
    const kinds = Map.groupBy(pieces, ({ kind }) => kind);
    const log = [...kinds.values()]
      .map((own) => inOrder(own.map(({ bytes }) => bytes.toString('latin1')).join('\n')))
      .join('\n');
    const explanation = explainLog(Buffer.from(log, 'latin1'));
    const cause = incident.status?.diagnosis?.cause;
    // A hang is a crash only when the kernel says why; else it is healing's business.
    if (cause === 'Hung' && explanation.title === '') {
      if (ended) this.#done.set(incident.metadata.name, 'ended');
      return;
    }
    const evidence = await Promise.all(pieces.map((piece) => kept(piece, blobs)));
    const now = clock.now();
    const fresh = recordOf(explanation, {
      cluster,
      machine: name,
      happenedAt:
        incident.status?.firstSymptomAt ?? incident.metadata.creationTimestamp ?? new Date(now).toISOString(),
      timeFrom: 'incident',
      seenAt: new Date(now).toISOString(),
      attributes: machine ? attributesOf(machine, node, now) : { cluster },
      evidence,
      excerpt: excerptOf(log, explanation.report),
      incident: incident.metadata.name,
      ...operationOf(incident),
    });
    const store = await records();
    const known = await store.get(fresh.id);
    const record = known ? merged(known, fresh) : fresh;
    await store.put(record);
    this.#done.set(incident.metadata.name, ended ? 'ended' : 'open');
    if (!known) onRecord(record);
  }

  /**
   * The provider's console and netconsole: what is left while the machine itself does not answer. When it does again,
   * what it has kept on its disk: kdump's log is whole where the others are cut.
   */
  async #pieces(
    incident: Incident,
    machine: Machine | undefined,
    node: NodeView | undefined,
    answers: boolean,
  ): Promise<Piece[]> {
    const { outside, netconsole } = this.#options;
    const pieces: Piece[] = machine && answers ? await this.#kept(incident, machine, node) : [];
    const sent = netconsole(node);
    if (sent.length > 0) pieces.push(ofLines('netconsole', sent));
    const provider = machine && outside(machine)?.provider;
    if (provider) pieces.push(...(await this.#fromProvider(incident, machine, provider)));
    return pieces;
  }

  /** What the provider shows of it: the end of its console, and what its BMC has logged since then. */
  async #fromProvider(incident: Incident, machine: Machine, provider: Provider): Promise<Piece[]> {
    const { id } = machine.spec.provider;
    const { console, can } = await provider.describe(id);
    const pieces: Piece[] = console.length > 0 ? [ofLines('console', console)] : [];
    if (can.EventLog !== true) return pieces;
    try {
      const since = new Date(beganAt(incident) - BEFORE_MS).toISOString();
      const entries = (await provider.eventLog(id)).filter(
        ({ at, severity }) => severity !== 'OK' && at && at >= since,
      );
      const lines = entries.map(({ id, at, sensor, message }) => `${id} | ${at} | ${sensor} | ${message}`);
      if (lines.length > 0) pieces.push(ofLines('sel', lines));
    } catch (error) {
      this.#options.onError(machine.metadata.name, error);
    }
    return pieces;
  }

  async #kept(incident: Incident, machine: Machine, node: NodeView | undefined): Promise<Piece[]> {
    const { clock, outside, onError } = this.#options;
    const hosts = outside(machine)?.hosts;
    const began = beganAt(incident);
    try {
      if (!hosts) return [];
      const { files } = await collectCrashEvidence(hosts, hostOf(machine, node), began - BEFORE_MS, {
        clock,
      });
      return files.map(({ path, bytes }) => ({
        kind: placeOf(path).kind,
        name: path,
        bytes: Buffer.from(bytes),
      }));
    } catch (error) {
      // Nobody has given us a way onto its hosts.
      if (error instanceof HostError && error.failure === 'Refused') return [];
      // The machine is well for healing though its disk cannot be read: the record is made of the rest.
      onError(machine.metadata.name, error);
      return [];
    }
  }
}

function beganAt({ status, metadata }: Incident): number {
  return Date.parse(status?.firstSymptomAt ?? metadata.creationTimestamp ?? '');
}

function ofLines(kind: 'netconsole' | 'console' | 'sel', lines: readonly string[]): Piece {
  return { kind, name: kind, bytes: Buffer.from(lines.join('\n'), 'latin1') };
}

function nameOf({ by, value }: Surge): string {
  return `${by}=${value}`;
}

/** The operation that heals it, so that a crash leads to what was done. */
function operationOf(incident: Incident): { operation?: string } {
  const operation = incident.status?.attempts?.at(-1)?.operation;
  return operation ? { operation } : {};
}
