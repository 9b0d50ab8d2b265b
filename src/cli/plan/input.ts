import { type Offer, PlanError, type Wishes, type Workload } from '../../planning/index.ts';
import { offersOf, ownedOf, workloadsOf } from '../../planning/read/tables.ts';
import { readTable, type Table } from '../../platform/tables.ts';
import { bytesOf, readable } from '../input.ts';
import { CliError, EXIT, type Io } from '../io.ts';
import type { PlanInputOptions } from '../plan.ts';

export interface PlanInput {
  workloads: Workload[];
  offers: Offer[];
  wishes: Wishes;
}

/** Reads all that is planned for. Throws CliError with file, line and column. */
export async function readInput(options: PlanInputOptions, io: Io): Promise<PlanInput> {
  const files = [...options.filename, options.pods, options.types, options.owned];
  if (files.filter((file) => file === '-').length > 1)
    throw new CliError('error: only one file can be standard input', EXIT.usage);
  const workloads: Workload[] = [];
  const offers: Offer[] = [];
  if (options.pods) workloads.push(...(await fromTable(options.pods, io, workloadsOf)));
  if (options.types) offers.push(...(await fromTable(options.types, io, offersOf)));
  if (workloads.length === 0)
    throw new CliError('error: there are no Pods to plan for: give --pods or -f', EXIT.usage);
  if (offers.length === 0)
    throw new CliError('error: there are no machine types to plan with: give --types or -f', EXIT.usage);
  if (options.owned)
    offers.unshift(...(await fromTable(options.owned, io, (table) => ownedOf(table, offers))));
  return { workloads, offers, wishes: wishesOf(options) };
}

function wishesOf(options: PlanInputOptions): Wishes {
  const { headroom, spares, loseZone, shareAtMost, typesAtMost, zones } = options;
  return {
    headroom,
    spares,
    loseZone: loseZone ?? false,
    ...(shareAtMost !== undefined && { shareMax: shareAtMost }),
    ...(typesAtMost !== undefined && { typesMax: typesAtMost }),
    zones,
  };
}

async function fromTable<T>(file: string, io: Io, read: (table: Table) => T): Promise<T> {
  try {
    return read(await readTable(bytesOf(file, io), file === '-' ? 'standard input' : file));
  } catch (error) {
    throw error instanceof PlanError ? new CliError(`error: ${error.message}`) : readable(error, file);
  }
}
