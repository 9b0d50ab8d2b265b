import type { Location } from '../api/machine.ts';
import type { NodeView } from '../fleet/node-view.ts';
import type { Answer } from '../platform/hosts/prober.ts';
import type { Abilities, MaintenanceEvent, Power } from '../platform/providers/provider.ts';
import type { HardwareTrouble } from './hardware-signs.ts';
import type { Rule } from './rules.ts';

/** A reading with the moment since which it has been so. All times are epoch milliseconds of our own clock. */
export interface Since<T> {
  value: T;
  since: number;
}

/** What the console's last lines say, see console.ts. */
export type ConsoleSign =
  | 'None'
  | 'Running'
  | 'Booting'
  | 'Panicked'
  | 'Dumping'
  | 'LinkDown'
  | 'LockedUp'
  | 'ShutDown';

/**
 * What Drover holds true of one machine, from vantage points that do not depend on each other: the API
 * server (node, lease), our own probes (patrol), the provider (power, console).
 */
export interface Belief {
  machine: string;
  cluster: string;
  node: string;
  location: Location;
  labels: Readonly<Record<string, string>>;
  model: string;
  /** Undefined: no such Node. */
  nodeFace?: NodeView;
  ready: Since<'True' | 'False' | 'Unknown'>;
  /** The kubelet says that a disk is full, since. */
  diskPressure?: number;
  /** When this boot id was first seen; the first one after our own start counts as old. */
  boot: Since<string>;
  /** A boot id replaced another before our eyes at this time. */
  rebootedAt?: number;
  ssh?: Since<Answer>;
  kubelet?: Since<Answer>;
  probedAt?: number;
  /** Read only of suspects: watching all leases would be 5,000 events a second on 50,000 nodes. */
  lease?: { renewTime: string; movedAt: number; readAt: number };
  power?: Since<Power> & { readAt: number };
  console?: Since<ConsoleSign> & { readAt: number };
  maintenance?: string;
  /** What the provider says is wrong with its hardware. */
  health?: { value: string; readAt: number };
  /** What its hardware's log says is wrong. */
  hardware?: HardwareTrouble;
  /** Its log says that its system has stopped: until then it is looked at as one in trouble. */
  alertUntil?: number;
  /** What its provider can do for it, as it said last. */
  can?: Abilities;
  /** What the provider has announced for later, in words. */
  announced?: string;
  /** What the provider has announced and waits with: a reboot or a move is due. */
  due?: Since<MaintenanceEvent>;
  /** Rules of the HealingPolicy that selects it, in their order. */
  rules?: readonly Rule[];
  /** Those that hold now, by name, and since when. */
  ruleSince?: Map<string, number>;
  /** Nothing has been wrong since; undefined while something is. */
  wellSince?: number;
  /** Something has been wrong since; undefined while nothing is. */
  sickSince?: number;
}

/** Readings of power and lease older than this are no evidence. */
export const READING_AGE_MS_MAX = 30_000;
/** A kubelet renews its lease each 10 s; one that has not moved for this long has missed two renewals. */
export const LEASE_STALLED_MS = 22_000;

/** Every witness is asked about it, often. */
export function isSuspect({ sickSince, alertUntil = 0 }: Belief, now: number): boolean {
  return sickSince !== undefined || now < alertUntil;
}

/**
 * Whether what its hardware's log said still counts: for its time, and as long as the provider itself says that something
 * is wrong beyond a warning. One that has gone silent must not hold a machine sick.
 */
export function hardwareFails({ hardware, health }: Belief, now: number): boolean {
  if (!hardware) return false;
  if (now < hardware.until) return true;
  return health !== undefined && isBroken(health.value) && now - health.readAt <= READING_AGE_MS_MAX;
}

export function isBroken(health: string): boolean {
  return health !== '' && !/\bwarning\b/i.test(health);
}

/** Whether the lease is known to move, known to stand, or not known. */
export function leaseState(belief: Belief, now: number): 'Moving' | 'Stalled' | 'Unknown' {
  const { lease } = belief;
  if (!lease || now - lease.readAt > READING_AGE_MS_MAX) return 'Unknown';
  if (lease.readAt - lease.movedAt >= LEASE_STALLED_MS) return 'Stalled';
  return now - lease.movedAt < LEASE_STALLED_MS ? 'Moving' : 'Unknown';
}

/** The machine answers on neither port: from here it looks dead. */
export function isLost(belief: Belief): boolean {
  return belief.ssh !== undefined && belief.ssh.value !== 'Answers' && belief.kubelet?.value !== 'Answers';
}

/** Its own console or power tells why it answers nothing: neither its switch nor its zone is to blame. */
export function tellsWhy({ power, console }: Belief): boolean {
  return power?.value === 'Off' || (console !== undefined && OWN_TROUBLE.has(console.value));
}

const OWN_TROUBLE: ReadonlySet<ConsoleSign> = new Set(['Panicked', 'Dumping', 'Booting']);

/** The site's own rules that have held for their time, in the policy's order. */
export function rulesThatHold({ rules, ruleSince }: Belief, now: number): { rule: Rule; since: number }[] {
  const found: { rule: Rule; since: number }[] = [];
  for (const rule of rules ?? []) {
    const since = ruleSince?.get(rule.name);
    if (since !== undefined && now - since >= rule.for_ms) found.push({ rule, since });
  }
  return found;
}

/** Keeps `since` while the value stays the same. */
export function observed<T>(before: Since<T> | undefined, value: T, now: number): Since<T> {
  return before && before.value === value ? before : { value, since: now };
}
