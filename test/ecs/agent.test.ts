// Hosts by the ECS agent: how it goes wrong, what comes in parts, and that no argument is read as a command.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { hostsOver } from '../../src/platform/hosts/actions/run.ts';
import type { Order } from '../../src/platform/hosts/actions/shell.ts';
import { HostError, type HostFailure } from '../../src/platform/hosts/host.ts';
import { nastyStrings } from '../sshd/nasty.ts';
import { type AgentMachine, agentMachine } from './agent-machine.ts';

const ORDER: Order = { script: ':', args: [], root: true, timeout_ms: 20_000, output_bytes_max: 200_000 };

const exec = ({ shell, host }: AgentMachine, order: Partial<Order>) =>
  shell.exec(host, { ...ORDER, ...order });
const fails = (run: Promise<unknown>, failure: HostFailure, says: RegExp) =>
  assert.rejects(run, (error) => {
    assert.ok(error instanceof HostError, String(error));
    assert.equal(error.failure, failure, error.message);
    assert.match(error.message, says);
    return true;
  });
/** What is still there of all runs. */
const left = ({ folder }: AgentMachine) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.includes('/'));

describe('output through the agent', () => {
  it('of any size that is wanted comes whole, in parts, and nothing of it stays on the host', async () => {
    await using machine = await agentMachine();
    const script = 'head -c 150000 /dev/urandom >"$1"; cat "$1"; sha256sum <"$1" >&2';
    const ran = await exec(machine, { script, args: [join(machine.folder, '..', 'random')] });
    assert.deepEqual([ran.stdout.length, ran.exitCode, ran.truncated], [150_000, 0, false]);
    assert.equal(ran.stderr.toString().slice(0, 64), createHash('sha256').update(ran.stdout).digest('hex'));
    // The run, eight parts of 17 KB after the first 12, and the tidying.
    assert.equal(machine.commands.length, 1 + Math.ceil((150_073 - 12_288) / 17_408) + 1);
    assert.deepEqual(left(machine), []);
  });

  it('that has no end is cut, and the script ends with it', async () => {
    await using machine = await agentMachine();
    const { stdout, truncated, exitCode } = await exec(machine, { script: 'yes', output_bytes_max: 1000 });
    assert.deepEqual([stdout.length, truncated, exitCode], [1000, true, undefined]);
  });

  it('that can no longer be fetched leaves the outcome open: the run was made', async () => {
    await using machine = await agentMachine();
    let sent = 0;
    machine.ecs.faults = { badCredentials: true, only: (action) => action === 'RunCommand' && sent++ > 0 };
    const run = exec(machine, { script: 'head -c 150000 /dev/urandom' });
    await fails(run, 'Cut', /it ran, and its output could not be fetched/);
  });

  it('keeps the end of endless complaints', async () => {
    await using machine = await agentMachine();
    const { stderr } = await exec(machine, { script: 'head -c 100000 /dev/zero >&2; echo last >&2' });
    assert.equal(stderr.length, 4096);
    assert.match(stderr.toString(), /\0last\n$/);
  });

  it('is found behind what the host prints by itself', async () => {
    const packed = gzipSync('yes\n');
    const report = `drover began\ndrover ended 3 ${packed.length} bm8=\n${packed.toString('base64')}\ndrover done\n`;
    await using machine = await agentMachine(() => ({ exitCode: 3, output: `Welcome!\n${report}` }));
    const { stdout, stderr, exitCode } = await exec(machine, {});
    assert.deepEqual([stdout.toString(), stderr.toString(), exitCode], ['yes\n', 'no', 3]);
  });
});

describe('a run whose call got no answer', () => {
  it('is sent again with its token, and runs once', async () => {
    await using machine = await agentMachine();
    let lost = 0;
    machine.ecs.faults = { lostAnswers: true, only: (action) => action === 'RunCommand' && lost++ < 2 };
    const { stdout } = await exec(machine, { script: 'echo here' });
    assert.equal(stdout.toString(), 'here\n');
    assert.equal(machine.commands.length, 1);
    const sent = machine.ecs.calls.filter(({ action }) => action === 'RunCommand');
    assert.equal(sent.length, 3);
    assert.equal(new Set(sent.map(({ parameters }) => parameters.get('ClientToken'))).size, 1);
  });

  it('is Cut when none ever comes: it may have run', async () => {
    await using machine = await agentMachine();
    machine.ecs.faults = { lostAnswers: true, only: (action) => action === 'RunCommand' };
    await fails(exec(machine, {}), 'Cut', /RunCommand/);
  });

  it('does not begin twice on the host either', async () => {
    await using machine = await agentMachine();
    await exec(machine, { script: 'echo here' });
    const again = spawnSync('sh', ['-c', machine.commands[0] as string], { encoding: 'utf8' });
    assert.match(again.stdout, /^drover cannot: .*File exists/);
    assert.doesNotMatch(again.stdout, /drover began/);
  });
});

