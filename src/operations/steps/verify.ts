import { toMilliseconds } from '../../api/fields.ts';
import { TYPES } from '../../api/operation-types.ts';
import { symptomsOf } from '../../signals/symptoms.ts';
import type { Step } from './step.ts';

const AGAIN_MS = 1_000;
/** A restarted service is up within seconds, or the restart was no help. */
const SERVICE_MS = 120_000;
/** A kubelet takes back its word of pressure 5 minutes after it has ended (evictionPressureTransitionPeriod). */
const DISK_MS = 420_000;

/** The node must stay well for a while, by our own probes and its own word, before it takes Pods again. */
export const verify: Step = async ({ operation, belief, startedAt, now }) => {
  const need_ms = toMilliseconds(operation.spec.verifyFor);
  const since = belief.wellSince === undefined ? undefined : Math.max(belief.wellSince, startedAt);
  if (since !== undefined && now - since >= need_ms)
    return { is: 'done', message: `well for ${operation.spec.verifyFor}` };

  const { type, bootTimeout } = operation.spec;
  const limit_ms = TYPES[type].boots
    ? toMilliseconds(bootTimeout)
    : type === 'CleanDisk'
      ? DISK_MS
      : SERVICE_MS;
  const wrong = symptomsOf(belief, now).map((symptom) => symptom.message);
  if (now - startedAt >= limit_ms) {
    const message = `not well after the repair: ${wrong.join('; ') || 'not all witnesses agree yet'}`;
    return { is: 'failed', why: { reason: 'NotWell', message: message.slice(0, 1000) } };
  }
  const until = new Date(startedAt + limit_ms).toISOString();
  const message =
    wrong.length > 0
      ? `not well yet: ${wrong.join('; ')}`
      : `well so far; it must stay so for ${operation.spec.verifyFor}`;
  return {
    is: 'waiting',
    again_ms: AGAIN_MS,
    why: { reason: 'Verifying', message: message.slice(0, 1000), until },
  };
};
