// The Job that runs one action on a node, as root in a chroot to the host.
import type { JobSettings } from '../../../api/machine-provider.ts';
import { SECOND } from '../../clock/clock.ts';
import type { KubeObject, Resource } from '../../kube/objects.ts';
import type { Order } from '../actions/shell.ts';
import { HostError } from '../host.ts';
import { type Packing, packedScript } from '../packed.ts';
import { wireArgs } from '../ssh/wire.ts';

export const JOBS: Resource = {
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  plural: 'jobs',
  namespaced: true,
};

export const CONTAINER = 'host';
/** On Jobs and their Pods: the Job's name. */
export const RUN_LABEL = 'drover.dev/run';
const MOUNT = '/host';
/** From the Job's creation until its container runs: scheduling, and fetching the image. */
export const START_MS_MAX = 60 * SECOND;
/** A Job that nobody took away goes away by itself. */
const LEFT_S_MAX = 300;
/** A killed container is given so long. */
const GRACE_S = 5;
/** etcd takes 1.5 MB; an action has a few short words. */
const ARGS_BYTES_MAX = 64 * 1024;

export interface JobRun {
  settings: JobSettings;
  /** The Node's name. */
  node: string;
  /** What the provider calls the machine. */
  id: string;
  order: Order;
  packing: Packing;
}

/**
 * A `batch/v1` Job, named as the packing is. It is pinned by the scheduler's own field selector and not by `nodeName`, so
 * that a Node's resources are counted and a Node that is gone is said to be gone. Throws HostError Refused.
 */
export function jobOf({ settings, node, id, order, packing }: JobRun): KubeObject & { spec: unknown } {
  const { namespace, image, priorityClassName, imagePullSecrets } = settings;
  const labels = { 'app.kubernetes.io/managed-by': 'drover', [RUN_LABEL]: packing.name };
  const annotations = { 'drover.dev/node': node, 'drover.dev/machine-id': id };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: packing.name, namespace, labels, annotations },
    spec: {
      backoffLimit: 0,
      completions: 1,
      parallelism: 1,
      activeDeadlineSeconds: Math.ceil((order.timeout_ms + START_MS_MAX) / SECOND),
      ttlSecondsAfterFinished: LEFT_S_MAX,
      template: {
        metadata: { labels, annotations },
        spec: {
          restartPolicy: 'Never',
          terminationGracePeriodSeconds: GRACE_S,
          priorityClassName,
          ...(imagePullSecrets.length > 0 && {
            imagePullSecrets: imagePullSecrets.map((name) => ({ name })),
          }),
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: {
                nodeSelectorTerms: [
                  { matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] },
                ],
              },
            },
          },
          // It repairs nodes that are cordoned, tainted or short of something.
          tolerations: [{ operator: 'Exists' }],
          hostPID: true,
          // A Pod network that is broken is no reason not to start.
          hostNetwork: true,
          dnsPolicy: 'Default',
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          containers: [
            {
              name: CONTAINER,
              image,
              imagePullPolicy: 'IfNotPresent',
              command: commandOf(order, packing),
              securityContext: { privileged: true, runAsUser: 0, readOnlyRootFilesystem: true },
              resources: {
                requests: { cpu: '10m', memory: '32Mi' },
                limits: { cpu: '1', memory: '512Mi' },
              },
              volumeMounts: [{ name: 'host', mountPath: MOUNT, mountPropagation: 'HostToContainer' }],
            },
          ],
          volumes: [{ name: 'host', hostPath: { path: '/', type: 'Directory' } }],
        },
      },
    },
  };
}

/** Arguments are words of their own: no shell reads them. The kubelet does, and makes `$` of `$$`. */
function commandOf(order: Order, packing: Packing): string[] {
  const bytes = Buffer.byteLength(wireArgs(order.args));
  if (bytes > ARGS_BYTES_MAX)
    throw new HostError(
      `the arguments have ${bytes} bytes; a Job takes ${ARGS_BYTES_MAX} at most`,
      'Refused',
    );
  const words = ['chroot', MOUNT, '/bin/sh', '-c', packedScript(order, packing), 'drover', ...order.args];
  return words.map((word) => word.replaceAll('$', '$$$$'));
}
