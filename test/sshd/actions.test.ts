// What the named actions do on a host that is in trouble: a disk that is full, a process that leaks file handles, a unit
// that is dead, crashes that left their evidence.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readdirSync, symlinkSync, utimesSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { DAY } from '../../src/platform/clock/clock.ts';
import { systemClock } from '../../src/platform/clock/system.ts';
import { collectCrashEvidence } from '../../src/platform/hosts/actions/collect.ts';
import { hostsOver } from '../../src/platform/hosts/actions/run.ts';
import { Keys } from './keys.ts';
import { type Machine, noMachines, startMachine } from './machine.ts';
import { failureOf, type Reach, reach, refOf } from './reach.ts';

const MB = 1024 * 1024;

describe('actions on a host in trouble', { skip: noMachines() ?? false }, () => {
  const keys = new Keys();
  const key = keys.make();
  after(() => keys[Symbol.dispose]());
  const start = (prepare = '') => startMachine({ authorized: [key.publicKey], prepare });
  const old = (machine: Machine, path: string, days: number) => {
    const at = new Date(systemClock.now() - days * DAY);
    utimesSync(machine.at(path), at, at);
  };
  const rootOf = async (way: Reach, machine: Machine, mount: string) => {
    const all = await way.hosts.run(refOf(machine), 'fileSystems', {});
    const found = all.find((one) => one.mount === mount);
    assert.ok(found?.state === 'Measured', mount);
    return found;
  };

  test('a full disk is seen, a dry run says what would go, the rule makes room, and nothing else goes', async () => {
    await using machine = await start('mount -t tmpfs -o size=4m,nr_inodes=500 logs /var/log');
    await using way = await reach([machine], key);
    const host = refOf(machine);
    machine.write('/var/log/messages', 'new');
    machine.write('/var/log/messages-20191101', Buffer.alloc(MB));
    machine.write('/var/log/pods/p/c/0.log.gz', Buffer.alloc(MB));
    machine.write('/var/log/fresh.gz', 'x');
    machine.write('/var/log/held.gz', Buffer.alloc(1000));
    machine.write('/var/log/a\nfile\t9\t/etc/passwd.gz', 'x');
    machine.write('/var/elsewhere/old.gz', 'x');
    machine.write('/var/log/mounted/on.gz', 'x');
    symlinkSync('/var/elsewhere', machine.at('/var/log/way-out'));
    symlinkSync('/var/elsewhere/old.gz', machine.at('/var/log/link.gz'));
    for (const path of ['messages-20191101', 'pods/p/c/0.log.gz', 'held.gz', 'a\nfile\t9\t/etc/passwd.gz'])
      old(machine, `/var/log/${path}`, 8);
    old(machine, '/var/log/messages', 8);
    old(machine, '/var/elsewhere/old.gz', 8);
    const held = openSync(machine.at('/var/log/held.gz'), 'r');
    try {
      const fill = () => machine.write('/var/log/fill', Buffer.alloc(3 * MB));
      assert.throws(fill, /ENOSPC/);
      const full = await rootOf(way, machine, '/var/log');
      assert.equal(full.available_bytes, 0);
      assert.equal(full.inodes, 500);

      const dry = await way.hosts.run(host, 'cleanDisk', { rule: 'RotatedLogs', dryRun: true });
      const names = dry.named.map(({ path }) => path).sort();
      assert.deepEqual(names, [
        '/var/log/a?file\t9\t/etc/passwd.gz',
        '/var/log/messages-20191101',
        '/var/log/pods/p/c/0.log.gz',
      ]);
      assert.deepEqual([dry.files, dry.bytes, dry.open], [3, 2 * MB + 1, 1]);
      assert.ok(existsSync(machine.at('/var/log/messages-20191101')));
      assert.equal(dry.availableAfter_bytes, 0);

      const done = await way.hosts.run(host, 'cleanDisk', { rule: 'RotatedLogs', dryRun: false });
      assert.deepEqual([done.files, done.bytes, done.open], [dry.files, dry.bytes, 1]);
      assert.ok(done.availableAfter_bytes - done.availableBefore_bytes >= 2 * MB);
    } finally {
      closeSync(held);
    }
    const still = readdirSync(machine.at('/var/log'), { recursive: true }).map(String);
    for (const left of ['messages', 'fresh.gz', 'held.gz', 'mounted/on.gz', 'link.gz'])
      assert.ok(still.includes(left), left);
    assert.ok(existsSync(machine.at('/var/elsewhere/old.gz')));
  });

  test('another file system below the folder is left alone, and a folder that is a symlink too', async () => {
    const prepare = `
      mount -t tmpfs -o size=1m logs /var/log; mkdir /var/log/other; mount -t tmpfs other /var/log/other;
      rm -rf /var/cache/apt; ln -s /var/elsewhere /var/cache/apt; mkdir -p /var/elsewhere/archives;
      mkdir -p /var/cache/dnf /var/elsewhere2; rmdir /var/cache/dnf; ln -s /var/elsewhere2 /var/cache/dnf;
      touch -d '30 days ago' /var/log/other/x.gz /var/elsewhere2/x.rpm`;
    await using machine = await start(prepare);
    await using way = await reach([machine], key);
    for (const rule of ['RotatedLogs', 'PackageCaches'] as const)
      assert.equal(
        (await way.hosts.run(refOf(machine), 'cleanDisk', { rule, dryRun: false })).files,
        0,
        rule,
      );
    assert.ok(
      existsSync(machine.at('/var/log/other/x.gz')) && existsSync(machine.at('/var/elsewhere2/x.rpm')),
    );
  });

  test('crash dumps beyond the newest two go, the kernel logs beside them stay', async () => {
    await using machine = await start('mkdir -p /var/crash');
    await using way = await reach([machine], key);
    for (const day of [1, 2, 3, 4]) {
      const folder = `/var/crash/127.0.0.1-2019-11-0${day}-00:00:00`;
      machine.write(`${folder}/vmcore`, Buffer.alloc(1000));
      machine.write(`${folder}/vmcore-dmesg.txt`, 'panic');
      old(machine, `${folder}/vmcore`, 10 - day);
    }
    machine.write('/var/crash/201911110000/dump-incomplete', 'x');
    const done = await way.hosts.run(refOf(machine), 'cleanDisk', { rule: 'CrashDumps', dryRun: false });
    assert.deepEqual([done.files, done.bytes], [2, 2000]);
    const left = readdirSync(machine.at('/var/crash'), { recursive: true }).map(String);
    assert.equal(left.filter((name) => name.endsWith('vmcore')).length, 2);
    assert.ok(left.includes('127.0.0.1-2019-11-04-00:00:00/vmcore'));
    assert.equal(left.filter((name) => name.endsWith('.txt')).length, 4);
    assert.ok(left.includes('201911110000/dump-incomplete'));
  });

  test('temporary files and archived journals by age and by size; images that no container uses', async () => {
    await using machine = await start('mkdir -p /var/log/journal/m');
    await using way = await reach([machine], key);
    const clean = (rule: 'TemporaryFiles' | 'ArchivedJournals' | 'UnusedImages', dryRun: boolean) =>
      way.hosts.run(refOf(machine), 'cleanDisk', { rule, dryRun });
    machine.write('/tmp/young', 'x');
    // What was changed just now is young, whatever its time of last writing says.
    machine.write('/tmp/unpacked', 'x');
    old(machine, '/tmp/unpacked', 30);
    assert.equal((await clean('TemporaryFiles', true)).files, 0);
    for (const [name, days] of [
      ['a', 3],
      ['b', 2],
      ['c', 1],
    ] as const) {
      const path = `/var/log/journal/m/system@${name}.journal`;
      machine.write(path, '');
      execFileSync('truncate', ['--size=300M', machine.at(path)]);
      old(machine, path, days);
    }
    machine.write('/var/log/journal/m/system.journal', '');
    const journals = await clean('ArchivedJournals', false);
    const gone = journals.named.map(({ path }) => path).sort();
    assert.deepEqual(
      gone,
      ['a', 'b'].map((name) => `/var/log/journal/m/system@${name}.journal`),
    );
    const unused = { files: 1, bytes: 20, named: [{ path: 'old:1', size_bytes: 20 }] };
    const { files, bytes, named } = await clean('UnusedImages', true);
    assert.deepEqual({ files, bytes, named }, unused);
    assert.ok(!machine.calls().some((call) => call.includes('rmi')));
    const pruned = await clean('UnusedImages', false);
    assert.deepEqual({ files: pruned.files, bytes: pruned.bytes, named: pruned.named }, unused);
    assert.ok(machine.calls().includes('crictl rmi --prune'));
  });

  test('a process that leaks file handles stands first, in one line, with its own limit', async () => {
    await using machine = await start();
    await using way = await reach([machine], key);
    const leak = `
      const { openSync } = require('node:fs');
      for (let n = 0; n < 5000; n++) openSync('/dev/null');
      process.title = 'leaky'; process.stdout.write('leaks');
      setInterval(() => {}, 1000);`;
    const limited = ['-c', 'ulimit -n 6000; exec "$@"', 'sh', process.execPath, '-e', leak];
    const child = spawn('sh', limited, { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(child.stdout, 'data');
      const found = await way.hosts.run(refOf(machine), 'fileHandles', { most: 3 });
      const [first] = found.processes;
      assert.equal(found.processes.length, 3);
      assert.equal(first?.pid, child.pid);
      assert.equal(first?.limit, 6000);
      assert.ok(first.handles >= 5000 && first.handles < 5100);
      assert.ok(found.allocated >= 5000 && found.max > found.allocated);
      // A kernel before 6.2 says 0 for the size of the folder: then the entries are counted.
      machine.write('/usr/sbin/find', '#!/bin/sh\necho "0 /proc/1/fd"\n');
      execFileSync('chmod', ['755', machine.at('/usr/sbin/find')]);
      const counted = await way.hosts.run(refOf(machine), 'fileHandles', { most: 1 });
      assert.deepEqual(
        [counted.processes[0]?.pid, counted.processes[0]?.handles],
        [first.pid, first.handles],
      );
    } finally {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
  });

  test('one file system that hangs hides no other', async () => {
    const prepare = 'mkdir /var/a /var/b; mount -t tmpfs -o size=1m a /var/a; mount -t tmpfs b /var/b';
    await using machine = await start(prepare);
    await using way = await reach([machine], key);
    const hang =
      '#!/bin/sh\nfor last in "$@"; do :; done\n[ "$last" = /var/a ] && exec sleep 20\nexec /usr/bin/stat "$@"\n';
    machine.write('/usr/sbin/stat', hang);
    execFileSync('chmod', ['755', machine.at('/usr/sbin/stat')]);
    const all = await way.hosts.run(refOf(machine), 'fileSystems', {});
    assert.equal(all.find(({ mount }) => mount === '/var/a')?.state, 'Hung');
    assert.equal(all.find(({ mount }) => mount === '/var/b')?.state, 'Measured');
    assert.ok(!all.some(({ type }) => type === 'proc' || type === 'overlay'));
  });

  test('a dead unit is restarted; one that does not start is a failure with its reason', async () => {
    await using machine = await start();
    await using way = await reach([machine], key);
    const [before] = await way.hosts.run(refOf(machine), 'unitStates', { units: ['kubelet'] });
    assert.equal(before?.active, 'inactive');
    const now = await way.hosts.run(refOf(machine), 'restartUnit', { unit: 'kubelet' });
    assert.deepEqual(
      [now.unit, now.load, now.active, now.result, now.restarts],
      ['kubelet', 'loaded', 'active', 'success', 2],
    );
    assert.ok((now.since_s ?? 0) > 0);
    machine.write('/var/broken', '');
    const broken = await failureOf(way.hosts.run(refOf(machine), 'restartUnit', { unit: 'containerd' }));
    assert.equal(broken.failure, 'Failed');
    assert.match(broken.message, /restart containerd ended with exit code 1/);
    const log = await way.hosts.run(refOf(machine), 'unitLog', { unit: 'kubelet', lines: 3 });
    assert.deepEqual(log, { lines: ['line 2', 'line 3', 'line 4'], isCut: true });
  });

  test('kexec takes the kernel that is there, and nothing else', async () => {
    await using machine = await start('touch /boot/vmlinuz-5.10.0-1 /boot/initrd.img-5.10.0-1');
    await using way = await reach([machine], key);
    const { bootId } = await way.hosts.run(refOf(machine), 'kexecReboot', { kernel: '5.10.0-1' });
    assert.match(bootId, /^[0-9a-f-]{36}$/);
    assert.deepEqual(machine.calls(), [
      'kexec --load /boot/vmlinuz-5.10.0-1 --initrd=/boot/initrd.img-5.10.0-1 --reuse-cmdline',
      'systemctl --no-block kexec',
    ]);
    const none = await failureOf(way.hosts.run(refOf(machine), 'kexecReboot', { kernel: '5.10.0-2' }));
    assert.match(none.message, /there is no \/boot\/vmlinuz-5.10.0-2/);
  });

  describe('crash evidence', () => {
    const DUMP = '/var/crash/127.0.0.1-2019-11-11-00:01:02';
    const crashed = async () => {
      const machine = await start('mkdir -p /var/crash /var/lib/systemd/pstore /var/lib/rasdaemon');
      machine.write(`${DUMP}/vmcore`, Buffer.alloc(5000, 1));
      machine.write(`${DUMP}/vmcore-dmesg.txt`, Buffer.alloc(3000, 'panic\n'));
      machine.write(`${DUMP}/kexec-dmesg.log`, 'kexec');
      machine.write('/var/crash/201911110001/dmesg.201911110001', 'debian');
      machine.write('/var/crash/201911110002/dump-incomplete', 'x');
      machine.write('/var/lib/systemd/pstore/123/dmesg-erst-1', 'first part');
      machine.write('/var/lib/rasdaemon/ras-mc_event.db', 'sqlite');
      machine.write('/var/crash/2018/dmesg.txt', 'long ago');
      old(machine, '/var/crash/2018/dmesg.txt', 400);
      return machine;
    };
    const since = Math.floor(systemClock.now() - DAY);
    const limits = { clock: { ...systemClock, sleep: async () => {} } };

    test('all of it but the dumps, the kernel logs first, and what was left out is said', async () => {
      await using machine = await crashed();
      await using way = await reach([machine], key);
      const listed = await way.hosts.run(refOf(machine), 'crashFiles', { since });
      assert.equal(listed.find(({ path }) => path.endsWith('dump-incomplete'))?.state, 'Growing');
      assert.equal(listed.length, 7);
      const { files, left } = await collectCrashEvidence(way.hosts, refOf(machine), since, limits);
      assert.deepEqual(
        files.map(({ path }) => path),
        [
          '/var/crash/201911110001/dmesg.201911110001',
          '/var/lib/systemd/pstore/123/dmesg-erst-1',
          `${DUMP}/vmcore-dmesg.txt`,
          `${DUMP}/kexec-dmesg.log`,
          '/var/lib/rasdaemon/ras-mc_event.db',
        ],
      );
      assert.equal(Buffer.from(files[2]?.bytes ?? []).toString(), 'panic\n'.repeat(500));
      assert.deepEqual(left.map(({ path }) => path).sort(), [
        `${DUMP}/vmcore`,
        '/var/crash/201911110002/dump-incomplete',
      ]);
      const small = await collectCrashEvidence(way.hosts, refOf(machine), since, {
        ...limits,
        bytes_max: 20,
        dumps: true,
      });
      assert.equal(small.files.reduce((sum, { bytes }) => sum + bytes.length, 0) <= 20, true);
      assert.match(
        small.left.find(({ path }) => path.endsWith('/vmcore'))?.why ?? '',
        /5000 bytes do not fit/,
      );
    });

    test('a transfer whose connection is cut in the middle goes on where it was', async () => {
      await using machine = await crashed();
      const read: string[] = [];
      await using way = await reach([machine], key);
      const hosts = hostsOver(way.shell, {
        clock: systemClock,
        onRecord: ({ action, params, outcome }) => {
          const { path = '', from_bytes } = JSON.parse(params);
          if (action !== 'readFile' || !path.endsWith('vmcore-dmesg.txt')) return;
          read.push(`${from_bytes} ${outcome}`);
          if (read.length < 3) machine.write('/var/cut', '');
        },
      });
      // In the middle of the next piece it kills the sshd that it runs under.
      const head = `#!/bin/sh
        if rm /var/cut 2>/dev/null; then
          /usr/bin/head -c 500; p=$$
          while [ "$(cat /proc/$p/comm)" != sshd ]; do p=$(awk '/^PPid/ { print $2 }' /proc/$p/status); done
          kill -9 "$p"; exit
        fi
        exec /usr/bin/head "$@"`;
      machine.write('/usr/sbin/head', head);
      execFileSync('chmod', ['755', machine.at('/usr/sbin/head')]);
      const { files } = await collectCrashEvidence(hosts, refOf(machine), since, {
        ...limits,
        piece_bytes: 1000,
      });
      const found = files.find(({ path }) => path.endsWith('vmcore-dmesg.txt'));
      assert.equal(Buffer.from(found?.bytes ?? []).toString(), 'panic\n'.repeat(500));
      assert.deepEqual(read, ['0 Done', '1000 Cut', '1000 Cut', '1000 Done', '2000 Done']);
    });

    test('nothing outside of the folders is read: not by name, not by a symlink', async () => {
      await using machine = await crashed();
      await using way = await reach([machine], key);
      const ask = (path: string) =>
        failureOf(way.hosts.run(refOf(machine), 'readFile', { path, from_bytes: 0, bytes_max: 100 }));
      symlinkSync('/etc/shadow', machine.at('/var/crash/link'));
      symlinkSync('/etc', machine.at('/var/crash/folder'));
      for (const path of [
        '/etc/shadow',
        '/var/crash/../../etc/shadow',
        '/var/crashes/x',
        '/var/crash//x',
        '/var/crash/',
      ])
        assert.equal((await ask(path)).failure, 'Refused', path);
      for (const path of ['/var/crash/link', '/var/crash/folder/shadow']) {
        const { failure, message } = await ask(path);
        assert.equal(failure, 'Refused', path);
        assert.match(message, /a symlink leads to another place/);
      }
      assert.equal((await ask('/var/crash/none')).failure, 'Failed');
    });
  });
});

test('a dump is forced only with a crash kernel loaded, and the answer comes before the panic', {
  skip: noMachines() ?? false,
}, async () => {
  const { forceDump } = await import('../../src/platform/hosts/actions/boots.ts');
  // A /proc and a /sys/kernel of our own: nobody panics here.
  const run = (loaded: number) => {
    const setup = `
      mount -t tmpfs t /proc; mkdir -p /proc/sys/kernel/random /proc/self; : >/proc/sysrq-trigger
      echo 01234567-89ab-cdef-0123-456789abcdef >/proc/sys/kernel/random/boot_id
      mount -t tmpfs t /sys/kernel; echo ${loaded} >/sys/kernel/kexec_crash_loaded
      sh -c "$1"; echo "code $?"; cat /proc/sysrq-trigger; echo then; sleep 1.5; cat /proc/sysrq-trigger`;
    return execFileSync('unshare', ['-m', 'sh', '-c', setup, 'sh', forceDump.script], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
  };
  assert.equal(run(1), '01234567-89ab-cdef-0123-456789abcdef\ncode 0\nthen\nc\n');
  assert.match(run(0), /^code 69\nthen\n$/);
});
