// Places a plan's Pods with the real kube-scheduler, and finds the margin at which all have a place.
import { SECOND } from '../../platform/clock/clock.ts';
import type { ExtendedResource } from './amounts.ts';
import { grown, guessOf, leastMargin, type Order } from './margin.ts';
import { type Refusal, refusalOf } from './refusal.ts';
import { countOf, type NodeKind, type Scene } from './scene.ts';
import type { Stage, Tried } from './stage.ts';

export interface VerifyOptions {
  scheduler: string;
  order: Order;
  /** Percent; 0: only the plan itself is tried. */
  marginMax: number;
}

/** As it is printed and as `-o json` writes it. docs/planning-verify.md says what each field means. */
export interface Verification {
  scheduler: string;
  order: Order;
  machines: number;
  pods: number;
  /** On the machines of the plan. */
  placed: number;
  /** By workload. */
  unplaced: Unplaced[];
  /** Absent where all are placed without, or nothing up to the most sufficed. */
  margin?: Margin;
  trials: TrialDone[];
  resources: ExtendedResource[];
  lostZone?: string;
  /** Machines left out, held for others that fail. */
  spares: number;
}

export interface Unplaced {
  workload: string;
  pods: number;
  /** In the scheduler's words, what most of them were told. */
  why?: Refusal;
  /** Where it said something else. */
  message?: string;
}

export interface Margin {
  percent: number;
  /** More than the plan has. */
  machines: number;
  cost: number;
  kinds: { class: string; zone?: string; profile?: string; more: number }[];
}

export interface TrialDone {
  percent: number;
  machines: number;
  placed: number;
  /** Of those with more machines, one that does not suffice ends at the first Pod without a place. */
  sufficed: boolean;
  seconds: number;
}

export async function verify(
  scene: Scene,
  stage: Stage,
  { scheduler, order, marginMax }: VerifyOptions,
  tell: (done: TrialDone) => void,
): Promise<Verification> {
  const pods = countOf(scene.pods);
  const trials: TrialDone[] = [];
  const attempt = async (percent: number): Promise<Tried> => {
    const nodes = grown(scene.nodes, percent);
    const tried = await stage.run({ nodes, pods: scene.pods, scheduler, order, untilRefused: percent > 0 });
    const { placed, time_ms } = tried;
    const done = {
      percent,
      machines: countOf(nodes),
      placed,
      sufficed: placed === pods,
      seconds: Math.round((time_ms / SECOND) * 10) / 10,
    };
    trials.push(done);
    tell(done);
    return tried;
  };
  const first = await attempt(0);
  const suffices = once(scene.nodes, async (more) => (await attempt(more)).placed === pods);
  const left = (label: string) => first.unplaced.get(label)?.count ?? 0;
  const percent =
    first.placed === pods
      ? undefined
      : await leastMargin(suffices, marginMax, guessOf(scene.pods, left, countOf(scene.nodes)));
  return {
    scheduler,
    order,
    machines: countOf(scene.nodes),
    pods,
    placed: first.placed,
    unplaced: unplacedOf(scene, first),
    ...(percent !== undefined && { margin: marginOf(scene.nodes, percent) }),
    trials,
    resources: scene.resources,
    ...(scene.lostZone !== undefined && { lostZone: scene.lostZone }),
    spares: scene.spares,
  };
}

/** Percentages that come to the same machines are tried once: chance must not decide between them. */
function once(
  nodes: readonly NodeKind[],
  suffices: (percent: number) => Promise<boolean>,
): (percent: number) => Promise<boolean> {
  const known = new Map<string, Promise<boolean>>();
  return (percent) => {
    const key = grown(nodes, percent)
      .map(({ count }) => count)
      .join();
    const answer = known.get(key) ?? suffices(percent);
    known.set(key, answer);
    return answer;
  };
}

function marginOf(nodes: readonly NodeKind[], percent: number): Margin {
  const kinds = grown(nodes, percent).map((node, at) => ({
    node,
    more: node.count - (nodes[at] as NodeKind).count,
  }));
  return {
    percent,
    machines: kinds.reduce((sum, { more }) => sum + more, 0),
    cost: kinds.reduce((sum, { node, more }) => sum + more * node.price, 0),
    kinds: kinds
      .filter(({ more }) => more > 0)
      .map(({ node: { class: name, zone, profile }, more }) => ({
        class: name,
        ...(zone && { zone }),
        ...(profile && { profile }),
        more,
      })),
  };
}

function unplacedOf({ pods, resources }: Scene, { unplaced }: Tried): Unplaced[] {
  return pods.flatMap(({ workload, label }): Unplaced[] => {
    const left = unplaced.get(label);
    if (!left) return [];
    const message = mostFrequent(left.messages);
    const why = message === undefined ? undefined : refusalOf(message, resources);
    const said = why ? { why } : { ...(message && { message: message.slice(0, 1024) }) };
    return [{ workload, pods: left.count, ...said }];
  });
}

function mostFrequent(all: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const each of all) counts.set(each, (counts.get(each) ?? 0) + 1);
  return [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))[0]?.[0];
}
