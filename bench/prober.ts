// Probes of a kubelet's port: our first bytes of TLS, against a whole handshake each.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { systemClock } from '../src/platform/clock/system.ts';
import { tcpProber } from '../src/platform/hosts/tcp-prober.ts';
import { makeCertificates } from '../src/platform/kube/kubeconfig/test-server.ts';
import { report } from './report.ts';

const PROBES = 4_000;
const SOCKETS = 64;

const certificates = makeCertificates();
const script = `
  process.on('disconnect', () => process.exit());
  const server = require('node:tls').createServer(${JSON.stringify(certificates.server)}, () => {});
  server.on('tlsClientError', () => {}).on('secureConnection', (socket) => socket.on('error', () => {}));
  server.listen(0, '127.0.0.1', () => process.send(server.address().port));`;
const server = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
const [port] = (await once(server, 'message')) as [number];
const address = `127.0.0.1:${port}`;

/** Microseconds of CPU of this process a probe: the server's are another machine's. */
async function cpu_us(probes: number, run: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / probes;
}

const prober = tcpProber(systemClock, { sockets: SOCKETS });
// Both ports are the TLS server's: one that waits for a banner is Silent, so no ssh port is asked here.
const targets = Array.from({ length: PROBES }, () => ({ machine: 'm', id: 'm', ssh: '', kubelet: address }));
const { signal } = new AbortController();
await prober.probe(targets.slice(0, PROBES / 10), signal);
const ours_us = await cpu_us(PROBES, async () => void (await prober.probe(targets, signal)));

const handshake = () =>
  new Promise<void>((resolve) => {
    const options = { port, host: '127.0.0.1', rejectUnauthorized: false };
    const socket = connect(options, () => socket.destroy()).on('error', () => {});
    socket.on('close', () => resolve());
  });
const whole_us = await cpu_us(PROBES, async () => {
  let left = PROBES;
  const worker = async () => {
    while (left-- > 0) await handshake();
  };
  await Promise.all(Array.from({ length: SOCKETS }, worker));
});
server.kill();
certificates.remove();
report('prober', `${PROBES} probes of a TLS port, ${SOCKETS} sockets at once`, [
  { what: 'a whole handshake', value: whole_us, unit: 'µs of CPU' },
  {
    what: 'the first bytes of one',
    value: ours_us,
    unit: 'µs of CPU',
    times: ours_us / whole_us,
    of: 'a whole one',
  },
]);
