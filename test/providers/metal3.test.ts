// What belongs to Metal3's operator and to the host's owner stays theirs.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BARE_METAL_HOSTS, DETACHED, PAUSED, REBOOT } from '../../src/platform/providers/metal3/host.ts';
import { ProviderError } from '../../src/platform/providers/provider.ts';
import { metal3Stage } from './metal3.ts';
import { eventually } from './stage.ts';

const refused = (says: RegExp) => (error: unknown) =>
  error instanceof ProviderError && error.failure === 'Refused' && says.test(error.message);

describe('a BareMetalHost', () => {
  it('that is paused or detached is not asked for anything: its operator would not hear', async () => {
    await using stage = await metal3Stage();
    for (const annotation of [PAUSED, DETACHED]) {
      await stage.annotate({ [annotation]: '' });
      await assert.rejects(
        stage.provider.act(stage.machine, 'ForceReboot', 'k'),
        refused(new RegExp(annotation)),
      );
      assert.equal((await stage.provider.describe(stage.machine)).power, 'On', 'it is still looked at');
      await stage.annotate({ [annotation]: null });
    }
    assert.deepEqual(stage.done, []);
  });

  it('that its owner wants off stays off', async () => {
    await using stage = await metal3Stage();
    const { client, machine, provider } = stage;
    const options = { fieldManager: 'owner', namespace: 'default' };
    await client.mergePatch(BARE_METAL_HOSTS, 'host-1', { spec: { online: false } }, options);
    await assert.rejects(provider.act(machine, 'PowerOn', 'k'), refused(/shall be off \(spec\.online\)/));
  });

  it('keeps the annotations of others, and one reboot that waits is not asked for twice', async () => {
    await using stage = await metal3Stage();
    await stage.annotate({ 'reboot.metal3.io/capm3': '', 'example.com/mine': 'yes' });
    await Promise.all([1, 2, 3].map((at) => stage.provider.act(stage.machine, 'ForceReboot', `k${at}`)));
    await eventually('it has rebooted', async () => !(REBOOT in (await stage.annotations())));
    assert.deepEqual(stage.done, ['hard']);
    assert.deepEqual(Object.keys(await stage.annotations()).sort(), [
      'example.com/mine',
      'reboot.metal3.io/capm3',
    ]);
  });

  it('whose BMC its operator does not reach has no power that anybody knows', async () => {
    await using stage = await metal3Stage();
    const { client, machine, provider } = stage;
    await stage.annotate({ [PAUSED]: '' });
    const status = {
      poweredOn: false,
      operationalStatus: 'error',
      errorType: 'power management error',
      errorMessage: 'no route',
    };
    const write = () =>
      client.mergePatch(
        BARE_METAL_HOSTS,
        'host-1',
        { status },
        { fieldManager: 'test', namespace: 'default', subresource: 'status' },
      );
    await eventually('it says so', async () => {
      await write();
      return (await provider.describe(machine)).power === 'Unknown';
    });
  });
});
