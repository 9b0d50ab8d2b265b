import type { Command } from 'commander';
import { type Offer, PlanError, type Wishes, type Workload } from '../../planning/index.ts';
import { objectsIn } from '../../planning/read/files.ts';
import { ownedNodes } from '../../planning/read/nodes.ts';
import { resourcesOf } from '../../planning/read/resources.ts';
import { offersOf, ownedOf, workloadsOf } from '../../planning/read/tables.ts';
import type { Written } from '../../planning/read/written.ts';
import { NODES, type Node, PODS, type Pod } from '../../platform/kube/objects.ts';
import { readTable, type Table } from '../../platform/tables.ts';
import { withClient } from '../connect.ts';
import { bytesOf, readable, textOf } from '../input.ts';
import { CliError, EXIT, type Io } from '../io.ts';
import type { PlanInputOptions } from './options.ts';

export interface PlanInput {
  workloads: Workload[];
  offers: Offer[];
  wishes: Wishes;
}

/** Reads all that is planned for. Throws CliError with file, line and column. */
export async function readInput(options: PlanInputOptions, command: Command, io: Io): Promise<PlanInput> {
  checkStdin([...options.filename, options.pods, options.types, options.owned]);
  const workloads = options.pods ? await fromTable(options.pods, io, workloadsOf) : [];
  const offers = options.types ? await fromTable(options.types, io, offersOf) : [];
  const written = await writtenIn(options.filename, io);
  const { tier, price, at } = options;
  const read = told(() =>
    resourcesOf(written, { tier, price, ...(at !== undefined && { at }) }, { offers, workloads }),
  );
  workloads.push(...read.workloads);
  offers.push(...read.offers);
  if (workloads.length === 0)
    throw new CliError('error: there are no Pods to plan for: give --pods or -f', EXIT.usage);
  if (offers.length === 0)
    throw new CliError('error: there are no machine types to plan with: give --types or -f', EXIT.usage);
  if (options.owned) offers.unshift(...(await ownedIn(options.owned, offers, io)));
  if (options.ownedNodes) offers.unshift(...(await nodesOf(workloads, command, io)));
  return { workloads, offers, wishes: wishesOf(options) };
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

export function checkStdin(files: readonly (string | undefined)[]): void {
  if (files.filter((file) => file === '-').length > 1)
    throw new CliError('error: only one file can be standard input', EXIT.usage);
}

/** MachineClasses and WorkloadProfiles. */
export async function writtenIn(files: readonly string[], io: Io): Promise<Written[]> {
  const written: Written[] = [];
  for (const file of files) written.push(...(await fromText(file, io)));
  return written;
}

export function ownedIn(file: string, offers: readonly Offer[], io: Io): Promise<Offer[]> {
  return fromTable(file, io, (table) => ownedOf(table, offers));
}

async function fromTable<T>(file: string, io: Io, read: (table: Table) => T): Promise<T> {
  try {
    const table = await readTable(bytesOf(file, io), nameOf(file));
    return told(() => read(table));
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
    throw error instanceof PlanError ? new CliError(`error: ${error.message}`) : error;
  }
}
