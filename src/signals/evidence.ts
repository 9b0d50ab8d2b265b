import { type Belief, rulesThatHold } from './belief.ts';
import { troubleText } from './hardware-signs.ts';

/** As many as a Machine's status takes. */
const LINES_MAX = 16;

/**
 * What is held true of a machine, a line a vantage point, with the time since which it has been so. No ages:
 * a line changes only when the world does, so that it can stand in a status without being written each second.
 */
export function evidenceLines(belief: Belief | undefined): string[] {
  if (!belief) return [];
  const lines: string[] = [];
  const since = (at: number) => new Date(at).toISOString().slice(0, 19).replace('T', ' ');
  if (!belief.nodeFace) lines.push('node: there is no such Node');
  else
    lines.push(
      `node: Ready=${belief.ready.value} since ${since(belief.ready.since)}${belief.nodeFace.unschedulable ? ', cordoned' : ''}`,
    );
  if (belief.ssh) lines.push(`ssh: ${belief.ssh.value} since ${since(belief.ssh.since)}`);
  if (belief.kubelet)
    lines.push(`kubelet port: ${belief.kubelet.value} since ${since(belief.kubelet.since)}`);
  if (belief.power) lines.push(`power: ${belief.power.value} since ${since(belief.power.since)}`);
  if (belief.console) lines.push(`console: ${belief.console.value} since ${since(belief.console.since)}`);
  if (belief.rebootedAt !== undefined)
    lines.push(`boot id: changed by itself at ${since(belief.rebootedAt)}`);
  for (const { rule, since: at } of rulesThatHold(belief, Number.POSITIVE_INFINITY))
    lines.push(`rule ${rule.name}: holds since ${since(at)}`);
  if (belief.hardware) lines.push(`${troubleText(belief.hardware)}; seen ${since(belief.hardware.since)}`);
  if (belief.maintenance) lines.push(`provider: ${belief.maintenance}`);
  if (belief.announced) lines.push(`provider announces: ${belief.announced}`);
  return lines.slice(0, LINES_MAX);
}
