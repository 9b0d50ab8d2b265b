// How far the scheduler is with a trial's Pods, counted from the watch.
import type { Change } from '../../platform/kube/cache.ts';
import type { KubeObject, Pod } from '../../platform/kube/objects.ts';
import { isFinal } from './refusal.ts';
import { LABELS } from './scene.ts';

export interface PodSeen {
  workload: string;
  /** '' until it is placed. */
  node: string;
  /** Why not; '' where nothing was said yet. */
  refusal: string;
}

export function podSeen(object: KubeObject): PodSeen {
  const { metadata, spec, status } = object as Pod;
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  return {
    workload: metadata.labels?.[LABELS.workload] ?? '',
    node: spec?.nodeName ?? '',
    refusal: scheduled?.status === 'False' ? ((scheduled as { message?: string }).message ?? '') : '',
  };
}

export class Tally {
  placed = 0;
  /** Refused, and nothing that is still to come can help. */
  refusedForGood = 0;
  /** Refused, and may find a place when others have theirs. */
  hopeful = 0;
  changedAt: number;
  onChange: () => void = () => {};
  readonly #nodes: number;
  readonly #pods: number;

  constructor(nodes: number, pods: number, now: number) {
    this.#nodes = nodes;
    this.#pods = pods;
    this.changedAt = now;
  }

  get answered(): number {
    return this.placed + this.refusedForGood + this.hopeful;
  }

  /** Of which the scheduler has not said anything. */
  get waiting(): number {
    return this.#pods - this.answered;
  }

  get allPlaced(): boolean {
    return this.placed === this.#pods;
  }

  count({ before, after }: Change<PodSeen>, now: number): void {
    this.#add(before, -1);
    this.#add(after, 1);
    // The same refusal in other words is no news.
    if (before?.node !== after?.node || !before?.refusal !== !after?.refusal) this.changedAt = now;
    this.onChange();
  }

  #add(pod: PodSeen | undefined, by: number): void {
    if (!pod) return;
    if (pod.node !== '') this.placed += by;
    else if (isFinal(pod.refusal, this.#nodes)) this.refusedForGood += by;
    else if (pod.refusal !== '') this.hopeful += by;
  }
}
