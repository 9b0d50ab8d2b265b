import type { Incident } from '../api/incident.ts';
import { lockOf, type Machine, type MachineStatus } from '../api/machine.ts';
import type { NodeOperation } from '../api/node-operation.ts';
import { withCondition } from '../platform/kube/conditions.ts';
import type { Condition } from '../platform/kube/objects.ts';
import { nodeNameOf } from './labels.ts';
import type { Way } from './ways.ts';

/** As many as the status holds. */
const DECISIONS_MAX = 5;

/** What the fleet room needs to know of a machine; the signals room has more. */
export interface Seen {
  bootID: string;
  kernelVersion: string;
  ready: 'True' | 'False' | 'Unknown';
  joined: boolean;
  unschedulable: boolean;
  cordonedBy: string;
  /** Whether its provider answers; undefined while nobody has asked. */
  way?: Way | undefined;
  /** What the provider says is wrong with the hardware, '' for nothing. */
  health?: string | undefined;
  /** Warnings in the hardware's log since Drover began to look, rounded down to a power of ten. */
  warnings?: number | undefined;
  /** A crash kernel was loaded when the host was last asked. */
  armed?: boolean | undefined;
  /** Lines of evidence, without ages that change at each look. */
  evidence: readonly string[];
}

/** The status that a Machine should show now; times stay where nothing changed. Pure. */
export function machineStatus(
  machine: Machine,
  seen: Seen,
  incident: Incident | undefined,
  operation: NodeOperation | undefined,
  decisions: MachineStatus['decisions'],
  now: number,
): MachineStatus {
  const old = machine.status ?? {};
  const at = new Date(now).toISOString();
  const rebooted = seen.bootID !== '' && seen.bootID !== old.bootID;
  const status: MachineStatus = {
    observedGeneration: machine.metadata.generation ?? 0,
    state: stateOf(machine, seen, incident, operation, now),
    evidence: [...seen.evidence],
    decisions: newest(decisions ?? [], old.decisions ?? []),
    conditions: conditionsOf(machine, seen, incident).reduce(
      (conditions, next) => withCondition(conditions, next, now),
      old.conditions ?? [],
    ),
  };
  if (seen.bootID || old.bootID) {
    status.bootID = seen.bootID || (old.bootID as string);
    status.bootSeenAt = rebooted ? at : (old.bootSeenAt ?? at);
  }
  if (seen.kernelVersion) status.kernelVersion = seen.kernelVersion;
  if (incident) status.incident = incident.metadata.name;
  if (operation) status.operation = operation.metadata.name;
  return status;
}

function stateOf(
  machine: Machine,
  seen: Seen,
  incident: Incident | undefined,
  operation: NodeOperation | undefined,
  now: number,
): string {
  if (operation?.status?.admittedAt) return operation.spec.type;
  if (incident) return incident.status?.stage ?? 'Detected';
  if (lockOf(machine, now)) return 'Locked';
  if (!seen.joined) return 'NoNode';
  if (seen.unschedulable) return 'Cordoned';
  return seen.ready === 'True' ? 'Ready' : 'NotReady';
}

type Decisions = NonNullable<MachineStatus['decisions']>;

/** What this replica has decided, before what stands there already: the one that led before decided that. */
function newest(own: Decisions, shown: Decisions): Decisions {
  const keyOf = ({ at, actor, reason, subject }: Decisions[number]) => [at, actor, reason, subject].join();
  const keys = new Set(own.map(keyOf));
  return [...own, ...shown.filter((decision) => !keys.has(keyOf(decision)))].slice(0, DECISIONS_MAX);
}

function providerAnswers({ open, reason, message }: Way): Omit<Condition, 'lastTransitionTime'> {
  return { type: 'ProviderAnswers', status: open ? 'True' : 'False', reason, message };
}

function hardwareHealthy(health: string, warnings = 0): Omit<Condition, 'lastTransitionTime'> {
  const type = 'HardwareHealthy';
  const logged = warnings > 0 ? `; ${warnings} or more warnings in its log since Drover began to look` : '';
  return health === ''
    ? { type, status: 'True', reason: 'NoTrouble', message: `its provider reports no trouble${logged}` }
    : { type, status: 'False', reason: 'ProviderSaysSo', message: `${health.slice(0, 500)}${logged}` };
}

function crashDumpArmed(armed: boolean): Omit<Condition, 'lastTransitionTime'> {
  return armed
    ? {
        type: 'CrashDumpArmed',
        status: 'True',
        reason: 'CrashKernelLoaded',
        message: 'a panic writes a dump',
      }
    : {
        type: 'CrashDumpArmed',
        status: 'False',
        reason: 'NoCrashKernel',
        message: 'no crash kernel is loaded: a panic leaves no dump',
      };
}

function conditionsOf(
  machine: Machine,
  seen: Seen,
  incident: Incident | undefined,
): Omit<Condition, 'lastTransitionTime'>[] {
  const noNode = `cluster ${machine.spec.cluster} has no Node ${nodeNameOf(machine)}`;
  const { diagnosis } = incident?.status ?? {};
  return [
    { type: 'Accepted', status: 'True', reason: 'Valid', message: 'the spec is understood' },
    seen.joined
      ? { type: 'NodeJoined', status: 'True', reason: 'NodeExists', message: 'the cluster has its Node' }
      : { type: 'NodeJoined', status: 'False', reason: 'NoNode', message: noNode },
    incident
      ? {
          type: 'Healthy',
          status: 'False',
          reason: diagnosis?.cause ?? 'Detected',
          message: diagnosis?.message ?? 'a symptom is being looked into',
        }
      : { type: 'Healthy', status: 'True', reason: 'NoIncident', message: 'no incident is open' },
    ...(seen.way ? [providerAnswers(seen.way)] : []),
    ...(seen.armed === undefined ? [] : [crashDumpArmed(seen.armed)]),
    ...(seen.health === undefined ? [] : [hardwareHealthy(seen.health, seen.warnings)]),
  ];
}
