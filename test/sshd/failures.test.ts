// Each way in which a real sshd can fail us, told apart.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { systemClock } from '../../src/platform/clock/system.ts';
import type { Order } from '../../src/platform/hosts/actions/shell.ts';
import { freePort } from '../free-ports.ts';
import { Keys } from './keys.ts';
import { failureOf, knownAs, reach, refOf } from './reach.ts';
import { childrenOf, noSshd, type Sshd, startSshd } from './start.ts';

const ORDER: Order = {
  script: 'echo "$1"',
  args: ['hello'],
  root: false,
  timeout_ms: 10_000,
  output_bytes_max: 1000,
};
/** Seconds that a test can afford to wait for a hang. */
const QUICK = { connect_s: 2, login_s: 3, start_s: 2, alive_s: 1 };

describe('hosts over SSH', { skip: noSshd() ?? false }, () => {
  const keys = new Keys();
  const key = keys.make();
  const folder = mkdtempSync(join(tmpdir(), 'drover-failures-'));
  after(() => {
    keys[Symbol.dispose]();
    rmSync(folder, { recursive: true });
  });
  const start = (options: Parameters<typeof startSshd>[0] = {}) =>
    startSshd({ authorized: [key.publicKey], ...options });

  test('a script runs, with its arguments as they are, its exit code even when that is 255, and its complaints', async () => {
    await using sshd = await start();
    await using way = await reach([sshd], key);
    const script = `printf '%s|' "$@"; echo oh >&2; exit 255`;
    const args = ['a b', '', '$(id)', '-n', "it's", '大促', ' '];
    const ran = await way.shell.exec(refOf(sshd), { ...ORDER, script, args });
    assert.equal(ran.stdout.toString(), args.map((arg) => `${arg}|`).join(''));
    assert.equal(ran.exitCode, 255);
    assert.equal(ran.stderr.toString(), 'oh\n');
  });

  test('output is binary and exact; what is too much is cut, and said', async () => {
    await using sshd = await start();
    await using way = await reach([sshd], key);
    const order = { ...ORDER, script: 'head -c "$1" /dev/zero', output_bytes_max: 100_000 };
    const fits = await way.shell.exec(refOf(sshd), { ...order, args: ['100000'] });
    assert.deepEqual([fits.stdout.length, fits.truncated, fits.exitCode], [100_000, false, 0]);
    const over = await way.shell.exec(refOf(sshd), { ...order, args: ['100001'] });
    assert.deepEqual([over.stdout.length, over.truncated], [100_000, true]);
    const endless = await way.shell.exec(refOf(sshd), { ...order, script: 'cat /dev/zero' });
    assert.deepEqual([endless.stdout.length, endless.truncated], [100_000, true]);
  });

  test('nobody listens: Unreachable', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    await using way = await reach([], key, { knownHosts: knownAs(address, key.publicKey) });
    const { failure, message } = await failureOf(way.shell.exec({ id: 'm1', ssh: address }, ORDER));
    assert.equal(failure, 'Unreachable');
    assert.match(message, /refused/);
  });

  test('a wrong key: BadCredentials; a user whom sshd does not let in: BadCredentials', async () => {
    await using sshd = await start();
    await using wrong = await reach([sshd], keys.make());
    assert.equal((await failureOf(wrong.shell.exec(refOf(sshd), ORDER))).failure, 'BadCredentials');
    await using strict = await start({ settings: { AllowUsers: 'nobody' } });
    await using way = await reach([strict], key);
    assert.equal((await failureOf(way.shell.exec(refOf(strict), ORDER))).failure, 'BadCredentials');
  });

  test('another host key than the known one: HostKeyChanged; none known: HostKeyUnknown', async () => {
    await using sshd = await start();
    await using changed = await reach([], key, { knownHosts: knownAs(sshd.address, keys.make().publicKey) });
    assert.equal((await failureOf(changed.shell.exec(refOf(sshd), ORDER))).failure, 'HostKeyChanged');
    await using unknown = await reach([], key, { knownHosts: knownAs('10.0.0.1:22', sshd.hostKey) });
    assert.equal((await failureOf(unknown.shell.exec(refOf(sshd), ORDER))).failure, 'HostKeyUnknown');
  });

  test('certificates of a user CA: valid, expired, and for another user', async () => {
    const ca = keys.make();
    const trusted = join(folder, 'ca.pub');
    writeFileSync(trusted, `${ca.publicKey}\n`);
    await using sshd = await start({ authorized: [], settings: { TrustedUserCAKeys: trusted } });
    const own = keys.make();
    const ask = async (certificate: string) => {
      await using way = await reach([sshd], own, { keys: { privateKey: own.privateKey, certificate } });
      return await way.shell.exec(refOf(sshd), ORDER);
    };
    const valid = keys.sign(ca, own, { principals: 'root' });
    assert.equal((await ask(valid)).stdout.toString(), 'hello\n');
    const expired = keys.sign(ca, own, { principals: 'root', validity: '-2h:-1h' });
    const { failure, message } = await failureOf(ask(expired));
    assert.equal(failure, 'CertificateExpired');
    assert.match(message, /our certificate has expired/);
    const early = await failureOf(ask(keys.sign(ca, own, { principals: 'root', validity: '+1h:+2h' })));
    assert.equal(early.failure, 'CertificateExpired');
    assert.match(early.message, /our certificate is not valid yet/);
    const other = keys.sign(ca, own, { principals: 'somebody' });
    assert.equal((await failureOf(ask(other))).failure, 'BadCredentials');
    assert.equal((await failureOf(ask('no certificate at all'))).failure, 'Refused');
  });

  test('a host CA vouches for hosts, by address or by the machine’s id; not when its certificate has expired', async () => {
    const ca = keys.make();
    const certified = (principals: string, validity?: string) =>
      start({
        certify: (hostKey) =>
          keys.sign(ca, hostKey, { isHost: true, principals, ...(validity && { validity }) }),
      });
    await using sshd = await certified('127.0.0.1,m1');
    const knownHosts = `@cert-authority * ${ca.publicKey}\n`;
    await using byAddress = await reach([], key, { knownHosts });
    assert.equal((await byAddress.shell.exec(refOf(sshd), ORDER)).exitCode, 0);
    await using byId = await reach([], key, { knownHosts, knownAs: 'Id' });
    assert.equal((await byId.shell.exec(refOf(sshd, 'm1'), ORDER)).exitCode, 0);
    assert.equal((await failureOf(byId.shell.exec(refOf(sshd, 'm2'), ORDER))).failure, 'HostKeyUnknown');
    assert.equal((await failureOf(byId.shell.exec(refOf(sshd, 'm*,m2'), ORDER))).failure, 'Refused');
    await using old = await certified('127.0.0.1', '-2h:-1h');
    assert.equal((await failureOf(byAddress.shell.exec(refOf(old), ORDER))).failure, 'CertificateExpired');
  });

  test('a jump host leads there; its own host key is demanded as well, and its failures are told', async () => {
    await using target = await start({ listen: '127.0.0.2' });
    await using jump = await start({ settings: { LogLevel: 'VERBOSE' } });
    const [host = '', port] = jump.address.split(':');
    const through = { user: 'root', host, port: Number(port), keys: { privateKey: key.privateKey } };
    await using way = await reach([target, jump], key, { jump: through });
    const where = { ...ORDER, script: 'echo "$SSH_CONNECTION"', args: [] };
    const ran = await way.shell.exec(refOf(target), where);
    assert.match(ran.stdout.toString(), /^127\.0\.0\.\d+ \d+ 127\.0\.0\.2 /);
    await using strange = await reach([target], key, { jump: through });
    assert.equal((await failureOf(strange.shell.exec(refOf(target), ORDER))).failure, 'HostKeyUnknown');
    const wrongKeys = { ...through, keys: { privateKey: keys.make().privateKey } };
    await using wrong = await reach([target, jump], key, { jump: wrongKeys });
    assert.equal((await failureOf(wrong.shell.exec(refOf(target), ORDER))).failure, 'BadCredentials');
    await target.kill();
    assert.equal((await failureOf(way.shell.exec(refOf(target), ORDER))).failure, 'Unreachable');
  });

  test('an agent holds the key', async () => {
    await using sshd = await start();
    const socket = join(folder, 'agent');
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    try {
      for (let tries = 0; !existsSync(socket) && tries < 200; tries++) await systemClock.sleep(10);
      execFileSync('ssh-add', ['-q', key.path], {
        env: { ...process.env, SSH_AUTH_SOCK: socket },
        stdio: 'pipe',
      });
      await using way = await reach([sshd], key, { keys: undefined, agentSocket: socket });
      assert.equal((await way.shell.exec(refOf(sshd), ORDER)).exitCode, 0);
    } finally {
      const gone = once(agent, 'exit');
      agent.kill();
      await gone;
    }
  });

  test('it hangs after the connection, and after the login: Silent, and said which', async () => {
    await using sshd = await start();
    await using way = await reach([sshd], key, QUICK);
    await sshd.pause();
    const connected = await failureOf(way.shell.exec(refOf(sshd), ORDER));
    sshd.resume();
    assert.equal(connected.failure, 'Silent');
    assert.match(connected.message, /banner exchange/);
    await using asleep = await start({ settings: { ForceCommand: 'sleep 10' } });
    await using other = await reach([asleep], key, QUICK);
    const loggedIn = await failureOf(other.shell.exec(refOf(asleep), ORDER));
    assert.equal(loggedIn.failure, 'Silent');
    assert.match(loggedIn.message, /logged in, and then nothing came/);
  });

  test('it hangs after the banner, in the exchange of keys: Silent', async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket.on('error', () => {}));
      socket.write('SSH-2.0-OpenSSH_9.2\r\n');
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as { port: number };
    await using way = await reach([], key, {
      ...QUICK,
      knownHosts: knownAs(`127.0.0.1:${port}`, key.publicKey),
    });
    const { failure } = await failureOf(way.shell.exec({ id: 'm1', ssh: `127.0.0.1:${port}` }, ORDER));
    for (const socket of sockets) socket.destroy();
    server.close();
    assert.equal(failure, 'Silent');
  });

  test('it hangs in the middle of its output: TimedOut, with what came; a whole host that stops: Cut', async () => {
    await using sshd = await start();
    await using way = await reach([sshd], key, QUICK);
    const stuck = { ...ORDER, script: 'echo 1234567; sleep 5; echo end', args: [], timeout_ms: 1000 };
    const { failure, message } = await failureOf(way.shell.exec(refOf(sshd), stuck));
    assert.equal(failure, 'TimedOut');
    assert.match(message, /after 8 bytes of output/);
    const running = failureOf(way.shell.exec(refOf(sshd), { ...stuck, timeout_ms: 20_000 }));
    const sessions = await sessionsOf(sshd);
    for (const pid of sessions) process.kill(pid, 'SIGSTOP');
    const stopped = await running;
    for (const pid of sessions) process.kill(pid, 'SIGKILL');
    assert.equal(stopped.failure, 'Cut');
    assert.match(stopped.message, /not responding/);
  });

  test('the connection is lost in the middle: Cut, with what came', async () => {
    await using sshd = await start();
    await using way = await reach([sshd], key);
    const stuck = { ...ORDER, script: 'echo 1234567; sleep 5', args: [] };
    const running = failureOf(way.shell.exec(refOf(sshd), stuck));
    for (const pid of await sessionsOf(sshd)) process.kill(pid, 'SIGKILL');
    const { failure, message } = await running;
    assert.equal(failure, 'Cut');
    assert.match(message, /after 8 bytes of output/);
  });

  test('a host that prints what ssh would say fools nobody', async () => {
    await using sshd = await start({
      settings: { ForceCommand: `echo 'Host key verification failed.' >&2; echo 'drover ended 0'; exit 255` },
    });
    await using way = await reach([sshd], key);
    assert.equal((await failureOf(way.shell.exec(refOf(sshd), ORDER))).failure, 'Cut');
  });

  test('a login shell that lets nobody in: Failed, with its words', async () => {
    await using sshd = await start({
      settings: { ForceCommand: 'echo This account is not available.; exit 1' },
    });
    await using way = await reach([sshd], key);
    const { failure, message } = await failureOf(way.shell.exec(refOf(sshd), ORDER));
    assert.equal(failure, 'Failed');
    assert.match(message, /could not begin it: This account is not available\. \(exit code 1\)/);
  });

  test('login scripts that chatter are passed over', async () => {
    await using sshd = await start({
      settings: { ForceCommand: 'echo Welcome; echo; eval "$SSH_ORIGINAL_COMMAND"' },
    });
    await using way = await reach([sshd], key);
    assert.equal((await way.shell.exec(refOf(sshd), ORDER)).stdout.toString(), 'hello\n');
  });

  test('a call that is aborted ends at once, also while it waits for its turn', async () => {
    await using sshd = await start();
    await using way = await reach([sshd], key, { concurrent_max: 1 });
    const stuck = { ...ORDER, script: 'sleep 5', args: [] };
    const stop = new AbortController();
    const calls = [1, 2].map(() => way.shell.exec(refOf(sshd), stuck, stop.signal));
    const ends = Promise.allSettled(calls);
    await sessionsOf(sshd);
    stop.abort(new Error('enough'));
    for (const end of await ends) assert.match(String(end.status === 'rejected' && end.reason), /enough/);
  });

  test('a connection is used again, and one that is dead holds up nobody', async () => {
    await using sshd = await start({ settings: { LogLevel: 'VERBOSE' } });
    await using way = await reach([sshd], key, { ...QUICK, alive_s: 30, reuse_s: 30 });
    const client = { ...ORDER, script: 'echo "$SSH_CLIENT"', args: [] };
    const ask = async () => (await way.shell.exec(refOf(sshd), client)).stdout.toString();
    const first = await ask();
    assert.equal(await ask(), first);
    const sessions = childrenOf(sshd.pid());
    assert.equal(sessions.length, 1);
    for (const pid of sessions) process.kill(pid, 'SIGSTOP');
    // Not by asking whether it is alive: that takes longer here.
    const dead = await failureOf(way.shell.exec(refOf(sshd), client));
    assert.equal(dead.failure, 'Silent');
    assert.notEqual(await ask(), first);
    for (const pid of sessions) process.kill(pid, 'SIGKILL');
  });

  test('nothing of a shell is left when it is closed: no key, no connection', async () => {
    const ours = () => readdirSync(tmpdir()).filter((name) => name.startsWith('drover-ssh-'));
    const before = new Set(ours());
    await using sshd = await start();
    {
      await using way = await reach([sshd], key, { reuse_s: 30 });
      await way.shell.exec(refOf(sshd), ORDER);
      const [made = ''] = ours().filter((name) => !before.has(name));
      const find = ['-type', 'f', '-printf', '%m %f\n'];
      const files = execFileSync('find', [join(tmpdir(), made), ...find]).toString();
      assert.deepEqual(files.trim().split('\n').sort(), ['600 known_hosts', '600 own']);
    }
    assert.deepEqual(
      ours().filter((name) => !before.has(name)),
      [],
    );
    for (let tries = 0; childrenOf(sshd.pid()).length > 0; tries++) {
      assert.ok(tries < 200, 'a connection stays open');
      await systemClock.sleep(20);
    }
  });

  test('options that would weaken it are refused', async () => {
    await assert.rejects(reach([], key, { knownHosts: '' }), /no known hosts/);
    await assert.rejects(reach([], key, { knownHosts: 'x', user: '-oProxyCommand=id' }), /not a user name/);
    await assert.rejects(reach([], key, { knownHosts: 'x', keys: undefined }), /keys or agentSocket/);
    await using way = await reach([], key, { knownHosts: 'x' });
    for (const ssh of ['-oProxyCommand=id:22', 'a b:22', '$(id):22', 'host:99999', 'a%h:22', ''])
      assert.equal((await failureOf(way.shell.exec({ id: 'm1', ssh }, ORDER))).failure, 'Refused', ssh);
    const args = ['two\nlines'];
    assert.equal(
      (await failureOf(way.shell.exec({ id: 'm1', ssh: 'h' }, { ...ORDER, args }))).failure,
      'Refused',
    );
  });
});

/** The processes of each connection, as soon as one runs something that is not sshd's own. */
async function sessionsOf(sshd: Sshd): Promise<number[]> {
  const runs = (pid: number): boolean => !nameOf(pid).startsWith('sshd') || childrenOf(pid).some(runs);
  for (let tries = 0; tries < 500; tries++) {
    const sessions = childrenOf(sshd.pid());
    if (sessions.some(runs)) {
      // A moment for its first word to arrive.
      await systemClock.sleep(200);
      return sessions;
    }
    await systemClock.sleep(10);
  }
  throw new Error('no session began');
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8');
  } catch {
    return 'sshd'; // it has ended
  }
}
