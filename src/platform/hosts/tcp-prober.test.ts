import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { after, test } from 'node:test';
import * as tls from 'node:tls';
import { promisify } from 'node:util';
import type { Clock } from '../clock/clock.ts';
import { systemClock } from '../clock/system.ts';
import { makeCertificates } from '../kube/kubeconfig/test-server.ts';
import { answerOfError, parseAddress } from './probe-port.ts';
import type { Target } from './prober.ts';
import { type ProberLimits, tcpProber } from './tcp-prober.ts';

const BANNER = 'SSH-2.0-OpenSSH_9.6\r\n';
/** Short, so that what never answers takes little of ours. */
const QUICK = { connect_ms: 300, answer_ms: 200 };

const ends: (() => void)[] = [];
after(() => {
  for (const end of ends) end();
});

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).once('close', () => sockets.delete(socket));
  });
  ends.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A server that says `word` to all who come, and nothing where there is none. */
const says = (word: string) => listen(createServer((socket) => void (word && socket.write(word))));

async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  server.close();
  return port;
}

/** The same in a process of its own, which can be stopped and is not slowed by what we do. */
async function saysFromOutside(word: string, backlog = 511): Promise<{ port: number; child: ChildProcess }> {
  const script = `
    process.on('disconnect', () => process.exit());
    const server = require('node:net').createServer((socket) => {
      socket.on('error', () => {});
      if (${JSON.stringify(word)}) socket.write(${JSON.stringify(word)});
    });
    server.listen({ port: 0, host: '127.0.0.1', backlog: ${backlog} }, () => process.send(server.address().port));`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  ends.push(() => child.kill('SIGKILL'));
  const [port] = (await once(child, 'message')) as [number];
  return { port, child };
}

async function freeze(child: ChildProcess): Promise<void> {
  child.kill('SIGSTOP');
  while (!/\) T /.test(readFileSync(`/proc/${child.pid}/stat`, 'utf8'))) await systemClock.sleep(5);
}

const target = (ssh: number | string, kubelet: number | string): Target => ({
  machine: 'm1',
  id: 'm1',
  ssh: typeof ssh === 'number' ? `127.0.0.1:${ssh}` : ssh,
  kubelet: typeof kubelet === 'number' ? `127.0.0.1:${kubelet}` : kubelet,
});

const probe = (
  targets: Target[],
  limits: Partial<ProberLimits> = QUICK,
  signal = new AbortController().signal,
  clock: Clock = systemClock,
) => tcpProber(clock, limits).probe(targets, signal);

const openSockets = () =>
  process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap').length;

async function forget(sockets: number): Promise<void> {
  for (let tries = 0; openSockets() > sockets && tries < 200; tries++) await systemClock.sleep(10);
  assert.equal(openSockets(), sockets, 'sockets are left open');
}

test('a banner and a byte from the kubelet are answers, also when the banner comes after other lines', async () => {
  const kubelet = await says('\x15\x03\x01\x00\x02\x02\x28');
  const banner = await says(BANNER);
  const late = await says(`Authorized use only\r\n${BANNER}`);
  assert.deepEqual(await probe([target(banner, kubelet), target(late, kubelet)]), [
    { ssh: 'Answers', kubelet: 'Answers' },
    { ssh: 'Answers', kubelet: 'Answers' },
  ]);
});

test('a TLS server takes our hello for one, whatever certificate and version it has', async () => {
  const certificates = makeCertificates();
  ends.push(() => certificates.remove());
  const banner = await says(BANNER);
  for (const options of [{}, { maxVersion: 'TLSv1.2' }] as const) {
    const server = tls.createServer({ ...certificates.server, ...options });
    const complaints: string[] = [];
    // Once it has answered, our hanging up is all that it can complain about.
    server.on('tlsClientError', (error: NodeJS.ErrnoException) => complaints.push(error.code ?? ''));
    const port = await listen(server);
    assert.deepEqual(await probe([target(banner, port)]), [{ ssh: 'Answers', kubelet: 'Answers' }]);
    while (complaints.length === 0) await systemClock.sleep(5);
    assert.deepEqual(complaints, ['ECONNRESET']);
  }
});

