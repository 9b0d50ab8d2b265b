// What kube-scheduler says of a Pod that it has no Node for, made short.
import type { ExtendedResource } from './amounts.ts';

export interface Refusal {
  /** Nodes that were looked at. */
  nodes: number;
  /** The scheduler's words, with how many Nodes they are said of. One Node may be short of several things. */
  reasons: { reason: string; nodes: number }[];
}

const LOOKED_AT = /^0\/(\d+) nodes are available: (.*)$/s;
const PART = /^(\d+) (.+)$/;

/** `0/30 nodes are available: 12 Insufficient cpu, 18 node(s) didn't match … preemption: …`. undefined: said otherwise. */
export function refusalOf(message: string, resources: readonly ExtendedResource[]): Refusal | undefined {
  const [, nodes, said = ''] = LOOKED_AT.exec(message) ?? [];
  if (nodes === undefined) return undefined;
  const names = new Map(resources.map(({ as, resource }) => [as, resource]));
  const [fit = ''] = said.split(/\.?\s+preemption: /);
  const reasons = fit
    .replace(/\.\s*$/, '')
    .split(/, (?=\d)/)
    .flatMap((part) => {
      const [, count, reason] = PART.exec(part) ?? [];
      if (reason === undefined) return [];
      return [
        {
          reason: reason.replace(/drover\.dev\/[a-z0-9-]+/g, (as) => names.get(as) ?? as),
          nodes: Number(count),
        },
      ];
    });
  return {
    nodes: Number(nodes),
    reasons: reasons.sort((a, b) => b.nodes - a.nodes || (a.reason < b.reason ? -1 : 1)),
  };
}

/**
 * Nothing that is still to come can help: room is only taken and Pods that keep apart only become more, but a spread
 * over zones becomes possible again as others are placed.
 */
export function isFinal(message: string, nodes: number): boolean {
  return Number(LOOKED_AT.exec(message)?.[1]) === nodes && !message.includes('topology spread');
}
