// What is told of a request: its own conditions, and the one of a Cluster API Machine that is the remediator's to write.
import { z } from 'zod';
import type { Remediation } from '../../api/remediation.ts';
import { patchStatus } from '../../fleet/write-status.ts';
import type { KubeClient } from '../../platform/kube/client.ts';
import { standsSo, withCondition } from '../../platform/kube/conditions.ts';
import { isNotFound } from '../../platform/kube/errors.ts';
import type { Condition, KubeObject } from '../../platform/kube/objects.ts';
import type { Verdict } from './decide.ts';
import { capiMachines, capiOwner } from './whom.ts';

/**
 * "Initially set by the MachineHealthCheck controller; then it is up to the external remediation controller to update or
 * delete this condition" (Cluster API, machine_types.go). v1beta1 has it in another place, and without anybody who reads it.
 */
const EXTERNALLY_REMEDIATED = 'ExternallyRemediated';
const CONDITIONS_VERSION = 'v1beta2';

const conditionsShape = z.object({
  metadata: z.looseObject({ name: z.string(), uid: z.string(), resourceVersion: z.string() }),
  status: z
    .object({
      conditions: z
        .array(z.looseObject({ type: z.string() }))
        .max(100)
        .default([]),
    })
    .prefault({}),
});

export function conditionsOf(
  { status }: Remediation,
  { processing, succeeded, reason, message: whole }: Verdict,
  now: number,
): Condition[] {
  const message = whole.slice(0, 1000);
  const all: Omit<Condition, 'lastTransitionTime'>[] = [
    { type: 'Processing', status: processing ? 'True' : 'False', reason, message },
    { type: 'Succeeded', status: succeeded, reason, message },
    {
      type: 'PermanentNodeDeletionExpected',
      status: 'False',
      reason: 'NodeStays',
      message: 'Drover repairs machines in place',
    },
  ];
  return all.reduce(
    (conditions, next) => withCondition(conditions, next, now),
    (status?.conditions ?? []) as Condition[],
  );
}

/**
 * Says on the Machine how its remediation stands, or takes that away where `verdict` is undefined: the request has ended.
 * Nothing else of the Machine is written; one that has changed meanwhile is met at the next look.
 */
export async function tellMachine(
  client: KubeClient,
  request: Remediation,
  verdict: Verdict | undefined,
  now: number,
  fieldManager: string,
): Promise<void> {
  const owner = capiOwner(request);
  if (!owner?.apiVersion.endsWith(`/${CONDITIONS_VERSION}`)) return;
  const resource = capiMachines(owner);
  const object = await client
    .get<KubeObject>(resource, owner.name, request.metadata.namespace)
    .catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
  const { success, data } = conditionsShape.safeParse(object);
  if (!object || !success || data.metadata.uid !== owner.uid) return;
  const present = data.status.conditions as unknown as Condition[];
  const others = present.filter(({ type }) => type !== EXTERNALLY_REMEDIATED);
  if (!verdict) {
    if (others.length < present.length)
      await patchStatus(client, resource, object, { conditions: others }, fieldManager);
    return;
  }
  const next = {
    type: EXTERNALLY_REMEDIATED,
    status: verdict.succeeded === 'True' ? ('True' as const) : ('False' as const),
    reason: verdict.reason,
    message: verdict.message.slice(0, 1000),
  };
  if (standsSo(present, next)) return;
  const conditions = withCondition(present, next, now);
  await patchStatus(client, resource, object, { conditions }, fieldManager);
}