describe('a host whose agent is of no help', () => {
  it('is TimedOut where the agent never says anything', async () => {
    await using machine = await agentMachine(() => undefined);
    await fails(exec(machine, { timeout_ms: 12_000 }), 'TimedOut', /ExecutionTimeout/);
  });

  it('is Unreachable while the instance does not run', async () => {
    await using machine = await agentMachine();
    for (const instance of machine.ecs.cloud.instances.values()) instance.status = 'Stopped';
    await fails(exec(machine, {}), 'Unreachable', /not running/);
    assert.deepEqual(machine.commands, []);
  });

  it('is Unreachable where there is no such instance', async () => {
    await using machine = await agentMachine();
    const run = machine.shell.exec({ id: 'i-none', ssh: '' }, ORDER);
    await fails(run, 'Unreachable', /does not exist/);
  });

  it('is BadCredentials where the key is disabled', async () => {
    await using machine = await agentMachine();
    machine.ecs.faults = { badCredentials: true };
    await fails(exec(machine, {}), 'BadCredentials', /AccessKey|Access Key/);
  });

  it('is waited for through throttling and gaps of the API', async () => {
    await using machine = await agentMachine();
    let asked = 0;
    machine.ecs.faults = {
      down: true,
      only: (action) => action === 'DescribeInvocationResults' && asked++ < 2,
    };
    assert.equal((await exec(machine, { script: 'echo still' })).stdout.toString(), 'still\n');
  });

  for (const [what, output, failure, says] of [
    ['whose shell does not come up', 'sh: cannot fork\n', 'Failed', /cannot fork/],
    ['that cannot begin it', 'drover cannot: it is full\n', 'Failed', /it is full/],
    ['that ends in the middle', 'hello\ndrover began\ndrover ended 0 1', 'Cut', /it began/],
    ['that prints what is no gzip', 'drover ended 0 3 \nAAAA\ndrover done\n', 'BadOutput', /unpacked/],
    [
      'that would send gigabytes',
      'drover ended 0 9999999999 \nAAAA\ndrover done\n',
      'BadOutput',
      /9999999999/,
    ],
  ] as const)
    it(`${what} is ${failure}`, async () => {
      await using machine = await agentMachine(() => ({ exitCode: 0, output }));
      await fails(exec(machine, {}), failure, says);
    });

  it('gets no command that is larger than the API takes', async () => {
    await using machine = await agentMachine();
    await fails(exec(machine, { args: ['a'.repeat(30_000)] }), 'Refused', /24576 bytes at most/);
    assert.deepEqual(machine.commands, []);
  });
});

describe('no command is smuggled in by the agent', () => {
  it('whatever an argument is, the script sees just that', async () => {
    await using machine = await agentMachine();
    const canary = join(machine.folder, '..', 'canary');
    await exec(machine, { script: `touch ${canary}; rm ${canary}` });
    const nasty = nastyStrings(canary).filter((text) => text.length < 5000);
    const fit = nasty.filter((text) => !/[\n\0]/.test(text));
    assert.ok(fit.length > 40);
    // Alone, and all of them together: a quote that one leaves open would show in the next.
    for (const args of [...fit.map((text) => [text]), fit]) {
      const { stdout } = await exec(machine, { script: `printf '%s\\0' "$@"`, args });
      const wanted = args.map((text) => `${Buffer.from(text).toString()}\0`).join('');
      assert.equal(stdout.toString(), wanted);
      assert.equal(existsSync(canary), false, args[0]);
    }
    for (const text of nasty.filter((one) => /[\n\0]/.test(one)))
      await fails(exec(machine, { args: [text] }), 'Refused', /line end/);
    assert.equal(existsSync(canary), false);
  });

  it('nor by a parameter of an action', async () => {
    await using machine = await agentMachine();
    const canary = join(machine.folder, '..', 'canary');
    const hosts = hostsOver(machine.shell, { clock: machine.clock, onRecord: () => {} });
    for (const text of nastyStrings(canary)) {
      const path = `/var/crash/${text}`;
      await assert.rejects(
        hosts.run(machine.host, 'readFile', { path, from_bytes: 0, bytes_max: 10 }),
        HostError,
      );
      assert.equal(existsSync(canary), false, text);
    }
  });
});
