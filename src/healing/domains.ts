import { type Belief, isLost } from '../signals/belief.ts';

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

/** All domains that are out now. Pure; one pass over the fleet. */
export function outagesOf(beliefs: Iterable<Belief>, limits: DomainLimits): Map<string, Outage> {
  const counts = new Map<string, Outage>();
  for (const belief of beliefs) {
    const lost = isLost(belief) ? 1 : 0;
    for (const { level, name } of domainsOf(belief)) {
      const count = counts.get(name);
      if (count) {
        count.lost += lost;
        count.total++;
      } else counts.set(name, { name, level, lost, total: 1 });
    }
  }
  for (const [name, { lost, total }] of counts) {
    if (lost < limits.atLeast || lost * 100 < total * limits.share) counts.delete(name);
  }
  return counts;
}

/** The widest domain that is out and holds the machine. */
export function outageAround(belief: Belief, outages: ReadonlyMap<string, Outage>): Outage | undefined {
  for (const { name } of domainsOf(belief)) {
    const outage = outages.get(name);
    if (outage) return outage;
  }
  return undefined;
}
