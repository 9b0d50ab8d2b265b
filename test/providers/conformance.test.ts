// Every provider against the real protocol, row by row: see rows.ts.
import { describe, test } from 'node:test';
import { ecsStage } from './ecs.ts';
import { ipmiSimStage, noIpmiSim } from './ipmi-sim.ts';
import { ownRedfishStage } from './own-redfish.ts';
import { pyghmiPackages, pyghmiStage } from './pyghmi.ts';
import { ROWS } from './rows.ts';
import { simulatedStage } from './simulated.ts';
import type { Stage } from './stage.ts';
import { sushyPackages, sushyStage } from './sushy.ts';

const sushy = sushyPackages();
const pyghmi = pyghmiPackages();

// Each of them mostly waits.
describe('the provider contract', { concurrency: true }, () => {
  conforms('Redfish: sushy-tools', 'reason' in sushy ? sushy.reason : false, () =>
    sushyStage((sushy as { folder: string }).folder),
  );
  conforms('Simulated', false, simulatedStage);
  for (const vendor of ['Dell', 'HPE', 'Lenovo', 'OpenBMC'] as const)
    conforms(`Redfish: our own as ${vendor}`, false, () => ownRedfishStage(vendor));
  conforms('ECS: our stand-in', false, ecsStage);
  conforms('IPMI: ipmi_sim', noIpmiSim() ?? false, ipmiSimStage);
  conforms('IPMI: pyghmi', 'reason' in pyghmi ? pyghmi.reason : (noIpmiSim() ?? false), () =>
    pyghmiStage((pyghmi as { folder: string }).folder),
  );
});

function conforms(name: string, skip: string | false, open: () => Promise<Stage>) {
  test(name, { skip }, async (t) => {
    await using stage = await open();
    for (const row of ROWS)
      await t.test(row.name, async (t) => {
        const cannot = await row.check(stage);
        if (cannot) t.diagnostic(`cannot: ${cannot.cannot}`);
      });
  });
}
