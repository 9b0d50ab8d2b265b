// Every command, in the order of the help. Only the file of the command that is asked for is imported, so
// that a quick command stays quick whatever the others need.
import type { Command } from 'commander';
import type { Io } from './io.ts';

/** What the file of a command exports. */
export interface CommandFile {
  /** Adds the command of `name` to the program. What the command throws becomes its error and exit code. */
  register(program: Command, io: Io): void;
}

/** A command with a file of its own, or a group of commands: `drover crash explain`. */
export type CommandEntry = { name: string; summary: string } & (
  | {
      load(): Promise<CommandFile>;
      /** What its group does where none of its commands is named. */
      isDefault?: true;
    }
  | { commands: readonly CommandEntry[] }
);

const CRASH_COMMANDS: readonly CommandEntry[] = [
  {
    name: 'list',
    summary: 'List crashes, or signatures with their counts',
    load: () => import('./crash/list.ts'),
  },
  { name: 'show', summary: 'Show one crash and its evidence', load: () => import('./crash/show.ts') },
  {
    name: 'explain',
    summary: 'Say why a kernel crashed, from its log',
    load: () => import('./crash/explain.ts'),
  },
  {
    name: 'family',
    summary: 'Merge, split, rename or mute families of crashes',
    load: () => import('./crash/family.ts'),
  },
  {
    name: 'report',
    summary: 'Write what a kernel engineer wants to know of one signature',
    load: () => import('./crash/report.ts'),
  },
  {
    name: 'import',
    summary: 'Keep crashes from dumps, pstore, journals, consoles and BMC logs',
    load: () => import('./crash/import.ts'),
  },
  {
    name: 'correlate',
    summary: 'Say what the machines that crashed have in common',
    load: () => import('./crash/correlate.ts'),
  },
  {
    name: 'trend',
    summary: 'Say where a series of counts rises above what its history explains',
    load: () => import('./crash/trend.ts'),
  },
  {
    name: 'rules',
    summary: 'The rules by which kernel logs are read',
    commands: [
      {
        name: 'check',
        summary: 'Check a site’s rules, and run the tests beside all rules',
        load: () => import('./crash/rules-check.ts'),
      },
    ],
  },
];

const PLAN_COMMANDS: readonly CommandEntry[] = [
  {
    name: 'make',
    summary: 'Make a plan; the word make may be left out',
    isDefault: true,
    load: () => import('./plan/make.ts'),
  },
  {
    name: 'compare',
    summary: 'Say what two plans differ in',
    load: () => import('./plan/compare.ts'),
  },
  {
    name: 'hold',
    summary: 'Say which machines to hold, and which to rent from when to when',
    load: () => import('./plan/hold.ts'),
  },
  {
    name: 'verify',
    summary: 'Place the Pods of a plan with a real kube-scheduler',
    load: () => import('./plan/verify.ts'),
  },
];

const MACHINE_COMMANDS: readonly CommandEntry[] = [
  {
    name: 'power',
    summary: 'Say what the provider says of a machine, and what it can do',
    load: () => import('./machine/power.ts'),
  },
  {
    name: 'events',
    summary: 'Print a machine’s hardware events and announced maintenance',
    load: () => import('./machine/events.ts'),
  },
  {
    name: 'console',
    summary: 'Print what the provider has kept of a machine’s console',
    load: () => import('./machine/console.ts'),
  },
  {
    name: 'boot',
    summary: 'Set what a machine starts from at its next boot',
    load: () => import('./machine/boot.ts'),
  },
  {
    name: 'inventory',
    summary: 'Print what the provider knows of a machine’s hardware',
    load: () => import('./machine/inventory.ts'),
  },
  {
    name: 'import',
    summary: 'Make Machine objects out of a provider’s list or a table',
    load: () => import('./machine/import.ts'),
  },
];

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'get',
    summary: 'List incidents, machines, operations, budgets …',
    load: () => import('./get.ts'),
  },
  {
    name: 'explain',
    summary: 'Say what is wrong with a machine and what is done about it',
    load: () => import('./explain.ts'),
  },
  {
    name: 'crash',
    summary: 'Say why machines crash and what the crashes have in common',
    commands: CRASH_COMMANDS,
  },
  {
    name: 'plan',
    summary: 'Say which machines to buy for which Pods, at what cost, with proof',
    commands: PLAN_COMMANDS,
  },
  {
    name: 'machine',
    summary: 'Look at machines through their provider, and take them in',
    commands: MACHINE_COMMANDS,
  },
  {
    name: 'host',
    summary: 'Prepare hosts for Drover',
    commands: [
      {
        name: 'sudoers',
        summary: 'Print the sudoers file with what Drover may do as root on a host',
        load: () => import('./host/sudoers.ts'),
      },
    ],
  },
  {
    name: 'provider',
    summary: 'Check the ways to machines',
    commands: [
      {
        name: 'check',
        summary: 'Check credentials, rights, reachability and abilities of a provider',
        load: () => import('./provider/check.ts'),
      },
    ],
  },
  {
    name: 'install',
    summary: 'Put Drover’s resources and first limits on a cluster',
    load: () => import('./install.ts'),
  },
  {
    name: 'run',
    summary: 'Run Drover against a cluster',
    load: () => import('./run.ts'),
  },
  {
    name: 'start',
    summary: 'Try Drover with a simulated fleet, in one process',
    load: () => import('./start.ts'),
  },
  {
    name: 'sim',
    summary: 'Simulate days of faults from a seed, check invariants',
    load: () => import('./sim.ts'),
  },
  { name: 'fleet', summary: 'Run simulated machines against a cluster', load: () => import('./fleet.ts') },
  { name: 'fault', summary: 'Break a simulated machine', load: () => import('./fault.ts') },
  {
    name: 'completion',
    summary: 'Print a completion script for a shell',
    load: () => import('./completion.ts'),
  },
  {
    name: 'version',
    summary: 'Print the versions of Drover and of the cluster',
    load: () => import('./version.ts'),
  },
];
