// For tests: one bug in a fleet, from the first crash to the fix. Kernel 5.10.134-15 crashes on model ebmc6; from
// day 20 on it is rolled out, on day 60 kernel 5.10.134-16 with the fix replaces it on half of the machines.
import { DAY } from '../../platform/clock/clock.ts';
import { seededRandom } from '../../platform/clock/random.ts';
import type { CrashRecord } from '../../platform/history/crash-record.ts';
import type { FleetDay } from '../../platform/history/crashes.ts';
import { explainLog } from '../kernel-log/explain.ts';
import { excerptOf } from '../records/excerpt.ts';
import { recordOf } from '../records/make.ts';

export const STORY_FROM = Date.UTC(2026, 7, 1);
export const STORY_DAYS = 100;
const [OLD, BAD, FIXED] = ['5.10.134-14.an8.x86_64', '5.10.134-15.an8.x86_64', '5.10.134-16.an8.x86_64'];
const MODELS = ['ebmc5', 'ebmc6', 'ebmg7'];
const ZONES = ['hz-a', 'hz-b', 'hz-c'];
const MACHINES_EACH = 500;

const LOG = `[ 4211.000001] BUG: kernel NULL pointer dereference, address: 0000000000000008
[ 4211.000002] Oops: 0000 [#1] SMP NOPTI
[ 4211.000003] CPU: 12 PID: 2301 Comm: kworker/12:1 Not tainted KERNEL #1
[ 4211.000004] RIP: 0010:nvme_queue_rq+0x52/0x1a0 [nvme]
[ 4211.000005] Call Trace:
[ 4211.000006]  blk_mq_dispatch_rq_list+0x1d0/0x8d0
[ 4211.000007]  process_one_work+0x1b0/0x350
[ 4211.000008] host-10-1-2-3 login: from 10.1.2.3 mac 00:16:3e:12:34:56
`;

function kernelOn(day: number, machine: number): string {
  if (day < 20) return OLD as string;
  if (day < 60) return BAD as string;
  return (machine % 2 === 0 ? FIXED : BAD) as string;
}

export function story(): { records: CrashRecord[]; days: FleetDay[] } {
  const random = seededRandom(11);
  const records: CrashRecord[] = [];
  const days: FleetDay[] = [];
  for (let at = 0; at < STORY_DAYS; at++) {
    const day = new Date(STORY_FROM + at * DAY).toISOString().slice(0, 10);
    for (const model of MODELS) {
      for (const zone of ZONES) {
        const kinds = new Map<string, number>();
        for (let machine = 0; machine < MACHINES_EACH; machine++) {
          const kernel = kernelOn(at, machine);
          kinds.set(kernel, (kinds.get(kernel) ?? 0) + 1);
          if (kernel !== BAD || model !== 'ebmc6' || random() > 0.0008) continue;
          records.push(
            crash(`m-${model}-${zone}-${machine}`, STORY_FROM + at * DAY + random() * DAY, {
              model,
              zone,
              kernel,
            }),
          );
        }
        for (const [kernel, machines] of kinds)
          days.push({ day, attributes: { model, zone, kernel }, machines });
      }
    }
  }
  return { records, days };
}

function crash(machine: string, at: number, attributes: Record<string, string>): CrashRecord {
  const log = LOG.replace('KERNEL', attributes.kernel as string);
  const explanation = explainLog(Buffer.from(log));
  const happenedAt = new Date(at).toISOString();
  return recordOf(explanation, {
    cluster: 'home',
    machine,
    happenedAt,
    timeFrom: 'incident',
    seenAt: happenedAt,
    attributes,
    evidence: [],
    excerpt: excerptOf(log, explanation.report),
    incident: `${machine}-${at}`,
  });
}
