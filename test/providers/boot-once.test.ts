// What a machine starts from at its next boot, over the real protocols.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../src/platform/clock/system.ts';
import { type BootOnce, type Provider, ProviderError } from '../../src/platform/providers/provider.ts';
import { MadeUpBoard, serveRedfish, VENDORS, type VendorName } from '../../src/simulation/redfish/index.ts';
import { ipmiSimStage, noIpmiSim } from './ipmi-sim.ts';
import { pyghmiPackages, pyghmiStage } from './pyghmi.ts';
import { opened, PASSWORD, SECRET } from './stage.ts';

const pyghmi = pyghmiPackages();
const noIpmi = noIpmiSim();

const fails = (failure: string, says: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ProviderError, String(error));
  assert.equal(error.failure, failure, error.message);
  assert.match(error.message, says);
  return true;
};
const boot = async (provider: Provider, machine: string, once: BootOnce) =>
  (provider.bootOnce ?? assert.fail())(machine, once);

/** One machine of our own service. */
async function stageOf(vendor: VendorName) {
  const board = new MadeUpBoard(systemClock, {});
  const users = [{ name: 'admin', password: PASSWORD, role: 'Operator' as const }];
  const service = await serveRedfish({ boards: [board], vendor, users });
  const spec = { redfish: { secretRef: SECRET, scheme: 'HTTP' } };
  const provider = opened(spec, { username: 'admin', password: PASSWORD });
  const headers = { authorization: `Basic ${Buffer.from(`admin:${PASSWORD}`).toString('base64')}` };
  const read = async (path: string) =>
    (await (await fetch(`${service.url}${path}`, { headers })).json()) as {
      Members?: { '@odata.id': string }[];
      Boot?: Record<string, string>;
    };
  return {
    board,
    service,
    provider,
    machine: new URL(service.url).host,
    /** As the BMC shows it to anybody. */
    async shown(): Promise<string> {
      const { Members } = await read('/redfish/v1/Systems');
      const { Boot } = await read(Members?.[0]?.['@odata.id'] ?? '');
      const { BootSourceOverrideEnabled, BootSourceOverrideTarget, BootSourceOverrideMode } = Boot ?? {};
      return `${BootSourceOverrideEnabled} ${BootSourceOverrideTarget} ${BootSourceOverrideMode}`;
    },
    [Symbol.asyncDispose]: async () => {
      await provider.close();
      await service.close();
    },
  };
}

describe('the next boot of a machine', () => {
  for (const vendor of Object.keys(VENDORS) as VendorName[])
    it(`is set, changed and taken back by Redfish (${vendor}), and nothing is reset`, async () => {
      await using stage = await stageOf(vendor);
      const { provider, machine, board } = stage;
      await boot(provider, machine, { source: 'Pxe' });
      assert.equal(await stage.shown(), 'Once Pxe UEFI');
      await boot(provider, machine, { source: 'BiosSetup', mode: 'Legacy' });
      await boot(provider, machine, { source: 'BiosSetup', mode: 'Legacy' });
      assert.equal(await stage.shown(), 'Once BiosSetup Legacy');
      await boot(provider, machine, { source: 'None' });
      assert.equal(await stage.shown(), 'Disabled None Legacy');
      assert.deepEqual(board.orders, []);
      await assert.rejects(
        boot(provider, machine, { source: 'Diags' }),
        fails('Refused', /takes no Diags as BootSourceOverrideTarget: it takes None, Pxe, Hdd/),
      );
    });

  for (const etags of ['Doubled', 'Unquoted', 'WeakRefused', 'Refused'] as const)
    it(`is set where the BMC’s tags are wrong (${etags})`, async () => {
      await using stage = await stageOf('Dell');
      stage.service.faults = { etags };
      await boot(stage.provider, stage.machine, { source: 'Pxe' });
      assert.match(await stage.shown(), /^Once Pxe/);
    });

  it('is no word of a BMC that accepts it and does nothing', async () => {
    await using stage = await stageOf('OpenBMC');
    await stage.provider.describe(stage.machine);
    stage.service.faults = { errorWith200: true, only: ({ method }) => method === 'PATCH' };
    await assert.rejects(
      boot(stage.provider, stage.machine, { source: 'Pxe' }),
      (error: unknown) => error instanceof ProviderError,
    );
    assert.match(await stage.shown(), /^Disabled/);
  });

  it('is set by IPMI (pyghmi), and what IPMI has not is refused by name', {
    skip: 'reason' in pyghmi ? pyghmi.reason : (noIpmi ?? false),
  }, async () => {
    await using stage = await pyghmiStage('folder' in pyghmi ? pyghmi.folder : '');
    await boot(stage.provider, stage.machine, { source: 'Pxe' });
    await boot(stage.provider, stage.machine, { source: 'BiosSetup', mode: 'UEFI' });
    assert.deepEqual(
      stage.told?.().filter((line) => line.startsWith('boot')),
      ['boot network', 'boot setup'],
    );
    await assert.rejects(
      boot(stage.provider, stage.machine, { source: 'UefiHttp' }),
      fails('Refused', /IPMI has no boot from UefiHttp/),
    );
  });

  it('is set by IPMI (ipmi_sim) and taken back', {
    skip: noIpmi ?? false,
  }, async () => {
    await using stage = await ipmiSimStage();
    await boot(stage.provider, stage.machine, { source: 'Pxe' });
    await boot(stage.provider, stage.machine, { source: 'None' });
    assert.deepEqual(
      stage.told?.().filter((line) => line.startsWith('set boot')),
      ['set boot pxe', 'set boot none'],
    );
  });
});
