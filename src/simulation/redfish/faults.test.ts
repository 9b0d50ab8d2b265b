import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MINUTE, SECOND } from '../../platform/clock/clock.ts';
import { moveUntil, type Reply, type Scene, scene } from './test-client.ts';

const SYSTEM = '/Systems/System.Embedded.1';
const RESET = `${SYSTEM}/Actions/ComputerSystem.Reset`;
const OFF = { ResetType: 'ForceOff' };

function login({ post }: Scene): Promise<Reply> {
  return post('/SessionService/Sessions', { UserName: 'root', Password: 'secret' }, { user: undefined });
}

describe('faults', () => {
  it('badBody cuts the body', async () => {
    await using dell = await scene('Dell', ['node-1'], { badBody: true });
    const { status, text } = await dell.send(SYSTEM);
    assert.equal(status, 200);
    assert.throws(() => JSON.parse(text));
  });

  it('errorWith200 does nothing and says 200', async () => {
    await using dell = await scene('Dell', ['node-1'], { errorWith200: true });
    const { status, json } = await dell.post(RESET, OFF);
    assert.equal(status, 200);
    assert.ok(json.error);
    assert.deepEqual(dell.board.orders, []);
  });

  it('hang never answers', async () => {
    await using dell = await scene('Dell', ['node-1'], { hang: true });
    const asked = fetch(`${dell.service.url}/redfish/v1/`, { signal: AbortSignal.timeout(200) });
    await assert.rejects(asked, { name: 'TimeoutError' });
    assert.equal(dell.service.requests[0]?.status, undefined);
  });

  it('slow_ms waits first', async () => {
    await using dell = await scene('Dell', ['node-1'], { slow_ms: 30 * SECOND });
    let answered = false;
    const reply = dell.send(SYSTEM).finally(() => {
      answered = true;
    });
    while (dell.service.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await dell.clock.advance(29 * SECOND);
    assert.equal(answered, false);
    assert.equal((await moveUntil(dell.clock, reply)).status, 200);
  });

  it('dropSessions ends a session after one request, and all may be dropped at once', async () => {
    await using dell = await scene('Dell');
    const first = { token: String((await login(dell)).headers.get('x-auth-token')) };
    dell.service.faults = { dropSessions: true };
    assert.equal((await dell.send(SYSTEM, first)).status, 200);
    assert.equal((await dell.send(SYSTEM, first)).status, 401);
    dell.service.faults = {};
    const second = { token: String((await login(dell)).headers.get('x-auth-token')) };
    dell.service.dropSessions();
    assert.equal((await dell.send(SYSTEM, second)).status, 401);
  });

  it('resetIgnored accepts and forgets, by task too', async () => {
    await using dell = await scene('Dell', ['node-1'], { resetIgnored: true });
    assert.equal((await dell.post(RESET, OFF)).status, 204);
    await dell.clock.advance(MINUTE);
    assert.equal((await dell.get(SYSTEM)).PowerState, 'On');
    await using lenovo = await scene('Lenovo', ['node-1'], { resetIgnored: true });
    const accepted = await lenovo.post('/Systems/1/Actions/ComputerSystem.Reset', OFF);
    assert.deepEqual([accepted.status, accepted.json.TaskState], [202, 'Completed']);
    assert.equal((await lenovo.get('/Systems/1')).PowerState, 'On');
  });

  it('lostAnswers acts and cuts the connection', async () => {
    await using dell = await scene('Dell', ['node-1'], { lostAnswers: true });
    await assert.rejects(dell.post(RESET, OFF));
    assert.deepEqual(dell.board.orders, ['ForceOff']);
    dell.service.faults = {};
    await dell.clock.advance(2 * SECOND);
    assert.equal((await dell.get(SYSTEM)).PowerState, 'Off');
  });

  it('extendedInfoAtTop puts messages where they do not belong', async () => {
    await using dell = await scene('Dell', ['node-1'], { extendedInfoAtTop: true });
    const { json } = await dell.send('/Systems/none');
    assert.ok(json['@Message.ExtendedInfo']);
    assert.equal((json.error as Record<string, unknown>)['@Message.ExtendedInfo'], undefined);
  });

  it('meet only the requests that were picked', async () => {
    await using dell = await scene('Dell');
    dell.service.faults = { lostAnswers: true, only: ({ method }) => method === 'POST' };
    assert.equal((await dell.send(SYSTEM)).status, 200);
    await assert.rejects(dell.post(RESET, OFF));
  });
});

describe('a BMC that restarts', () => {
  it('refuses connections for its time and has forgotten its sessions and tasks', async () => {
    await using lenovo = await scene('Lenovo');
    const session = { token: String((await login(lenovo)).headers.get('x-auth-token')) };
    await lenovo.post('/Systems/1/Actions/ComputerSystem.Reset', OFF);
    const back = lenovo.service.restart(MINUTE);
    await lenovo.clock.advance(30 * SECOND);
    await assert.rejects(lenovo.send('/'), (error: Error) => /ECONNREFUSED/.test(String(error.cause)));
    assert.equal(lenovo.board.power(), 'Off', 'the machine goes on without its BMC');
    await moveUntil(lenovo.clock, back);
    assert.equal((await lenovo.send('/Systems', session)).status, 401);
    assert.equal((await lenovo.get('/TaskService/Tasks'))['Members@odata.count'], 0);
    const { Members } = await lenovo.get('/Systems/1/LogServices/AuditLog/Entries');
    assert.match(JSON.stringify(Members), /The BMC was restarted/);
  });

  it('does so when it is told to, after the answer', async () => {
    await using dell = await scene('Dell');
    const told = await dell.post('/Managers/iDRAC.Embedded.1/Actions/Manager.Reset', {
      ResetType: 'GracefulRestart',
    });
    assert.equal(told.status, 204);
    await dell.clock.advance(SECOND);
    await assert.rejects(dell.send('/'));
  });
});

describe('what the service has seen', () => {
  it('shows a client that asks too much at once', async () => {
    await using dell = await scene('Dell', ['node-1'], { slow_ms: SECOND });
    const replies = [1, 2, 3].map(() => dell.send(SYSTEM));
    while (dell.service.requests.length < 3) await new Promise((resolve) => setImmediate(resolve));
    await moveUntil(dell.clock, Promise.all(replies));
    assert.equal(dell.service.concurrentMost, 3);
    assert.deepEqual(
      dell.service.requests.map(({ method, path, auth, user, status }) => [method, path, auth, user, status]),
      [1, 2, 3].map(() => ['GET', `/redfish/v1${SYSTEM}`, 'Basic', 'root', 200]),
    );
    dell.service.forgetRequests();
    assert.deepEqual([dell.service.requests.length, dell.service.concurrentMost], [0, 0]);
  });
});
