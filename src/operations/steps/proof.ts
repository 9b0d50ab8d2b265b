import { toMilliseconds } from '../../api/fields.ts';
import type { Step } from './step.ts';

const AGAIN_MS = 2_000;

/** Waits until a new boot id proves that the machine went down and came up. Ready=True proves nothing. */
export const proof: Step = async ({ operation, status, belief, now }) => {
  const before = status.evidence?.bootIDBefore ?? '';
  const sentAt = Date.parse(status.intent?.at ?? '');
  const powerSeenOff =
    status.evidence?.powerSeenOff || (belief.power?.value === 'Off' && belief.power.since >= sentAt);
  const evidence = { ...status.evidence, ...(powerSeenOff && { powerSeenOff }) };
  const bootID = belief.nodeFace?.bootID ?? '';
  if (bootID !== '' && bootID !== before) {
    return {
      is: 'done',
      message: 'the boot id has changed',
      status: { evidence: { ...evidence, bootIDAfter: bootID } },
    };
  }
  // A dump is written between the NMI and the boot, and a machine that dumps is left to finish.
  const dump_ms =
    operation.spec.type === 'Nmi' || belief.console?.value === 'Dumping'
      ? toMilliseconds(operation.spec.dumpTimeout)
      : 0;
  // A boot that is seen to begin has its whole time, however long the dump before it took.
  const begunAt = belief.console?.value === 'Booting' ? Math.max(sentAt, belief.console.since) : sentAt;
  const until_ms = begunAt + toMilliseconds(operation.spec.bootTimeout) + dump_ms;
  const said = {
    before,
    seen: bootID,
    console: belief.console?.value ?? 'None',
    power: belief.power?.value ?? 'Unknown',
  };
  if (now >= until_ms) {
    const message = 'the boot id has not changed in time: the machine did not reboot, or does not come up';
    return { is: 'failed', why: { reason: 'NotRebooted', message, evidence: said } };
  }
  const message = `waiting for a new boot id; console: ${said.console}`;
  return {
    is: 'waiting',
    again_ms: AGAIN_MS,
    why: { reason: 'Booting', message, evidence: said, until: new Date(until_ms).toISOString() },
    ...(powerSeenOff && !status.evidence?.powerSeenOff && { status: { evidence } }),
  };
};
