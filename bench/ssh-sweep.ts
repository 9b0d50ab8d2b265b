// One action on many hosts over SSH, on real sshds of the loopback. They share our CPUs here, so hosts a second say little
// of a fleet; what one host costs us is what counts: 2 CPUs give 2,000 ms of it a second.
import { readFileSync } from 'node:fs';
import { sweep } from '../src/platform/hosts/actions/sweep.ts';
import type { HostRef } from '../src/platform/hosts/host.ts';
import type { SshOptions } from '../src/platform/hosts/ssh/options.ts';
import { freePort } from '../test/free-ports.ts';
import { Keys } from '../test/sshd/keys.ts';
import { knownAs, reach } from '../test/sshd/reach.ts';
import { noSshd, startSshd } from '../test/sshd/start.ts';
import { report } from './report.ts';

const SSHDS = 8;
const HOSTS = 400;
/** One host in so many is in each kind of trouble. */
const TROUBLE_EVERY = 40;
const CONCURRENT = 64;
const TICK_MS = 10;

const reason = noSshd();
if (reason) throw new Error(reason);
using keys = new Keys();
const key = keys.make();
const ca = keys.make();
const start = (listen: string, settings: Record<string, string> = {}) =>
  startSshd({
    listen,
    authorized: [key.publicKey],
    settings: { MaxStartups: '1000', ...settings },
    certify: (hostKey) => keys.sign(ca, hostKey, { isHost: true, principals: listen }),
  });
const sshds = await Promise.all(Array.from({ length: SSHDS }, (_, at) => start(`127.0.0.${at + 2}`)));
const silent = await start('127.0.0.100');
await silent.pause();
const asleep = await start('127.0.0.101', { ForceCommand: 'sleep 3' });
const strange = await start('127.0.0.200');
const knownHosts = `@cert-authority 127.0.0.?,127.0.0.10* ${ca.publicKey}\n${knownAs(strange.address, key.publicKey)}`;
const options: Partial<SshOptions> = {
  knownHosts,
  concurrent_max: CONCURRENT,
  concurrent_host_max: 8,
  connect_s: 5,
  start_s: 2,
};
const well = (at: number): HostRef => ({ id: `m${at}`, ssh: sshds[at % SSHDS]?.address ?? '' });

/** CPU of this process and of those that it has waited for: the ssh clients, and not the sshds. */
function cpu_ms(): { own: number; clients: number } {
  const { user, system } = process.cpuUsage();
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
  return { own: (user + system) / 1000, clients: (Number(fields[13]) + Number(fields[14])) * TICK_MS };
}

async function measure(list: readonly HostRef[], more: Partial<SshOptions>) {
  await using way = await reach([], key, { ...options, ...more });
  // With connections that are kept, what is measured is their second use.
  if (more.reuse_s)
    for await (const _ of sweep(
      way.hosts,
      sshds.map((_, at) => well(at)),
      'load',
      {},
    ));
  const outcomes = new Map<string, number>();
  const before = cpu_ms();
  const began = performance.now();
  let rss = 0;
  for await (const { outcome } of sweep(way.hosts, list, 'load', {}, { concurrent: CONCURRENT })) {
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    way.records.length = 0;
    rss = Math.max(rss, process.memoryUsage.rss());
  }
  const after = cpu_ms();
  const each = (ms: number) => ms / list.length;
  return {
    outcomes,
    rss,
    hosts_s: list.length / ((performance.now() - began) / 1000),
    own_ms: each(after.own - before.own),
    clients_ms: each(after.clients - before.clients),
  };
}

const list = Array.from({ length: HOSTS }, (_, at) => well(at));
const usual = await measure(list, {});
const quick = await measure(list, { keyExchange: 'Quick' });
const kept = await measure(
  list.map((_, at) => ({ ...well(at), id: `m${at % SSHDS}` })),
  { reuse_s: 60 },
);

const nobody = `127.0.0.1:${await freePort()}`;
const troubles = [nobody, silent.address, asleep.address, strange.address];
const mixed = list.map((host, at) => {
  const trouble = at % TROUBLE_EVERY === 0 ? troubles[(at / TROUBLE_EVERY) % troubles.length] : undefined;
  return trouble ? { ...host, ssh: trouble } : host;
});
const { outcomes, ...sick } = await measure(mixed, { keyExchange: 'Quick', connect_s: 2 });
for (const sshd of [...sshds, silent, asleep, strange]) await sshd[Symbol.asyncDispose]();
const wrong = ['Done', 'Unreachable', 'Silent', 'HostKeyChanged'].filter((one) => !outcomes.has(one));
if (wrong.length > 0) throw new Error(`no host is ${wrong.join(', ')}: ${JSON.stringify([...outcomes])}`);

const cpuOf = ({ own_ms, clients_ms }: typeof sick) => own_ms + clients_ms;
const row = (what: string, one: typeof sick) => ({
  what: `${what}: CPU a host, ssh's ${one.clients_ms.toFixed(1)} and ours ${one.own_ms.toFixed(1)}`,
  value: cpuOf(one),
  unit: 'ms',
});
const of = 'the usual';
report('ssh-sweep', `${HOSTS} hosts on ${SSHDS} sshds of this machine, ${CONCURRENT} at once`, [
  row('a connection each, the usual key exchange', usual),
  { ...row('a connection each, the quick key exchange', quick), times: cpuOf(quick) / cpuOf(usual), of },
  { ...row('connections that are kept', kept), times: cpuOf(kept) / cpuOf(usual), of },
  { what: 'hosts a second, usual', value: usual.hosts_s, unit: '/s' },
  {
    what: 'hosts a second, quick',
    value: quick.hosts_s,
    unit: '/s',
    times: quick.hosts_s / usual.hosts_s,
    of,
  },
  {
    what: 'hosts a second, kept',
    value: kept.hosts_s,
    unit: '/s',
    times: kept.hosts_s / usual.hosts_s,
    of,
  },
  { what: 'hosts a second with one in 40 in trouble', value: sick.hosts_s, unit: '/s' },
  ...[...outcomes].map(([what, value]) => ({ what: `  ${what}`, value, unit: 'hosts' })),
  { what: 'memory of this process', value: Math.max(usual.rss, quick.rss) / 1e6, unit: 'MB' },
]);
