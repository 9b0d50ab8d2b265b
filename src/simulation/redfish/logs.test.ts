import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Json } from './route.ts';
import { linkOf, type Scene, scene } from './test-client.ts';

function fill({ board }: Scene, entries: number): void {
  for (let i = 1; i <= entries; i++) {
    board.addLog({ severity: 'Critical', message: `Uncorrectable error, DIMM ${i}`, sensorType: 'Memory' });
  }
}

/** Every entry of a log, following the links. */
async function allOf({ get }: Scene, path: string): Promise<{ entries: Json[]; pages: number }> {
  const entries: Json[] = [];
  let pages = 0;
  for (let next: string | undefined = path; next !== undefined; pages++) {
    const page: Json = await get(next);
    entries.push(...(page.Members as Json[]));
    const link = page['Members@odata.nextLink'];
    next = link === undefined ? undefined : String(link).replace('/redfish/v1', '');
  }
  return { entries, pages };
}

describe('the event log', () => {
  it('lies under the manager at Dell, under the system at the others, with another log beside it', async () => {
    await using dell = await scene('Dell');
    assert.equal((await dell.get('/Systems/System.Embedded.1')).LogServices, undefined);
    const manager = await dell.get('/Managers/iDRAC.Embedded.1');
    const logs = await dell.get(linkOf(manager, 'LogServices'));
    const folder = '/redfish/v1/Managers/iDRAC.Embedded.1/LogServices';
    assert.deepEqual(logs.Members, [{ '@odata.id': `${folder}/Lclog` }, { '@odata.id': `${folder}/Sel` }]);
    await using lenovo = await scene('Lenovo');
    const { Members } = await lenovo.get('/Systems/1/LogServices');
    assert.match(JSON.stringify(Members), /PlatformLog/);
    assert.equal((await lenovo.send('/Managers/1/LogServices')).status, 404);
  });

  it('comes in pages whose entries are all there, each once, newest first at Dell', async () => {
    await using dell = await scene('Dell');
    fill(dell, 120);
    const { entries, pages } = await allOf(dell, '/Managers/iDRAC.Embedded.1/LogServices/Sel/Entries');
    assert.equal(pages, 3);
    assert.deepEqual(
      entries.map(({ Id }) => Number(Id)),
      Array.from({ length: 120 }, (_, i) => 120 - i),
    );
    const [newest] = entries;
    assert.deepEqual(
      [newest?.EntryType, newest?.SensorType, newest?.Severity],
      ['SEL', 'Memory', 'Critical'],
    );
  });

  it('is oldest first and of the type Oem at HPE', async () => {
    await using hpe = await scene('HPE');
    fill(hpe, 3);
    const { entries } = await allOf(hpe, '/Systems/1/LogServices/IML/Entries');
    assert.deepEqual(
      entries.map(({ Id, EntryType, SensorType }) => [Id, EntryType, SensorType]),
      ['1', '2', '3'].map((id) => [id, 'Oem', undefined]),
    );
  });

  it('gives the part that was asked for', async () => {
    await using bmc = await scene('OpenBMC');
    fill(bmc, 10);
    const path = '/Systems/system/LogServices/EventLog/Entries';
    const part = await bmc.get(`${path}?$skip=4&$top=2`);
    assert.deepEqual(
      (part.Members as Json[]).map(({ Id }) => Id),
      ['5', '6'],
    );
    assert.equal(part['Members@odata.count'], 10);
    assert.equal(part['Members@odata.nextLink'], undefined);
    assert.equal((await bmc.send(`${path}?$top=few`)).status, 400);
    assert.equal((await bmc.send('/Systems/system?$top=2')).status, 400);
    assert.equal((await bmc.send(`${path}?$filter=Severity`)).status, 501);
  });

  it('is empty after it was cleared, and goes on counting', async () => {
    await using dell = await scene('Dell');
    fill(dell, 2);
    const log = '/Managers/iDRAC.Embedded.1/LogServices/Sel';
    assert.equal((await dell.post(`${log}/Actions/LogService.ClearLog`, {})).status, 204);
    assert.equal((await dell.get(`${log}/Entries`))['Members@odata.count'], 0);
    fill(dell, 1);
    assert.equal((await dell.get(`${log}/Entries/3`)).Id, '3');
  });
});

describe('the log of the BMC itself', () => {
  it('has the logins and resets, with who did them', async () => {
    await using dell = await scene('Dell');
    await dell.post('/Systems/System.Embedded.1/Actions/ComputerSystem.Reset', { ResetType: 'ForceOff' });
    const { Members } = await dell.get('/Managers/iDRAC.Embedded.1/LogServices/Lclog/Entries');
    assert.match(JSON.stringify(Members), /ComputerSystem.Reset ForceOff by root/);
  });
});
