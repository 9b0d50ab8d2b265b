// Hosts in networks of their own: one behind another, one whose cable is pulled, one whom nobody answers for.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../src/platform/clock/system.ts';
import { installPackage } from '../debian.ts';
import { Keys } from './keys.ts';
import { failureOf, knownAs, reach, refOf } from './reach.ts';
import { noSshd, startSshd } from './start.ts';

/** Ours by the process, so that two runs of the tests do not meet. */
const ID = process.pid % 60_000;
const GATE = `drover-g${ID}`;
const INNER = `drover-i${ID}`;
const OUT = `dvo${ID}`;
/** Addresses of documentation and benchmarks: nobody's. */
const NET = `198.18.${ID % 250}`;

const ip = (line: string) => execFileSync('ip', line.split(' '), { stdio: 'pipe' });

function noNetworks(): string | undefined {
  const reason = noSshd() ?? tryNetworks();
  if (reason && process.env.CI) throw new Error(`networks must be tested in CI: ${reason}`);
  return reason;
}

function tryNetworks(): string | undefined {
  const folders = ['/usr/sbin', '/sbin', '/usr/bin'];
  const failure = folders.some((folder) => existsSync(`${folder}/ip`))
    ? undefined
    : installPackage('iproute2');
  if (failure) return failure;
  const name = `drover-t${ID}`;
  try {
    ip(`netns add ${name}`);
    ip(`netns del ${name}`);
    return undefined;
  } catch (error) {
    return `no network namespaces here: ${String(error).split('\n')[0]}`;
  }
}

/** Us — gate — inner. What we have no way to is refused here at once, and no packet leaves this machine. */
function lay(): void {
  for (const name of [GATE, INNER]) {
    ip(`netns add ${name}`);
    ip(`-n ${name} link set lo up`);
  }
  ip(`link add ${OUT} type veth peer name out netns ${GATE}`);
  ip(`addr add ${NET}.1/30 dev ${OUT}`);
  ip(`link set ${OUT} up`);
  ip(`-n ${GATE} addr add ${NET}.2/30 dev out`);
  ip(`-n ${GATE} link set out up`);
  ip(`-n ${GATE} link add in type veth peer name out netns ${INNER}`);
  ip(`-n ${GATE} addr add ${NET}.5/30 dev in`);
  ip(`-n ${GATE} link set in up`);
  ip(`-n ${INNER} addr add ${NET}.6/30 dev out`);
  ip(`-n ${INNER} link set out up`);
  ip(`route add unreachable ${NET}.4/30`);
}

function clear(): void {
  for (const line of [
    `link del ${OUT}`,
    `route del unreachable ${NET}.4/30`,
    `netns del ${GATE}`,
    `netns del ${INNER}`,
  ]) {
    try {
      ip(line);
    } catch {
      // It was not laid, or went with its other end.
    }
  }
}

describe('hosts in networks of their own', { skip: noNetworks() ?? false }, () => {
  const keys = new Keys();
  const key = keys.make();
  before(lay);
  after(() => {
    clear();
    keys[Symbol.dispose]();
  });
  const within = (name: string) => ['ip', 'netns', 'exec', name];
  const start = (name: string, listen: string) =>
    startSshd({ listen, within: within(name), authorized: [key.publicKey] });
  const QUICK = { connect_s: 2, login_s: 3, start_s: 2, alive_s: 1 };

  test('one behind another is reached by the jump host alone', async () => {
    await using gate = await start(GATE, `${NET}.2`);
    await using inner = await start(INNER, `${NET}.6`);
    await using direct = await reach([inner], key, QUICK);
    const { failure, message } = await failureOf(direct.hosts.run(refOf(inner), 'load', {}));
    assert.equal(failure, 'Unreachable');
    assert.match(message, /No route to host|unreachable/);
    const [host = '', port] = gate.address.split(':');
    const jump = { user: 'root', host, port: Number(port), keys: { privateKey: key.privateKey } };
    await using way = await reach([gate, inner], key, { jump });
    assert.equal((await way.hosts.run(refOf(inner), 'load', {})).cpus > 0, true);
  });

  test('a cable that is pulled in the middle: Cut, and not a hang', async () => {
    await using gate = await start(GATE, `${NET}.2`);
    await using way = await reach([gate], key, QUICK);
    const order = {
      script: 'echo begun; sleep 30',
      args: [],
      root: true,
      timeout_ms: 20_000,
      output_bytes_max: 100,
    };
    const running = failureOf(way.shell.exec(refOf(gate), order));
    await systemClock.sleep(1500);
    ip(`link set ${OUT} down`);
    const { failure, message } = await running;
    ip(`link set ${OUT} up`);
    assert.equal(failure, 'Cut');
    assert.match(message, /after 6 bytes of output: .*(?:not responding|unreachable|No route)/);
  });

  test('nobody answers: Unreachable after the time to connect', async () => {
    ip(`neigh replace ${NET}.2 lladdr 02:00:00:00:00:01 dev ${OUT} nud permanent`);
    const address = `${NET}.2:22`;
    await using way = await reach([], key, { ...QUICK, knownHosts: knownAs(address, key.publicKey) });
    const { failure, message } = await failureOf(way.hosts.run({ id: 'm1', ssh: address }, 'load', {}));
    ip(`neigh del ${NET}.2 dev ${OUT}`);
    assert.equal(failure, 'Unreachable');
    assert.match(message, /timed out/);
  });
});
