// The package managers themselves: a real apt on a host whose changes stay in memory; dnf by a stand-in, for there is none here.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { mayInstall } from '../debian.ts';
import { Keys } from './keys.ts';
import { noMachines, startMachine } from './machine.ts';
import { failureOf, reach, refOf } from './reach.ts';

/** Small, needs nothing, and nobody has it. */
const PACKAGE = 'hello';

function noApt(): string | undefined {
  return noMachines() ?? (mayInstall() ? undefined : 'no apt here');
}

describe('packages', { skip: noApt() ?? false }, () => {
  const keys = new Keys();
  const key = keys.make();
  after(() => keys[Symbol.dispose]());
  const start = () => startMachine({ authorized: [key.publicKey] });

  test('a real apt installs one version and holds it; a version that is nowhere is a failure with its reason', async () => {
    await using machine = await start();
    for (const name of ['apt-get', 'apt-mark', 'dpkg-query']) rmSync(machine.at(`/usr/sbin/${name}`));
    await using way = await reach([machine], key);
    // The first call fetches the lists, so that we know which version there is.
    const none = await failureOf(
      way.hosts.run(refOf(machine), 'installPackage', { name: PACKAGE, version: '0.0.1-none', hold: false }),
    );
    assert.equal(none.failure, 'Failed');
    assert.match(none.message, /Version '0.0.1-none' for 'hello' was not found/);
    const policy = execFileSync('nsenter', [
      '-m',
      '-t',
      String(machine.pid()),
      'apt-cache',
      'policy',
      PACKAGE,
    ]);
    const version = /Candidate: (\S+)/.exec(policy.toString())?.[1] ?? '';
    const params = { name: PACKAGE, version, hold: true };
    const done = await way.hosts.run(refOf(machine), 'installPackage', params);
    assert.deepEqual(done, { before: '', after: version, held: true });
    const again = await way.hosts.run(refOf(machine), 'installPackage', params);
    assert.deepEqual(again, { before: version, after: version, held: true });
  });

  test('dnf installs a package and a kernel, and locks their versions', async () => {
    await using machine = await start();
    for (const name of ['apt-get', 'apt-mark', 'dpkg-query']) {
      rmSync(machine.at(`/usr/sbin/${name}`));
      rmSync(machine.at(`/usr/bin/${name}`));
    }
    const fake = (name: string, text: string) => {
      machine.write(`/usr/bin/${name}`, `#!/bin/sh\necho "${name} $*" >>/var/calls\n${text}\n`);
      execFileSync('chmod', ['755', machine.at(`/usr/bin/${name}`)]);
    };
    fake(
      'dnf',
      `case "$*" in
        *install*kernel-*) mkdir -p /lib/modules/5.14.0-427.el9.x86_64; : >/boot/vmlinuz-5.14.0-427.el9.x86_64;;
        *install*) : >/var/installed;;
        *'versionlock add'*) for last in "$@"; do :; done; echo "$last-0:1.0" >>/var/locked;;
        *'versionlock list'*) cat /var/locked;;
      esac`,
    );
    fake('rpm', '[ -e /var/installed ] && echo 1.7.2-1.el9');
    await using way = await reach([machine], key);
    const params = { name: 'containerd', version: '1.7.2-1.el9', hold: true };
    const done = await way.hosts.run(refOf(machine), 'installPackage', params);
    assert.deepEqual(done, { before: '', after: '1.7.2-1.el9', held: true });
    const release = '5.14.0-427.el9.x86_64';
    const kernel = await way.hosts.run(refOf(machine), 'installKernel', { version: release, hold: true });
    assert.deepEqual([kernel.kernel, kernel.held], [release, true]);
    const calls = machine.calls().filter((call) => call.startsWith('dnf'));
    assert.ok(calls.includes('dnf --assumeyes install containerd-1.7.2-1.el9'));
    assert.ok(calls.includes(`dnf --assumeyes install kernel-${release}`));
    const missing = await failureOf(
      way.hosts.run(refOf(machine), 'installKernel', { version: '9.9.9', hold: false }),
    );
    assert.match(missing.message, /there is no \/boot\/vmlinuz-9.9.9/);
  });
});