test('a kubelet port that speaks no TLS but speaks is an answer: something lives there', async () => {
  const banner = await says(BANNER);
  const http = await listen(
    createServer((socket) => {
      socket.once('data', () => socket.end('HTTP/1.0 400 Bad Request\r\n\r\n'));
    }),
  );
  assert.deepEqual(await probe([target(banner, http)]), [{ ssh: 'Answers', kubelet: 'Answers' }]);
});

test('ports that take connections and say nothing are Silent, closed ones refuse', async () => {
  const silent = await says('');
  const closed = await closedPort();
  assert.deepEqual(await probe([target(silent, silent), target(closed, closed), target(silent, closed)]), [
    { ssh: 'Silent', kubelet: 'Silent' },
    { ssh: 'Refused', kubelet: 'Refused' },
    { ssh: 'Silent', kubelet: 'Refused' },
  ]);
});

test('who hangs up without a banner refuses: a process that lives is no sign of a hang', async () => {
  const hangsUp = await listen(createServer((socket) => socket.end()));
  const resets = await listen(createServer((socket) => socket.resetAndDestroy()));
  const tooMany = await listen(createServer((socket) => socket.end('Exceeded MaxStartups\r\n')));
  const stranger = await says('220 mail ready\r\n');
  const endless = await says('x'.repeat(20_000));
  const kubelet = await says('!');
  const found = await probe(
    [hangsUp, resets, tooMany, stranger, endless].map((port) => target(port, kubelet)),
  );
  assert.deepEqual(
    found.map((each) => each?.ssh),
    Array(5).fill('Refused'),
  );
});

test('a listener that stands still is Silent, and times out once its backlog is full of us', async () => {
  const { port, child } = await saysFromOutside(BANNER, 4);
  await freeze(child);
  const closed = await closedPort();
  assert.deepEqual(await probe([target(port, closed)]), [{ ssh: 'Silent', kubelet: 'Refused' }]);
  for (let taken = true; taken; ) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    ends.push(() => socket.destroy());
    taken = await Promise.race([
      once(socket, 'connect').then(() => true),
      systemClock.sleep(200).then(() => false),
    ]);
  }
  assert.deepEqual(await probe([target(port, port)]), [{ ssh: 'Timeout', kubelet: 'Timeout' }]);
  child.kill('SIGKILL');
});

test('a pause of our own is not taken for silence of theirs', async () => {
  const ssh = await saysFromOutside(BANNER);
  const kubelet = await saysFromOutside('!');
  const answers = probe([target(ssh.port, kubelet.port)], { connect_ms: 100, answer_ms: 100 });
  await new Promise((resolve) => setImmediate(resolve));
  // As a long garbage collection would: both limits pass while the answers lie in the kernel.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
  assert.deepEqual(await answers, [{ ssh: 'Answers', kubelet: 'Answers' }]);
});

test('what we could not ask is no evidence', async (t) => {
  const banner = await says(BANNER);
  await t.test('an address that is none, or a name that nobody knows', async () => {
    const bad = [
      '',
      '10.0.0.1',
      '10.0.0.1:0',
      '10.0.0.1:65536',
      '::1:22',
      'a b:22',
      'no-such-host.invalid:22',
    ];
    const found = await probe(bad.map((address) => target(banner, address)));
    assert.deepEqual(found, Array(bad.length).fill(undefined));
  });
  await t.test('a network to which our own kernel has no way', async () => {
    // TCP to the broadcast address of the loopback: refused by the system call as a missing route is.
    assert.deepEqual(await probe([target('127.255.255.255:22', banner)]), [undefined]);
  });
  await t.test('more sockets than the process may open', async () => {
    const { port } = await saysFromOutside(BANNER);
    const script = `
      import { tcpProber } from ${JSON.stringify(new URL('tcp-prober.ts', import.meta.url).href)};
      import { systemClock } from ${JSON.stringify(new URL('../clock/system.ts', import.meta.url).href)};
      const address = '127.0.0.1:${port}';
      const targets = Array.from({ length: 300 }, () => ({ machine: 'm', id: 'm', ssh: address, kubelet: address }));
      const found = await tcpProber(systemClock).probe(targets, new AbortController().signal);
      console.log(JSON.stringify(found.map((probe) => (probe ? probe.ssh + probe.kubelet : 'none'))));`;
    const shell = `ulimit -n 100 && exec "${process.execPath}" --input-type=module -e "$1"`;
    const { stdout } = await promisify(execFile)('sh', ['-c', shell, 'sh', script]);
    const found: string[] = JSON.parse(stdout);
    assert.deepEqual([...new Set(found)].sort(), ['AnswersAnswers', 'none']);
  });
});

