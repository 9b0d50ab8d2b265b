import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SECOND } from '../../platform/clock/clock.ts';
import type { Faults } from './faults.ts';
import type { Json } from './route.ts';
import { firstMessage, type Scene, scene } from './test-client.ts';

const PXE = { Boot: { BootSourceOverrideTarget: 'Pxe', BootSourceOverrideEnabled: 'Once' } };

async function tagOf({ send }: Scene, path: string): Promise<string> {
  return String((await send(path)).headers.get('etag'));
}

function patch({ send }: Scene, path: string, body: unknown, ifMatch?: string) {
  return send(path, {
    method: 'PATCH',
    body,
    ...(ifMatch === undefined ? {} : { headers: { 'if-match': ifMatch } }),
  });
}

describe('the boot override', () => {
  it('is set by PATCH and used up by one boot', async () => {
    await using dell = await scene('Dell');
    const path = '/Systems/System.Embedded.1';
    assert.equal((await patch(dell, path, PXE)).status, 200);
    const target = async () => ((await dell.get(path)).Boot as Json).BootSourceOverrideTarget;
    assert.equal(await target(), 'Pxe');
    await dell.post(`${path}/Actions/ComputerSystem.Reset`, { ResetType: 'ForceRestart' });
    assert.equal(await target(), 'Pxe');
    await dell.clock.advance(3 * SECOND);
    assert.equal(await target(), 'None');
  });

  it('to what there is not is refused, and nothing of the PATCH is done', async () => {
    await using dell = await scene('Dell');
    const path = '/Systems/System.Embedded.1';
    const wrong = { Boot: { BootSourceOverrideEnabled: 'Once', BootSourceOverrideTarget: 'Floppy' } };
    const refused = await patch(dell, path, wrong);
    assert.equal(refused.status, 400);
    assert.deepEqual(firstMessage(refused.json).args, ['Floppy', 'BootSourceOverrideTarget']);
    assert.equal(((await dell.get(path)).Boot as Json).BootSourceOverrideEnabled, 'Disabled');
  });
});

describe('a PATCH', () => {
  it('does what it can, and says what it cannot', async () => {
    await using dell = await scene('Dell');
    const mixed = await patch(dell, '/Systems/System.Embedded.1', { ...PXE, Model: 'Better' });
    assert.equal(mixed.status, 200);
    assert.equal(firstMessage(mixed.json).key, 'PropertyNotWritable');
    const bad = await patch(dell, '/Systems/System.Embedded.1', { Colour: 'red' });
    assert.equal(bad.status, 400);
    assert.equal(firstMessage(bad.json).key, 'PropertyUnknown');
    const nasty = await patch(
      dell,
      '/Systems/System.Embedded.1',
      '{"constructor":1,"__proto__":{},"Boot":{"toString":1}}',
    );
    assert.deepEqual([nasty.status, firstMessage(nasty.json).key], [400, 'PropertyUnknown']);
  });

  it('with a stale tag is refused by everybody', async () => {
    await using dell = await scene('Dell');
    const path = '/Systems/System.Embedded.1';
    const tag = await tagOf(dell, path);
    assert.match(tag, /^W\/"\w+"$/);
    assert.equal((await patch(dell, path, PXE, tag)).status, 200);
    const stale = await patch(dell, path, PXE, tag);
    assert.equal(stale.status, 412);
    assert.equal(firstMessage(stale.json).key, 'PreconditionFailed');
  });

  it('without a tag is refused by Lenovo', async () => {
    await using lenovo = await scene('Lenovo');
    const without = await patch(lenovo, '/Systems/1', PXE);
    assert.equal(without.status, 428);
    assert.equal(firstMessage(without.json).key, 'PreconditionRequired');
    assert.equal((await patch(lenovo, '/Systems/1', PXE, await tagOf(lenovo, '/Systems/1'))).status, 200);
    // an action is no change of a known state
    const reset = { ResetType: 'Nmi' };
    assert.equal((await lenovo.post('/Systems/1/Actions/ComputerSystem.Reset', reset)).status, 202);
  });

  it('meets the tags that break the standard', async () => {
    const cases: [Faults['etags'], (given: string) => string][] = [
      ['Doubled', (given) => given],
      ['Unquoted', (given) => given.replaceAll('"', '')],
      ['WeakRefused', (given) => given.replace('W/', '')],
    ];
    for (const [etags, right] of cases) {
      await using bmc = await scene('OpenBMC', ['node-1'], etags ? { etags } : {});
      const path = '/Systems/system';
      const given = await tagOf(bmc, path);
      const plain = `"${given.replace(/^W\//, '').replaceAll('"', '')}"`;
      // Of the two forms that a client may try, one is refused and one works.
      const forms = [given, plain, right(given)];
      const answers = [];
      for (const form of forms) answers.push((await patch(bmc, path, { Colour: 1 }, form)).status);
      assert.equal(answers[2], 400, `${etags}: ${forms[2]} passes the condition`);
      assert.ok(answers.includes(412), `${etags}: ${forms.join(' ')} answer ${answers.join(' ')}`);
    }
    await using never = await scene('OpenBMC', ['node-1'], { etags: 'Refused' });
    assert.equal((await patch(never, '/Systems/system', PXE, '*')).status, 412);
    assert.equal((await patch(never, '/Systems/system', PXE)).status, 200);
  });

  it('of an array takes null as away, {} as untouched, and ends it where the body ends', async () => {
    await using bmc = await scene('OpenBMC');
    const path = '/Managers/bmc/NetworkProtocol';
    const set = async (servers: unknown[]) => {
      await patch(bmc, path, { NTP: { NTPServers: servers } });
      return ((await bmc.get(path)).NTP as Json).NTPServers;
    };
    assert.deepEqual(await set(['a', 'b', 'c']), ['a', 'b', 'c']);
    assert.deepEqual(await set([null, {}, 'd']), ['b', 'd']);
    assert.deepEqual(await set(['e']), ['e']);
  });
});

describe('reading what has not changed', () => {
  it('answers 304, also while the clock of the BMC goes on', async () => {
    await using bmc = await scene('OpenBMC');
    const tag = await tagOf(bmc, '/Managers/bmc');
    await bmc.clock.advance(5 * SECOND);
    assert.equal((await bmc.send('/Managers/bmc', { headers: { 'if-none-match': tag } })).status, 304);
  });
});
