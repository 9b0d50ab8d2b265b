import { type Inventory, ProviderError } from '../provider.ts';
import { inventoryOf } from './fru.ts';
import { readSensors, restartCauseOf } from './sensors.ts';

/** Part by part: few BMCs have them all, and one that is missing hides no other. */
export async function readInventory(
  tool: (command: readonly string[]) => Promise<string>,
): Promise<Inventory> {
  const unread: string[] = [];
  async function part<T>(what: string, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof ProviderError) || error.failure === 'BadCredentials') throw error;
      unread.push(`${what}: ${error.message}`);
      return undefined;
    }
  }
  // First what every BMC has: where none answers, it is this that says so.
  const mc = await tool(['mc', 'info']);
  const fru = await part('model and serial', () => tool(['fru', 'print', '0']));
  const sensors = await part('sensors', () => readSensors(tool));
  const restart = await part('restart cause', () => tool(['chassis', 'restart_cause']));
  const restartCause = restartCauseOf(restart ?? '');
  return {
    ...inventoryOf(fru ?? '', mc),
    sensors: sensors ?? [],
    ...(restartCause && { restartCause }),
    ...(unread.length > 0 && { unread }),
  };
}
