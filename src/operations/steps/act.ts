import { toMilliseconds } from '../../api/fields.ts';
import { TYPES } from '../../api/operation-types.ts';
import { HostError, OUTCOME_OPEN } from '../../platform/hosts/host.ts';
import { messageOf } from '../../platform/kube/errors.ts';
import { NODES, type Node } from '../../platform/kube/objects.ts';
import { type Act, ProviderError, type Reading } from '../../platform/providers/provider.ts';
import type { Belief, ConsoleSign } from '../../signals/belief.ts';
import { consoleSign } from '../../signals/console.ts';
import { symptomsOf } from '../../signals/symptoms.ts';
import { hostOf } from '../../signals/targets.ts';
import { hostWork } from './host-work.ts';
import { noProvider, type Step, type StepContext, type StepResult } from './step.ts';

const AGAIN_MS = 5_000;

/** The one outside act of an operation. */
export const act: Step = (context) =>
  TYPES[context.operation.spec.type].boots ? boot(context) : hostWork(context);

/**
 * Ends the machine's present boot, at most once. The intent is written first; if it is there already, a
 * process died between the write and the answer, and whether the machine was touched is not known. Then
 * nothing is sent again: the next step watches what happened.
 */
async function boot(context: StepContext): Promise<StepResult> {
  const { operation, status, machine, belief, outside, client, now } = context;
  if (status.intent) return { is: 'done', message: 'sent before; whether it arrived is seen by the boot id' };
  if (!outside) return { is: 'failed', why: noProvider(machine.spec.provider.name) };

  const needless = await alreadyBooted(context);
  if (needless) return needless;
  const { id } = machine.spec.provider;
  let reading: Reading;
  try {
    reading = await outside.provider.describe(id);
  } catch (error) {
    const message = `the provider does not tell how the machine is, and nothing is done blindly: ${messageOf(error)}`;
    return {
      is: 'waiting',
      again_ms: AGAIN_MS,
      why: { reason: 'ProviderBusy', message: message.slice(0, 1000) },
    };
  }
  if (operation.spec.type !== 'PowerOn' && reading.power === 'On' && signNow(reading, belief) === 'Dumping') {
    const message =
      'the machine is writing its crash dump; it is not touched until that ends or its time is up';
    const until_ms = dumpSeenAt(context) + toMilliseconds(operation.spec.dumpTimeout);
    if (now < until_ms)
      return {
        is: 'waiting',
        again_ms: AGAIN_MS,
        why: { reason: 'DumpInProgress', message, until: new Date(until_ms).toISOString() },
      };
  }
  const boots = bootUnderWay(context, reading);
  if (boots) return boots;
  if (operation.spec.type === 'PowerOn' && reading.power === 'On') {
    return {
      is: 'needless',
      why: { reason: 'AlreadyOn', message: 'the provider says that the power is on' },
    };
  }
  const what = actOf(context, reading);
  const able = reading.can[what];
  // A kernel whose machine takes no NMI, but still answers, is made to panic by its host.
  const byHost = able !== true && what === 'Nmi' && belief.ssh?.value === 'Answers';
  if (able !== true && !byHost) return { is: 'failed', why: { reason: `No${what}`, message: able } };
  const back = await answersAgain(context);
  if (back) return back;
  const no = context.refusal();
  if (no) return { is: 'waiting', why: no, again_ms: AGAIN_MS };

  const node = await client.get<Node>(NODES, operation.spec.node);
  // A Node that is missing just now comes back with its old boot id, which must not pass for a new one.
  const bootIDBefore =
    node?.status?.nodeInfo?.bootID || belief.boot.value || operation.spec.expectBootID || '';
  const key = operation.metadata.uid ?? operation.metadata.name;
  const intent = { key, at: new Date(now).toISOString() };
  const written = { ...status, intent, evidence: { ...status.evidence, bootIDBefore } };
  await context.persist(written);

  // The write took time; a lease may have been lost within it.
  const late = context.refusal();
  if (late) {
    const { intent: _, ...without } = written;
    return { is: 'waiting', why: late, again_ms: AGAIN_MS, status: { ...without, intent: undefined } };
  }
  try {
    if (byHost) await outside.hosts.run(hostOf(machine, belief.nodeFace), 'forceDump', {});
    else await outside.provider.act(id, what, key);
    return {
      is: 'done',
      message: `${operation.spec.type} accepted by the ${byHost ? 'host' : 'provider'}`,
      status: { intent: { ...intent, answer: 'Accepted' } },
    };
  } catch (error) {
    return refused(error, intent);
  }
}

