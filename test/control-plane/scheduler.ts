// kube-scheduler's configuration: as it comes, and beside it a profile that packs.

/** Extended resources of `drover plan verify` that count where it is chosen between Nodes; each costs time at every Pod. */
const EXTENDED_MAX = 16;

/** What a Pod sets as its schedulerName. */
export const PACKS = 'drover-pack';

export interface SchedulerClient {
  kubeconfig: string;
  qps: number;
  burst: number;
}

/**
 * Without a word the scheduler prefers the emptiest of some of the Nodes. `drover-pack` prefers the fullest of all, over
 * every resource that the Pod asks for.
 */
export function schedulerConfig({ kubeconfig, qps, burst }: SchedulerClient): string {
  const extended = Array.from({ length: EXTENDED_MAX }, (_, at) => `drover.dev/resource-${at + 1}`);
  const resources = ['cpu', 'memory', ...extended].map((name) => ({ name, weight: 1 }));
  const config = {
    apiVersion: 'kubescheduler.config.k8s.io/v1',
    kind: 'KubeSchedulerConfiguration',
    clientConnection: { kubeconfig, qps, burst },
    leaderElection: { leaderElect: false },
    profiles: [
      { schedulerName: 'default-scheduler' },
      {
        schedulerName: PACKS,
        percentageOfNodesToScore: 100,
        plugins: {
          // Pods of one priority can't take each other's place; to look for it is slow.
          postFilter: { disabled: [{ name: '*' }] },
          preScore: { disabled: [{ name: '*' }], enabled: [{ name: 'NodeResourcesFit' }] },
          score: { disabled: [{ name: '*' }], enabled: [{ name: 'NodeResourcesFit', weight: 1 }] },
        },
        pluginConfig: [
          {
            name: 'NodeResourcesFit',
            args: { scoringStrategy: { type: 'MostAllocated', resources } },
          },
        ],
      },
    ],
  };
  return `${JSON.stringify(config, undefined, 2)}\n`; // JSON is YAML
}
