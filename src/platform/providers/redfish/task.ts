import { type Clock, SECOND } from '../../clock/clock.ts';
import { ProviderError } from '../provider.ts';
import type { Bmc } from './bmc.ts';
import { isResource, linkOf, textOf } from './resource.ts';
import type { Answer } from './wire.ts';

const TASK_MS_MAX = 30 * SECOND;
const POLL_MS = SECOND;

/** Task states of DSP0266 that mean that it was not done. */
const FAILED: ReadonlySet<string> = new Set(['Exception', 'Killed', 'Cancelled', 'Interrupted', 'Suspended']);

/**
 * Where the BMC has answered 202 with a task: waits until that ends, and throws Refused where it failed. A task that
 * goes on for longer counts as accepted: what it did is seen on the machine.
 */
export async function taskEnd(bmc: Bmc, answer: Answer, clock: Clock, signal?: AbortSignal): Promise<void> {
  if (answer.status !== 202) return;
  const path = linkOf(answer.body, '@odata.id');
  if (!path) return;
  const deadline = clock.now() + TASK_MS_MAX;
  while (clock.now() < deadline) {
    const task = await bmc.get(path, signal);
    const state = textOf(task, 'TaskState') ?? '';
    if (FAILED.has(state)) {
      const messages = Array.isArray(task.Messages) ? task.Messages : [];
      const said = messages
        .flatMap((each) => (isResource(each) ? (textOf(each, 'Message') ?? []) : []))
        .join('; ');
      throw new ProviderError(
        'Refused',
        `the BMC ${bmc.name} ended its task with ${state}: ${said.slice(0, 300)}`,
      );
    }
    if (state === 'Completed') return;
    await clock.sleep(POLL_MS, signal);
  }
}
