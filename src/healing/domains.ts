import { type Belief, isLost, tellsWhy } from '../signals/belief.ts';

/** A rack, zone or cluster of which so many machines are lost that the fault is not theirs. */
export interface Outage {
  /** `rack/z1/r03`, `zone/z1`, `cluster/home` */
  name: string;
  level: 'rack' | 'zone' | 'cluster';
  lost: number;
  total: number;
}

export interface DomainLimits {
  /** Percent. */
  share: number;
  atLeast: number;
}

/** The failure domains of a machine, widest first. Racks are unique only within their zone. */
export function domainsOf(
  belief: Pick<Belief, 'cluster' | 'location'>,
): { level: Outage['level']; name: string }[] {
  const { zone, rack } = belief.location;
  const found: { level: Outage['level']; name: string }[] = [
    { level: 'cluster', name: `cluster/${belief.cluster}` },
  ];
  if (zone) found.push({ level: 'zone', name: `zone/${zone}` });
  if (rack) found.push({ level: 'rack', name: `rack/${zone ? `${zone}/` : ''}${rack}` });
  return found;
}

/**
 * All domains that are out now. A zone of two racks has lost half when one of them is dark, and is not out
 * for that: a wider domain must have lost its share without its worst part, too. Pure; one pass over the fleet.
 */
export function outagesOf(beliefs: Iterable<Belief>, limits: DomainLimits): Map<string, Outage> {
  const counts = new Map<string, Outage>();
  const parts = new Map<string, Set<Outage>>();
  for (const belief of beliefs) {
    const lost = isLost(belief) && !tellsWhy(belief) ? 1 : 0;
    let wider: string | undefined;
    for (const { level, name } of domainsOf(belief)) {
      let count = counts.get(name);
      if (!count) {
        count = { name, level, lost: 0, total: 0 };
        counts.set(name, count);
        if (wider !== undefined) parts.set(wider, (parts.get(wider) ?? new Set()).add(count));
      }
      count.lost += lost;
      count.total++;
      wider = name;
    }
  }
  const isOut = ({ lost, total }: { lost: number; total: number }) =>
    total > 0 && lost * 100 >= total * limits.share;
  const found = new Map<string, Outage>();
  for (const [name, count] of counts) {
    if (count.lost < limits.atLeast || !isOut(count)) continue;
    const worst = worstOf(parts.get(name) ?? []);
    if (worst && !isOut({ lost: count.lost - worst.lost, total: count.total - worst.total })) continue;
    found.set(name, count);
  }
  return found;
}

function worstOf(parts: Iterable<Outage>): Outage | undefined {
  let worst: Outage | undefined;
  for (const part of parts) if (!worst || part.lost > worst.lost) worst = part;
  return worst;
}

/** The widest domain that is out and holds the machine. */
export function outageAround(belief: Belief, outages: ReadonlyMap<string, Outage>): Outage | undefined {
  for (const { name } of domainsOf(belief)) {
    const outage = outages.get(name);
    if (outage) return outage;
  }
  return undefined;
}
