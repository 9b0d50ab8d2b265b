// The objects that are put on the control plane.
import { toTime } from '../../platform/clock/clock.ts';
import type { KubeObject, Node, Pod } from '../../platform/kube/objects.ts';
import { LABELS, type NodeKind, type PodKind } from './scene.ts';

export const NAMESPACE = 'drover-plan-verify';
/** All that is made carries it, and only what carries it is removed. */
export const MARK = 'drover.dev/plan-verify';

const MARKED = { [MARK]: 'true' };

export function namespaceObject(): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE, labels: MARKED } };
}

export function nodeObject({ labels, allocatable }: NodeKind, name: string, now: number): Node {
  const at = toTime(now);
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { ...MARKED, ...labels, 'kubernetes.io/hostname': name } },
    status: {
      capacity: allocatable,
      allocatable,
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'KubeletReady',
          lastHeartbeatTime: at,
          lastTransitionTime: at,
        },
      ],
    },
  };
}

export function podObject(kind: PodKind, name: string, schedulerName: string): Pod {
  const { label, requests, classes, apart, spread } = kind;
  const extended = Object.entries(requests).filter(([resource]) => resource.includes('/'));
  const affinity = {
    ...(classes && { nodeAffinity: onClasses(classes) }),
    ...(apart.length > 0 && { podAntiAffinity: apartFrom(apart) }),
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: NAMESPACE, labels: { ...MARKED, [LABELS.workload]: label } },
    spec: {
      schedulerName,
      // Nobody renews the leases of these Nodes, so a node-lifecycle controller taints them after a while.
      tolerations: [{ operator: 'Exists' }],
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'main',
          image: 'none',
          // Of extended resources Kubernetes wants limits, equal to the requests.
          resources: { requests, limits: Object.fromEntries(extended) },
        },
      ],
      ...(Object.keys(affinity).length > 0 && { affinity }),
      ...(spread && { topologySpreadConstraints: [overZones(label)] }),
    },
  };
}

function onClasses(values: readonly string[]) {
  const matchExpressions = [{ key: LABELS.class, operator: 'In', values }];
  return {
    requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] },
  };
}

function apartFrom(values: readonly string[]) {
  return {
    requiredDuringSchedulingIgnoredDuringExecution: [
      {
        topologyKey: 'kubernetes.io/hostname',
        labelSelector: { matchExpressions: [{ key: LABELS.workload, operator: 'In', values }] },
      },
    ],
  };
}

function overZones(label: string) {
  return {
    maxSkew: 1,
    topologyKey: LABELS.zone,
    whenUnsatisfiable: 'DoNotSchedule',
    labelSelector: { matchLabels: { [LABELS.workload]: label } },
  };
}