/** A machine that boots by itself is repairing itself: a repair would only begin that anew. People may want it so. */
function bootUnderWay({ operation, belief, now }: StepContext, reading: Reading): StepResult | undefined {
  if (operation.spec.reason.kind !== 'Incident') return undefined;
  if (reading.power !== 'On' || consoleSign(reading.console) !== 'Booting') return undefined;
  const since = belief.console?.value === 'Booting' ? belief.console.since : now;
  const until_ms = since + toMilliseconds(operation.spec.bootTimeout);
  if (now >= until_ms) return undefined;
  const why = {
    reason: 'BootInProgress',
    message: 'it is booting by itself; it is not touched until that ends or its time is up',
    until: new Date(until_ms).toISOString(),
  };
  return { is: 'waiting', again_ms: AGAIN_MS, why };
}

/** What the console says now; where the provider shows none, what the machine's last words were taken for. */
function signNow({ console }: Reading, belief: Belief): ConsoleSign {
  return console.length > 0 ? consoleSign(console) : (belief.console?.value ?? 'None');
}

/** Since when the dump is being written, as far as we know: one that nobody has seen before begins now. */
function dumpSeenAt({ belief, startedAt, now }: StepContext): number {
  if (!belief.console) return startedAt;
  return belief.console.value === 'Dumping' ? belief.console.since : now;
}

/** A reboot is graceful only for a machine that answers, and where the provider knows such a thing: it has been drained. */
function actOf({ operation, belief }: StepContext, { can }: Reading): Act {
  const { type } = operation.spec;
  if (type === 'PowerCycle' || type === 'PowerOn' || type === 'Nmi' || type === 'Redeploy') return type;
  return belief.ssh?.value === 'Answers' && can.Reboot === true ? 'Reboot' : 'ForceReboot';
}

/** What a provider's error means for an act that may be sent only once. */
function refused(error: unknown, intent: { key: string; at: string }): StepResult {
  const failure = error instanceof ProviderError ? error.failure : 'Unknown';
  const message = messageOf(error);
  if (error instanceof HostError && !OUTCOME_OPEN.has(error.failure) && error.failure !== 'BadOutput')
    return {
      is: 'failed',
      why: { reason: `Host${error.failure}`, message: message.slice(0, 1000) },
      status: { intent: { ...intent, answer: 'Refused' } },
    };
  switch (failure) {
    case 'TryAgain':
    case 'Throttled':
      // The provider promises that nothing happened: the intent is taken back.
      return {
        is: 'waiting',
        again_ms: AGAIN_MS,
        why: { reason: 'ProviderBusy', message },
        status: { intent: undefined },
      };
    case 'Refused':
    case 'NoStock':
    case 'Quota':
    case 'NotFound':
    case 'BadCredentials':
      return {
        is: 'failed',
        why: { reason: `Provider${failure}`, message },
        status: { intent: { ...intent, answer: 'Refused' } },
      };
    default:
      return {
        is: 'done',
        message: `no answer (${message}); the boot id will tell`,
        status: { intent: { ...intent, answer: 'Unknown' } },
      };
  }
}

/** The boot that was to end has ended already: rebooting the new one would be a wrong reboot. */
async function alreadyBooted({ operation, status, client }: StepContext): Promise<StepResult | undefined> {
  const expected = operation.spec.expectBootID;
  if (!expected || status.intent) return undefined;
  const node = await client.get<Node>(NODES, operation.spec.node);
  const bootID = node?.status?.nodeInfo?.bootID;
  if (!bootID || bootID === expected) return undefined;
  return {
    is: 'needless',
    why: {
      reason: 'AlreadyBooted',
      message: 'the machine has booted since this was asked for',
      evidence: { expected, bootID },
    },
  };
}

/**
 * A machine that comes up by itself answers some moments before patrol and its Node tell of it, and a replica
 * that has just begun to lead may not have looked at it at all. So the sign that the repair rests on is asked
 * for once more, right before the repair would end the boot that has just begun.
 */
async function answersAgain({ operation, belief, probe, now }: StepContext): Promise<StepResult | undefined> {
  if (operation.spec.reason.kind !== 'Incident') return undefined;
  const wasSilent = belief.ssh?.value !== 'Answers';
  const isBack = wasSilent ? (await probe())?.ssh === 'Answers' : symptomsOf(belief, now).length === 0;
  if (!isBack) return undefined;
  const message = 'it answers again, so it may have come up by itself: it is left alone and looked at anew';
  return { is: 'needless', why: { reason: 'AnswersAgain', message } };
}
