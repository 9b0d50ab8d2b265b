// The least rights: a user who is not root, sudo, and the sudoers file that Drover writes.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import type { Order } from '../../src/platform/hosts/actions/shell.ts';
import { actionsOf } from '../../src/platform/hosts/actions/table.ts';
import { quoteWords } from '../../src/platform/hosts/ssh/quote.ts';
import { sudoersOf } from '../../src/platform/hosts/ssh/sudoers.ts';
import { wireScript } from '../../src/platform/hosts/ssh/wire.ts';
import { Keys } from './keys.ts';
import { type Machine, noMachines, startMachine, USER } from './machine.ts';
import { failureOf, reach, refOf } from './reach.ts';

describe('sudo with the file that Drover writes', { skip: noMachines() ?? false }, () => {
  const keys = new Keys();
  const key = keys.make();
  after(() => keys[Symbol.dispose]());
  const units = ['node-agent'];
  const actions = actionsOf({ units });
  const start = (sudoers = sudoersOf(actions, USER)) =>
    startMachine({ authorized: [key.publicKey], sudoers });

  /** What a person who has the user's key could try; sshd gives them a shell. */
  const tries = (machine: Machine, command: string, input = '') => {
    const [host = '', port = ''] = machine.address.split(':');
    const args = [
      '-F',
      'none',
      '-i',
      key.path,
      '-o',
      'StrictHostKeyChecking=no',
      '-o',
      'UserKnownHostsFile=/dev/null',
    ];
    return execFileSync(
      'sh',
      ['-c', `ssh "$@" 2>&1; :`, 'ssh', ...args, '-p', port, '-l', USER, host, command],
      {
        input,
        encoding: 'utf8',
      },
    );
  };

  test('sudo itself finds the file right', async () => {
    await using machine = await start();
    assert.match(
      execFileSync('visudo', ['-c', '-f', machine.at('/etc/sudoers.d/drover')]).toString(),
      /parsed OK/,
    );
  });

  test('every action that needs root runs', async () => {
    await using machine = await start();
    await using way = await reach([machine], key, { user: USER }, units);
    const host = refOf(machine);
    const state = await way.hosts.run(host, 'restartUnit', { unit: 'node-agent' });
    assert.equal(state.active, 'active');
    assert.ok(machine.calls().includes('systemctl restart -- node-agent'));
    assert.ok((await way.hosts.run(host, 'fileHandles', { most: 3 })).processes.length === 3);
    assert.match((await way.hosts.run(host, 'facts', {})).bootId, /^[0-9a-f-]{36}$/);
    await way.hosts.run(host, 'kernelLog', { lines: 5 });
    await way.hosts.run(host, 'unitLog', { unit: 'kubelet', lines: 5 });
    machine.write('/var/crash/127.0.0.1-2019-11-11-00:01:02/vmcore-dmesg.txt', 'panic');
    const [file] = await way.hosts.run(host, 'crashFiles', { since: 0 });
    assert.equal(file?.size_bytes, 5);
    const piece = { path: file?.path ?? '', from_bytes: 1, bytes_max: 2 };
    assert.equal((await way.hosts.run(host, 'readFile', piece)).bytes.toString(), 'an');
    await way.hosts.run(host, 'cleanDisk', { rule: 'RotatedLogs', dryRun: true });
    const installed = await way.hosts.run(host, 'installPackage', {
      name: 'jq',
      version: '1.6-2.1',
      hold: true,
    });
    assert.deepEqual(installed, { before: '', after: '1.6-2.1', held: true });
    for (const name of ['reboot', 'forceDump'] as const) {
      // Not the sudoers file stands in its way: this machine has no crash kernel.
      if (name === 'reboot') await way.hosts.run(host, name, {});
      else
        assert.match((await failureOf(way.hosts.run(host, name, {}))).message, /no crash kernel is loaded/);
    }
    assert.ok(machine.calls().includes('systemctl --no-block reboot'));
    const outcomes = new Set(way.records.map(({ outcome }) => outcome));
    assert.deepEqual([...outcomes], ['Done', 'Failed']);
  });

  test('an action that the file does not list is NotAllowed, and so is a user without any', async () => {
    const { facts } = actions;
    await using machine = await start(sudoersOf({ facts }, USER));
    await using way = await reach([machine], key, { user: USER });
    assert.ok(await way.hosts.run(refOf(machine), 'facts', {}));
    const refused = await failureOf(way.hosts.run(refOf(machine), 'reboot', {}));
    assert.equal(refused.failure, 'NotAllowed');
    assert.match(refused.message, /sudo/);
    assert.deepEqual(machine.calls(), []);
    assert.ok(await way.hosts.run(refOf(machine), 'load', {}), 'what needs no root needs no sudo');
  });

  test('a unit that the settings do not name is refused by the host too', async () => {
    await using machine = await start();
    await using way = await reach([machine], key, { user: USER }, [...units, 'sshd']);
    const { failure } = await failureOf(
      way.hosts.run(refOf(machine), 'restartUnit', { unit: 'sshd' as never }),
    );
    assert.equal(failure, 'NotAllowed', 'another list is another script');
    const { script } = actions.restartUnit;
    const order: Order = { script, args: ['sshd'], root: true, timeout_ms: 5_000, output_bytes_max: 1000 };
    const ran = await way.shell.exec(refOf(machine), order);
    assert.equal(ran.exitCode, 64);
    assert.deepEqual(machine.calls(), []);
  });

  test('nothing else runs as root, however the words of an allowed command are cut or added to', async () => {
    await using machine = await start();
    const whole = wireScript(actions.restartUnit.script);
    const id = 'echo MARK; id -u >/var/owned';
    const attempts = [
      `sudo -n sh -c ${quoteWords([id])}`,
      'sudo -n id',
      // One more argument, and a longer script.
      `sudo -n -- /bin/sh -c ${quoteWords([whole, 'x'])}`,
      `sudo -n -- /bin/sh -c ${quoteWords([`${whole} ${id}`])}`,
      `sudo -n -- /bin/sh -c ${quoteWords([`${whole}; ${id}`])}`,
      `sudo -n -- /bin/sh -c ${quoteWords([`${whole}\n${id}`])}`,
      `sudo -n -- /bin/sh -c ${quoteWords([id, whole])}`,
      `sudo -n PATH=/tmp/own -- /bin/sh -c ${quoteWords([whole])}`,
      `sudo -n -E -- /bin/sh -c ${quoteWords([whole])}`,
      `sudo -n -u nobody -- /bin/sh -c ${quoteWords([whole])}`,
      `sudo -n -e /etc/passwd`,
    ];
    for (const attempt of attempts) {
      const said = tries(machine, attempt, '0\n');
      assert.match(said, /password is required|not allowed/, attempt);
    }
    assert.equal(existsSync(machine.at('/var/owned')), false);
    assert.deepEqual(machine.calls(), []);
  });

  test('an allowed command whose script is cut short at any space does nothing: sudo cannot tell, so the shell must', async () => {
    await using machine = await start();
    const words = wireScript(actions.restartUnit.script).split(' ');
    // sudo joins arguments by spaces before it compares, so each of these is "allowed".
    const cuts = words.keys().filter((at) => at > 0);
    const lines = [...cuts].map((at) => {
      const parts = quoteWords([words.slice(0, at).join(' '), ...words.slice(at)]);
      return `printf '1\\nkubelet\\n' | sudo -n -- /bin/sh -c ${parts}`;
    });
    machine.write('/tmp/cuts', `${lines.join('\n')}\n`);
    const said = tries(machine, 'sh /tmp/cuts');
    const refusals = said.match(/^.*(?:[Ss]yntax error|[Uu]nterminated).*$/gm);
    assert.equal(refusals?.length, lines.length, said.slice(-2000));
    assert.doesNotMatch(said, /password is required|drover began/);
    assert.deepEqual(machine.calls(), []);
  });

  test('why there is no wildcard: sudo cannot tell a parameter from more script', async () => {
    await using machine = await start(`${USER} ALL=(root) NOPASSWD: /bin/sh -c echo\\ "$1" drover *\n`);
    assert.equal(tries(machine, `sudo -n /bin/sh -c 'echo "$1"' drover hello`).split('\n').at(-2), 'hello');
    tries(machine, `sudo -n /bin/sh -c 'echo "$1" drover ; id -u >/var/owned'`);
    assert.equal(machine.read('/var/owned'), '0\n');
  });

  test('the user’s own PATH and functions have no say in what runs as root', async () => {
    await using machine = await start();
    machine.write('/tmp/own/cat', '#!/bin/sh\necho OWNED >/var/owned\n');
    execFileSync('chmod', ['755', machine.at('/tmp/own/cat')]);
    const whole = quoteWords([wireScript(actions.facts.script)]);
    const said = tries(machine, `PATH=/tmp/own:$PATH ENV=/tmp/own/cat sudo -n -- /bin/sh -c ${whole}`, '0\n');
    assert.match(said, /drover ended 0/);
    assert.equal(existsSync(machine.at('/var/owned')), false);
  });

  test('a connection that is lost before all arguments came does nothing', async () => {
    await using machine = await start();
    const whole = quoteWords([wireScript(actions.cleanDisk.script)]);
    for (const input of [
      '',
      '2\n',
      '2\nRotatedLogs\n',
      '2\nRotatedLogs\nrea',
      '2',
      '-1\n',
      'x\n',
      '99999999999999999999\na\n',
    ])
      assert.doesNotMatch(
        tries(machine, `sudo -n -- /bin/sh -c ${whole}`, input),
        /before|ended 0/,
        JSON.stringify(input),
      );
  });

  test('no sudo on the host: NotAllowed, and said so', async () => {
    await using machine = await start();
    writeFileSync(
      machine.at('/usr/bin/sudo'),
      '#!/bin/sh\necho "sudo: a password is required" >&2; exit 1\n',
    );
    assert.match(readFileSync(machine.at('/usr/bin/sudo'), 'utf8'), /password/);
    await using way = await reach([machine], key, { user: USER });
    const { failure, message } = await failureOf(way.hosts.run(refOf(machine), 'facts', {}));
    assert.equal(failure, 'NotAllowed');
    assert.match(message, /a password is required/);
  });
});
