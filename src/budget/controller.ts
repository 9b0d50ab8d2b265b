import { disruptionBudgetKind } from '../api/disruption-budget.ts';
import { allowanceOf } from '../api/fields.ts';
import { setConditions } from '../fleet/acceptance.ts';
import type { Caches } from '../fleet/caches.ts';
import type { KubeClient } from '../platform/kube/client.ts';
import type { KubeObject } from '../platform/kube/objects.ts';
import { isTimeZone } from './calendar.ts';
import type { Gate } from './gate.ts';

const FIELD_MANAGER = 'drover-budget';

/** Shows on each budget what is used of it. One pass. */
export async function showLedger(client: KubeClient, caches: Caches, gate: Gate, now: number): Promise<void> {
  for (const stock of gate.stocks()) {
    const { budget } = stock;
    const most = allowanceOf(budget.spec.maxDisrupted, stock.selected);
    const numbers = {
      selected: stock.selected,
      schedulable: stock.schedulable,
      disrupted: stock.disrupted,
      allowed: Math.max(0, most - stock.disrupted),
      inFlight: stock.inFlight,
    };
    const current = caches.budgets.get(budget.metadata.name);
    if (!current) continue;
    const changed = Object.entries(numbers).some(
      ([key, value]) => current.status?.[key as keyof typeof numbers] !== value,
    );
    if (changed) {
      const patch = { status: { ...numbers, observedGeneration: current.metadata.generation ?? 0 } };
      const options = { fieldManager: FIELD_MANAGER, subresource: 'status' };
      caches.budgets.observe(
        await client.mergePatch<KubeObject>(
          disruptionBudgetKind.resource,
          budget.metadata.name,
          patch,
          options,
        ),
      );
      continue;
    }
    const wrong = current.spec.windows.find((window) => !isTimeZone(window.timeZone));
    await setConditions(
      client,
      caches.budgets,
      current,
      [
        wrong
          ? {
              type: 'Accepted',
              status: 'False',
              reason: 'UnknownTimeZone',
              message: `spec.windows: "${wrong.timeZone}" is no time zone; use an IANA name like Asia/Shanghai`,
            }
          : { type: 'Accepted', status: 'True', reason: 'Valid', message: 'the spec is understood' },
      ],
      now,
    );
  }
}
