import type { OperationType } from './node-operation.ts';

export type StepName = 'cordon' | 'drain' | 'free' | 'act' | 'proof' | 'verify' | 'uncordon';

interface TypeFacts {
  /** Pods on the node may be interrupted: passes every limit of the budgets. */
  disruptive: boolean;
  /** Ends the machine's present boot: held by the brake, needs proof by boot id. */
  boots: boolean;
  steps: readonly StepName[];
}

/** What each type of operation does, in order. */
export const TYPES: Readonly<Record<OperationType, TypeFacts>> = {
  Reboot: { disruptive: true, boots: true, steps: ['cordon', 'drain', 'act', 'proof', 'verify', 'uncordon'] },
  PowerCycle: {
    disruptive: true,
    boots: true,
    steps: ['cordon', 'drain', 'act', 'proof', 'verify', 'uncordon'],
  },
  Redeploy: {
    disruptive: true,
    boots: true,
    steps: ['cordon', 'drain', 'act', 'proof', 'verify', 'uncordon'],
  },
  PowerOn: { disruptive: true, boots: true, steps: ['cordon', 'act', 'proof', 'verify', 'uncordon'] },
  Nmi: { disruptive: true, boots: true, steps: ['cordon', 'drain', 'act', 'proof', 'verify', 'uncordon'] },
  // Its cordon stays until the trouble that asked for it is over: see fleet/cordons.ts.
  Evict: { disruptive: true, boots: false, steps: ['cordon', 'drain', 'free'] },
  CleanDisk: { disruptive: false, boots: false, steps: ['act', 'verify'] },
  RestartService: { disruptive: false, boots: false, steps: ['act', 'verify'] },
};

export const isDisruptive = (type: OperationType) => TYPES[type].disruptive;