test('"unreachable" at once is our lack of a route; later it is the word of the network', () => {
  for (const code of ['EHOSTUNREACH', 'ENETUNREACH']) {
    assert.equal(answerOfError(code, true), undefined);
    assert.equal(answerOfError(code, false), 'Timeout');
  }
  assert.equal(answerOfError('ETIMEDOUT', false), 'Timeout');
  assert.equal(answerOfError('ECONNREFUSED', false), 'Refused');
  for (const code of ['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'EPERM', 'ENOTFOUND', undefined])
    assert.equal(answerOfError(code, false), undefined);
});

test('addresses are host:port or [v6]:port', () => {
  assert.deepEqual(parseAddress('n1.example.com:22'), { host: 'n1.example.com', port: 22 });
  assert.deepEqual(parseAddress('[2001:db8::1]:10250'), { host: '2001:db8::1', port: 10250 });
  for (const bad of ['2001:db8::1:22', '[2001:db8::1]', 'n1:', ':22', 'n1:99999', 'http://n1:22'])
    assert.equal(parseAddress(bad), undefined, bad);
});

test('thousands of probes keep within the limit of sockets, over two rounds at once, and leave none', async () => {
  const ssh = await saysFromOutside(BANNER);
  const kubelet = await saysFromOutside('!');
  const before = openSockets();
  let most = 0;
  const counting: Clock = {
    ...systemClock,
    timer: (delay_ms, wake) => {
      most = Math.max(most, openSockets() - before);
      return systemClock.timer(delay_ms, wake);
    },
  };
  const prober = tcpProber(counting, { sockets: 50 });
  const targets = Array.from({ length: 1500 }, () => target(ssh.port, kubelet.port));
  const { signal } = new AbortController();
  const found = await Promise.all([prober.probe(targets, signal), prober.probe(targets, signal)]);
  assert.deepEqual(found.flat(), Array(3000).fill({ ssh: 'Answers', kubelet: 'Answers' }));
  assert.ok(most <= 50 && most > 25, `${most} sockets at once`);
  await forget(before);
});

test('an abort ends a round at once, closes all and keeps what was answered', async () => {
  const kubelet = await saysFromOutside('!');
  const ssh = await saysFromOutside(BANNER);
  const silent = await saysFromOutside('');
  const before = openSockets();
  const targets = Array.from({ length: 100 }, () => target(silent.port, kubelet.port));
  const abort = new AbortController();
  const startedAt = systemClock.now();
  // The first ones answer, then 19 sockets wait for the silent ones, and the others for a free socket.
  const round = probe(
    [target(ssh.port, kubelet.port), ...targets],
    { sockets: 20, connect_ms: 60_000, answer_ms: 60_000 },
    abort.signal,
  );
  await systemClock.sleep(300);
  abort.abort(new Error('stopping'));
  assert.deepEqual(await round, [{ ssh: 'Answers', kubelet: 'Answers' }, ...Array(100).fill(undefined)]);
  assert.ok(systemClock.now() - startedAt < 5_000);
  await forget(before);
  assert.deepEqual(await probe(targets, QUICK, abort.signal), Array(100).fill(undefined));
});
