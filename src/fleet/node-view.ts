import type { KubeObject, Node } from '../platform/kube/objects.ts';

/** The NodeOperation that cordoned a node; a cordon without it is another's and never undone. */
export const CORDONED_BY = 'drover.dev/cordoned-by';

/** The NodeOperation that freed a dead node's Pods: its out-of-service taint is ours, and taken away when the machine is well. */
export const FREED_BY = 'drover.dev/freed-by';
/** https://kubernetes.io/docs/reference/labels-annotations-taints/#node-kubernetes-io-out-of-service */
export const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';

/** https://kubernetes.io/docs/reference/labels-annotations-taints/#nodekubernetesioinstance-type */
const INSTANCE_TYPE = 'node.kubernetes.io/instance-type';

/** What we keep of a Node: some 300 bytes of 12 KB. */
export interface NodeView {
  name: string;
  ready: 'True' | 'False' | 'Unknown';
  readyReason: string;
  readyMessage: string;
  bootID: string;
  kernelVersion: string;
  /** What crashes may have in common: operating system, processor, instance type. */
  osImage: string;
  architecture: string;
  instanceType: string;
  unschedulable: boolean;
  /** From our annotation; '' where the cordon is another's or there is none. */
  cordonedBy: string;
  /** From our annotation, until what freed its Pods is taken back; '' otherwise. */
  freedBy: string;
  address: string;
  /** Conditions beside Ready, as type → status. */
  conditions: Readonly<Record<string, string>>;
}

export function nodeView(object: KubeObject): NodeView {
  const { metadata, spec, status } = object as Node;
  const conditions: Record<string, string> = {};
  let ready: NodeView['ready'] = 'Unknown';
  let readyReason = 'NoStatus';
  let readyMessage = 'the kubelet has not reported yet';
  for (const condition of status?.conditions ?? []) {
    if (condition.type !== 'Ready') conditions[condition.type] = condition.status;
    else {
      ready = condition.status;
      readyReason = condition.reason ?? '';
      readyMessage = condition.message ?? '';
    }
  }
  return {
    name: metadata.name,
    ready,
    readyReason,
    readyMessage,
    bootID: status?.nodeInfo?.bootID ?? '',
    kernelVersion: status?.nodeInfo?.kernelVersion ?? '',
    osImage: status?.nodeInfo?.osImage ?? '',
    architecture: status?.nodeInfo?.architecture ?? '',
    instanceType: metadata.labels?.[INSTANCE_TYPE] ?? '',
    unschedulable: spec?.unschedulable ?? false,
    cordonedBy: metadata.annotations?.[CORDONED_BY] ?? '',
    freedBy: metadata.annotations?.[FREED_BY] ?? '',
    address: status?.addresses?.find((address) => address.type === 'InternalIP')?.address ?? '',
    conditions,
  };
}
