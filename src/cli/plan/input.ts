import type { Command } from 'commander';
import { type Offer, PlanError, type Wishes, type Workload } from '../../planning/index.ts';
import { objectsIn } from '../../planning/read/files.ts';
import { ownedNodes } from '../../planning/read/nodes.ts';
import { type ReadOptions, resourcesOf } from '../../planning/read/resources.ts';
import { offersOf, ownedOf, workloadsOf } from '../../planning/read/tables.ts';
import type { Written } from '../../planning/read/written.ts';
import { NODES, type Node, PODS, type Pod } from '../../platform/kube/objects.ts';
import { readTable, type Table, TableError } from '../../platform/tables.ts';
import { withClient } from '../connect.ts';
import { bytesOf, readable, textOf } from '../input.ts';
import { CliError, EXIT, type Io } from '../io.ts';
import type { FleetOptions, PlanInputOptions } from './options.ts';

export interface PlanInput {
  workloads: Workload[];
  offers: Offer[];
  wishes: Wishes;
}

/** Reads all that is planned for. Throws CliError with file, line and column. */
export async function readInput(options: PlanInputOptions, command: Command, io: Io): Promise<PlanInput> {
  const { tier, price, at } = options;
  const files = await readFiles(options, io);
  const { workloads, offers } = fleetOf(files, { tier, price, ...(at !== undefined && { at }) });
  offers.unshift(...files.owned(offers));
  if (options.ownedNodes) offers.unshift(...(await nodesOf(workloads, command, io)));
  return { workloads, offers, wishes: wishesOf(options) };
}

/** What the files hold: MachineClasses and WorkloadProfiles, and tables. */
export interface Files {
  written: Written[];
  pods?: Table;
  types?: Table;
  /** Machines that are there, of these classes. */
  owned(offers: readonly Offer[]): Offer[];
}

/** Each is read once. Throws CliError with file, line and column. */
export async function readFiles({ filename, pods, types, owned }: FleetOptions, io: Io): Promise<Files> {
  if ([...filename, pods, types, owned].filter((file) => file === '-').length > 1)
    throw new CliError('error: only one file can be standard input', EXIT.usage);
  const tables = {
    ...(pods !== undefined && { pods: await tableIn(pods, io) }),
    ...(types !== undefined && { types: await tableIn(types, io) }),
  };
  const written: Written[] = [];
  for (const file of filename) written.push(...(await fromText(file, io)));
  const there = owned === undefined ? undefined : await tableIn(owned, io);
  return { written, ...tables, owned: (offers) => (there ? told(() => ownedOf(there, offers)) : []) };
}

/** Throws where there are none. */
export function fleetOf(
  { written, pods, types }: Files,
  choice: ReadOptions,
): { workloads: Workload[]; offers: Offer[] } {
  const fleet = told(() => {
    const beside = {
      workloads: pods ? workloadsOf(pods, choice.at) : [],
      offers: types ? offersOf(types, choice.tier) : [],
    };
    const read = resourcesOf(written, choice, beside);
    return {
      workloads: [...beside.workloads, ...read.workloads],
      offers: [...beside.offers, ...read.offers],
    };
  });
  if (fleet.workloads.length === 0)
    throw new CliError('error: there are no Pods to plan for: give --pods or -f', EXIT.usage);
  if (fleet.offers.length === 0)
    throw new CliError('error: there are no machine types to plan with: give --types or -f', EXIT.usage);
  return fleet;
}

/** Reads two lists, and changes nothing. */
async function nodesOf(workloads: readonly Workload[], command: Command, io: Io): Promise<Offer[]> {
  const names = [...new Set(workloads.flatMap(({ need }) => [...need.keys()]))];
  return withClient(command, io, async (client) => {
    const nodes: Node[] = [];
    const pods: Pod[] = [];
    for await (const { items } of client.pages<Node>(NODES)) nodes.push(...items);
    for await (const { items } of client.pages<Pod>(PODS)) pods.push(...items);
    return told(() => ownedNodes(nodes, pods, names));
  });
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

async function tableIn(file: string, io: Io): Promise<Table> {
  try {
    return await readTable(bytesOf(file, io), nameOf(file));
  } catch (error) {
    throw readable(error, file);
  }
}

async function fromText(file: string, io: Io): Promise<Written[]> {
  try {
    const text = await textOf(file, io);
    return told(() => objectsIn(text, nameOf(file)));
  } catch (error) {
    throw readable(error, file);
  }
}

function nameOf(file: string): string {
  return file === '-' ? 'standard input' : file;
}

/** What is wrong with the input is told as it is. */
export function told<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof PlanError || error instanceof TableError
      ? new CliError(`error: ${error.message}`)
      : error;
  }
}
