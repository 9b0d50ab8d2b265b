// Every provider that there is, with the real protocol on the other side.
import { ecsStage } from './ecs.ts';
import { ipmiSimStage, noIpmiSim } from './ipmi-sim.ts';
import { metal3Stage } from './metal3.ts';
import { ownRedfishStage } from './own-redfish.ts';
import { pyghmiPackages, pyghmiStage } from './pyghmi.ts';
import { simulatedStage } from './simulated.ts';
import type { Stage } from './stage.ts';
import { sushyPackages, sushyStage } from './sushy.ts';

export interface StageEntry {
  name: string;
  /** Why it cannot be had on this machine. */
  skip: string | undefined;
  open(): Promise<Stage>;
}

const sushy = sushyPackages();
const pyghmi = pyghmiPackages();
const ipmi = noIpmiSim();

const reasonOf = (found: { folder: string } | { reason: string }) =>
  'reason' in found ? found.reason : undefined;
const folderOf = (found: { folder: string } | { reason: string }) => ('folder' in found ? found.folder : '');

export const STAGES: readonly StageEntry[] = [
  { name: 'Simulated', skip: undefined, open: simulatedStage },
  { name: 'ECS (our stand-in)', skip: undefined, open: ecsStage },
  { name: 'Redfish (sushy-tools)', skip: reasonOf(sushy), open: () => sushyStage(folderOf(sushy)) },
  ...(['Dell', 'HPE', 'Lenovo', 'OpenBMC'] as const).map((vendor) => ({
    name: `Redfish (our own as ${vendor})`,
    skip: undefined,
    open: () => ownRedfishStage(vendor),
  })),
  { name: 'Metal3 (embedded API)', skip: undefined, open: metal3Stage },
  { name: 'IPMI (ipmi_sim)', skip: ipmi, open: ipmiSimStage },
  { name: 'IPMI (pyghmi)', skip: reasonOf(pyghmi) ?? ipmi, open: () => pyghmiStage(folderOf(pyghmi)) },
];
