import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MINUTE } from '../../platform/clock/clock.ts';
import { firstMessage, type Reply, type Scene, scene } from './test-client.ts';

const SESSIONS = '/SessionService/Sessions';

function login({ post }: Scene, user = 'root', password = 'secret'): Promise<Reply> {
  return post(SESSIONS, { UserName: user, Password: password }, { user: undefined });
}

function tokenOf(reply: Reply): { token: string } {
  return { token: String(reply.headers.get('x-auth-token')) };
}

describe('a session', () => {
  it('is made, serves, and is gone when it is deleted', async () => {
    await using dell = await scene('Dell');
    const made = await login(dell);
    assert.equal(made.status, 201);
    const path = String(made.headers.get('location')).replace('/redfish/v1', '');
    assert.equal(made.json['@odata.id'], `/redfish/v1${path}`);
    assert.equal((await dell.send('/Systems', tokenOf(made))).status, 200);
    assert.equal(dell.service.sessionsOpen, 1);
    assert.equal((await dell.send(path, { method: 'DELETE', ...tokenOf(made) })).status, 204);
    assert.equal((await dell.send('/Systems', tokenOf(made))).status, 401);
    assert.equal(dell.service.sessionsOpen, 0);
    assert.equal(dell.service.sessionsMost, 1);
  });

  it('ends when nobody has used it for its time', async () => {
    await using lenovo = await scene('Lenovo');
    const made = await login(lenovo);
    await lenovo.clock.advance(4 * MINUTE);
    assert.equal((await lenovo.send('/Systems', tokenOf(made))).status, 200);
    await lenovo.clock.advance(4 * MINUTE);
    assert.equal((await lenovo.send('/Systems', tokenOf(made))).status, 200);
    await lenovo.clock.advance(6 * MINUTE);
    assert.equal((await lenovo.send('/Systems', tokenOf(made))).status, 401);
  });

  it('is not to be had beyond the cap until one is given back', async () => {
    await using dell = await scene('Dell');
    const made = [];
    for (let i = 0; i < 8; i++) made.push(await login(dell));
    const full = await login(dell);
    assert.equal(full.status, 503);
    assert.equal(firstMessage(full.json).key, 'RAC0218');
    // basic authentication needs none
    assert.equal((await dell.send('/Systems')).status, 200);
    const [first] = made;
    assert.ok(first);
    await dell.send(String(first.headers.get('location')).replace('/redfish/v1', ''), {
      method: 'DELETE',
      ...tokenOf(first),
    });
    assert.equal((await login(dell)).status, 201);
  });

  it('is refused alike for a wrong user and a wrong password, and says neither', async () => {
    await using dell = await scene('Dell');
    const wrong = await login(dell, 'root', 'guess-1');
    const unknown = await login(dell, 'nobody', 'guess-2');
    assert.equal(wrong.status, 401);
    assert.equal(wrong.text, unknown.text);
    assert.doesNotMatch(wrong.text, /guess/);
    assert.doesNotMatch(JSON.stringify(dell.service.requests), /guess|"secret"/);
  });
});

describe('roles', () => {
  const off = { ResetType: 'ForceOff' };
  const target = '/Systems/System.Embedded.1/Actions/ComputerSystem.Reset';

  it('let ReadOnly look and not touch', async () => {
    await using dell = await scene('Dell');
    assert.equal((await dell.send('/Systems/System.Embedded.1', { user: 'eye' })).status, 200);
    const refused = await dell.post(target, off, { user: 'eye' });
    assert.equal(refused.status, 403);
    assert.equal(firstMessage(refused.json).key, 'InsufficientPrivilege');
    assert.deepEqual(dell.board.orders, []);
  });

  it('let Operator reset a system and not restart the BMC or make accounts', async () => {
    await using dell = await scene('Dell');
    assert.equal((await dell.post(target, off, { user: 'oper' })).status, 204);
    const restart = '/Managers/iDRAC.Embedded.1/Actions/Manager.Reset';
    assert.equal((await dell.post(restart, {}, { user: 'oper' })).status, 403);
    const account = { UserName: 'new', Password: 'long-enough', RoleId: 'Administrator' };
    assert.equal((await dell.post('/AccountService/Accounts', account, { user: 'oper' })).status, 403);
  });

  it('keep others out of an account, and let everybody change the own password', async () => {
    await using dell = await scene('Dell');
    const own = '/AccountService/Accounts/3';
    assert.equal((await dell.send('/AccountService/Accounts/1', { user: 'eye' })).status, 403);
    assert.equal((await dell.send(own, { user: 'eye' })).status, 200);
    const patch = (body: object) => dell.send(own, { method: 'PATCH', user: 'eye', body });
    assert.equal((await patch({ RoleId: 'Administrator' })).status, 403);
    assert.equal((await patch({ Password: 'another-one' })).status, 200);
    assert.equal((await dell.send(own, { user: 'eye' })).status, 401);
  });
});

describe('an account whose password must be changed', () => {
  it('can do that and nothing else', async () => {
    await using bmc = await scene('OpenBMC');
    const account = '/AccountService/Accounts/2';
    await bmc.send(account, { method: 'PATCH', body: { PasswordChangeRequired: true } });
    const made = await login(bmc, 'oper');
    assert.equal(made.status, 201);
    assert.equal(firstMessage(made.json).key, 'PasswordChangeRequired');
    const refused = await bmc.send('/Systems', tokenOf(made));
    assert.equal(refused.status, 403);
    assert.deepEqual(firstMessage(refused.json).args, [`/redfish/v1${account}`]);
    await bmc.send(account, { method: 'PATCH', body: { Password: 'secret' }, ...tokenOf(made) });
    assert.equal((await bmc.send('/Systems', tokenOf(made))).status, 200);
  });
});
