// Hardware, kernel, planned or unknown, for all crashes of one signature together: what many crashes say that one
// alone cannot.
import type { CrashCause, CrashRecord } from '../../platform/history/crash-record.ts';
import { type Answer, nameOf } from '../correlate/index.ts';
import { machinesIn } from './rates.ts';

export interface FamilyVerdict {
  cause: CrashCause;
  because: string;
}

/** One machine that crashes so often by the same name is more likely broken than unlucky. */
const AGAIN_MIN = 3;
/** So many machines that have nothing of the hardware in common share the kernel's bug. */
const MACHINES_MIN = 3;
const MOST = 0.5;
/** Corrected errors are ordinary; in this share of the crashes they are a sign. */
const CORRECTED_SHARE = 0.3;
const SOFTWARE = ['kernel', 'os'];
const PLACES = ['rack', 'room', 'zone', 'powerFeed', 'region', 'unit'];
const PARTS = ['bios', 'bmc', 'nic', 'cpu', 'model', 'batch', 'instanceType'];

/** @param records of one signature, at least one */
export function verdictOf(records: readonly CrashRecord[], common: Answer | undefined): FamilyVerdict {
  const all = records.length;
  const count = (cause: CrashCause) => records.filter((record) => record.cause === cause).length;
  const machines = machinesIn(records);
  const of = `of ${all} ${all === 1 ? 'crash' : 'crashes'}`;
  if (count('planned') > all * MOST)
    return { cause: 'planned', because: `${count('planned')} ${of} were meant by somebody.` };
  if (count('hardware') >= all * MOST) {
    const parts = [...new Set(records.flatMap(({ hardware }) => hardware.map(({ part }) => part)))].join(
      ', ',
    );
    return {
      cause: 'hardware',
      because: `In ${count('hardware')} ${of} a part reported an error that it could not mend: ${parts}.`,
    };
  }
  if (machines === 1 && all >= AGAIN_MIN)
    return {
      cause: 'hardware',
      because: `One machine alone crashed ${all} times so, and no other did: test its memory and its board.`,
    };
  const corrected = records.filter(({ hardware }) =>
    hardware.some(({ sign }) => sign.endsWith('-corrected')),
  ).length;
  if (corrected >= Math.max(2, all * CORRECTED_SHARE))
    return {
      cause: 'hardware',
      because: `${corrected} ${of} came on machines whose memory or bus corrected errors before.`,
    };
  const causes = common?.verdict === 'explained' ? common.explanations.filter(({ cause }) => cause) : [];
  const keys = new Set(causes.flatMap(({ when }) => Object.keys(when)));
  const named = causes.map(({ when }) => nameOf(when)).join('; ');
  if (SOFTWARE.some((key) => keys.has(key)))
    return { cause: 'kernel', because: `It takes ${named}: what came with that kernel.` };
  if (keys.size > 0 && [...keys].every((key) => PLACES.includes(key)))
    return { cause: 'hardware', because: `Only in ${named}: power, cooling or network of that place.` };
  if (PARTS.some((key) => keys.has(key)))
    return {
      cause: 'unknown',
      because: `Only with ${named}: its hardware, its firmware, or a driver that only it uses.`,
    };
  if (machines >= MACHINES_MIN && count('kernel') > all * MOST)
    return {
      cause: 'kernel',
      because: `${machines} machines crashed at the same place of the kernel, and no hardware is common to them.`,
    };
  return {
    cause: 'unknown',
    because: `${all === 1 ? 'One crash does' : `${all} crashes do`} not tell whether the hardware or the kernel is at fault.`,
  };
}
