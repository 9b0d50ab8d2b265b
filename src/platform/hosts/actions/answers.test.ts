// What real hosts print, and what they must not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostError } from '../host.ts';
import { cleanDisk } from './clean-disk.ts';
import { crashFiles, isCrashPath, readFile } from './crash-files.ts';
import { facts, taintsOf } from './facts.ts';
import { fileHandles } from './file-handles.ts';
import { fileSystems } from './file-systems.ts';
import { cpusIn, load } from './load.ts';
import { LOG_BYTES_MAX, tailOf } from './logs.ts';
import { installPackage } from './packages.ts';
import { actionsOf } from './table.ts';

const bytes = (...lines: string[]) => Buffer.from(lines.map((line) => `${line}\n`).join(''));
const bad = (run: () => unknown, message?: RegExp) =>
  assert.throws(
    run,
    (error) =>
      error instanceof HostError &&
      error.failure === 'BadOutput' &&
      (!message || message.test(error.message)),
  );

test('load', () => {
  const found = load.parse(bytes('0.42 1.22 12.19 3/1350 23456', '0-127,130'), {});
  assert.deepEqual(found, { one: 0.42, five: 1.22, fifteen: 12.19, running: 3, tasks: 1350, cpus: 129 });
  assert.equal(cpusIn('0'), 1);
  for (const wrong of [bytes(), bytes('x'), bytes('0.1 0.2 0.3 1/2 3', '4-2'), bytes('-1 0 0 1/1 1', '0')])
    bad(() => load.parse(wrong, {}));
});

test('file systems: measured, hung, names with spaces, and a foreign line is an error', () => {
  const found = fileSystems.parse(
    bytes(
      '/dev/nvme0n1p2\text4\t/\t4096 66053632 60667383 18493768 16777216 16222267',
      'nas:/home\tnfs4\t/mnt/a\\040b\\011c\tHung',
      '/dev/sdb\tbtrfs\t/data\t4096 100 50 50 0 0',
    ),
    {},
  );
  assert.deepEqual(found[0], {
    device: '/dev/nvme0n1p2',
    type: 'ext4',
    mount: '/',
    state: 'Measured',
    size_bytes: 66053632 * 4096,
    used_bytes: (66053632 - 60667383) * 4096,
    available_bytes: 18493768 * 4096,
    inodes: 16777216,
    inodesUsed: 16777216 - 16222267,
  });
  assert.deepEqual(found[1], { device: 'nas:/home', type: 'nfs4', mount: '/mnt/a b\tc', state: 'Hung' });
  assert.equal(found[2]?.state === 'Measured' && found[2].inodes, 0);
  for (const line of [
    'x',
    'a\tb\tc\t1 2 3 4 5',
    'a\tb\tc\t1 2 3 4 5 6 7',
    'a\tb\tc\tElse',
    'a\tb\tc\t1 2 3 4 5 -6',
  ])
    bad(() => fileSystems.parse(bytes(line), {}));
});

test('file handles: the most first, one that ended meanwhile left out, a limit of 64 bits', () => {
  const found = fileHandles.parse(
    bytes(
      '1313\t0\t9223372036854775807',
      '1000004\t4711\t1048576\tjava',
      '300\t1\tunlimited\tsystemd',
      '9\t99\t\t',
    ),
    { most: 3 },
  );
  assert.equal(found.allocated, 1313);
  assert.ok(found.max > 1e18);
  assert.deepEqual(found.processes, [
    { pid: 4711, name: 'java', handles: 1_000_004, limit: 1_048_576 },
    { pid: 1, name: 'systemd', handles: 300, limit: 'unlimited' },
  ]);
  bad(
    () => fileHandles.parse(bytes('1 0 2', '1\t2\t3\tx', '1\t2\t3\tx'), { most: 1 }),
    /2 processes came, 1 were wanted/,
  );
});

const RHEL = [
  'bootId\tecbcf28e-da6b-462c-8ee5-024dafa96bcf',
  'kernel\t4.18.0-553.el8_10.x86_64',
  'commandLine\tBOOT_IMAGE=(hd0,gpt2)/vmlinuz-4.18.0 root=/dev/mapper/rhel-root ro crashkernel=256M',
  'vendor\tAlibaba Cloud',
  'product\tAlibaba Cloud ECS',
  'serial\t',
  'cpus\t0-103',
  'uptime\t350735.47 234388.90',
  'kdump\t1',
  'tainted\t4609',
  'architecture\tx86_64',
  'memory_kb\t393216000',
  'cpuModel\tIntel(R) Xeon(R) Platinum 8269CY CPU @ 2.50GHz',
  'os\tID="rhel"',
  'os\tVERSION_ID="8.10"',
  'os\tPRETTY_NAME="Red Hat Enterprise Linux 8.10 (Ootpa)"',
  'pendingReboot\tNo',
];

test('facts of a machine', () => {
  assert.deepEqual(facts.parse(bytes(...RHEL), {}), {
    bootId: 'ecbcf28e-da6b-462c-8ee5-024dafa96bcf',
    kernel: '4.18.0-553.el8_10.x86_64',
    commandLine: 'BOOT_IMAGE=(hd0,gpt2)/vmlinuz-4.18.0 root=/dev/mapper/rhel-root ro crashkernel=256M',
    architecture: 'x86_64',
    os: { id: 'rhel', version: '8.10', name: 'Red Hat Enterprise Linux 8.10 (Ootpa)' },
    vendor: 'Alibaba Cloud',
    product: 'Alibaba Cloud ECS',
    cpus: 104,
    cpuModel: 'Intel(R) Xeon(R) Platinum 8269CY CPU @ 2.50GHz',
    memory_bytes: 393216000 * 1024,
    uptime_s: 350735.47,
    kdumpArmed: true,
    tainted: 'PWO',
    pendingReboot: 'No',
  });
  const without = (key: string) => bytes(...RHEL.filter((line) => !line.startsWith(`${key}\t`)));
  for (const key of ['bootId', 'kernel', 'cpus', 'uptime', 'memory_kb', 'tainted'])
    bad(() => facts.parse(without(key), {}));
  for (const key of ['serial', 'product', 'vendor', 'cpuModel', 'kdump', 'os']) facts.parse(without(key), {});
  assert.equal(taintsOf(0), '');
  assert.equal(taintsOf(2 ** 19), 'J');
});

test('the end of a log, and whether there was more', () => {
  assert.deepEqual(tailOf(bytes('a', 'b'), 2), { lines: ['a', 'b'], isCut: false });
  assert.deepEqual(tailOf(bytes('a', 'b', 'c'), 2), { lines: ['b', 'c'], isCut: true });
  assert.deepEqual(tailOf(Buffer.alloc(0), 2), { lines: [], isCut: false });
  const long = Buffer.alloc(LOG_BYTES_MAX + 1, `${'x'.repeat(99)}\n`);
  const { lines, isCut } = tailOf(long, 100_000);
  assert.equal(isCut, true);
  assert.ok(lines.slice(0, -1).every((line) => line.length === 99));
});

const SHOW = 'Id=kubelet.service\nLoadState=loaded\nActiveState=active\nSubState=running\nResult=success\n';

test('states of units, also from a systemd that does not count restarts', () => {
  const { unitStates } = actionsOf();
  const text = `up=1000.50\n${SHOW}NRestarts=3\nStateChangeTimestampMonotonic=900000000\n\nId=containerd.service\nLoadState=not-found\nActiveState=inactive\nSubState=dead\nResult=success\nStateChangeTimestampMonotonic=0\n\n`;
  assert.deepEqual(unitStates.parse(Buffer.from(text), { units: ['kubelet', 'containerd'] }), [
    {
      unit: 'kubelet',
      load: 'loaded',
      active: 'active',
      sub: 'running',
      result: 'success',
      since_s: 100.5,
      restarts: 3,
    },
    { unit: 'containerd', load: 'not-found', active: 'inactive', sub: 'dead', result: 'success' },
  ]);
  bad(
    () => unitStates.parse(Buffer.from(`up=1\n${SHOW}`), { units: ['containerd'] }),
    /containerd was asked for/,
  );
  bad(
    () => unitStates.parse(Buffer.from(`up=1\n${SHOW}`), { units: ['kubelet', 'containerd'] }),
    /2 units wanted, 1 came/,
  );
  bad(() => unitStates.parse(Buffer.from(SHOW), { units: ['kubelet'] }), /no uptime/);
});

test('what a rule removed', () => {
  const params = { rule: 'RotatedLogs', dryRun: false } as const;
  const found = cleanDisk.parse(
    bytes('before\t10', 'file\t5\t/var/log/a b.gz', 'total\t7\t500', 'open\t1', 'after\t510'),
    params,
  );
  assert.deepEqual(found, {
    files: 7,
    bytes: 500,
    named: [{ path: '/var/log/a b.gz', size_bytes: 5 }],
    open: 1,
    availableBefore_bytes: 10,
    availableAfter_bytes: 510,
  });
  bad(() => cleanDisk.parse(bytes('before\t10', 'after\t510'), params));
  const images = { rule: 'UnusedImages', dryRun: true } as const;
  bad(
    () => cleanDisk.parse(bytes('before\t1', 'images\t{', 'containers\t{}', 'after\t1'), images),
    /list of images cannot be read/,
  );
});

test('files of crashes: only from their folders, and a host that names another is not believed', () => {
  const list = (path: string) =>
    crashFiles.parse(bytes(`1573430462.0000000000\t3000\t${path}`), { since: 0 });
  assert.deepEqual(list('/var/crash/127.0.0.1-2019-11-11-00:01:02/vmcore-incomplete'), [
    {
      path: '/var/crash/127.0.0.1-2019-11-11-00:01:02/vmcore-incomplete',
      size_bytes: 3000,
      changedAt: '2019-11-11T00:01:02.000Z',
      state: 'Growing',
    },
  ]);
  assert.equal(list('/sys/fs/pstore/dmesg-erst-1')[0]?.state, 'Complete');
  for (const path of [
    '/etc/shadow',
    '/var/crash/../../etc/shadow',
    'var/crash/x',
    '/var/crash',
    '/var/crash/',
    '/var/crash/./x',
  ]) {
    assert.equal(isCrashPath(path), false, path);
    bad(() => list(path), /not a place of crashes/);
  }
});

test('a piece of a file, and the last one', () => {
  const params = { path: '/var/crash/x', from_bytes: 0, bytes_max: 4 };
  const read = (text: string, from_bytes = 0) =>
    readFile.parse(Buffer.from(text, 'latin1'), { ...params, from_bytes });
  const first = read('6 1573430462 regular file\n\x00\n\xff1');
  assert.deepEqual([first.size_bytes, [...first.bytes], first.isLast], [6, [0, 10, 255, 49], false]);
  assert.equal(read('6 1573430462 regular file\nab', 4).isLast, true);
  assert.equal(read('0 1573430462 regular empty file\n').isLast, true);
  bad(() => read('6 1573430462 symbolic link\nab'), /not a regular file/);
  bad(() => read('9 1573430462 regular file\nabcde'), /5 bytes came, 4 were wanted/);
});

test('a package is installed when the host says so, in that version', () => {
  const params = { name: 'containerd', version: '1.7.2-1.el8', hold: true };
  const done = bytes('before\t', 'after\t1.7.2-1.el8', 'held\t1');
  assert.deepEqual(installPackage.parse(done, params), { before: '', after: '1.7.2-1.el8', held: true });
  assert.ok(
    installPackage.parse(bytes('before\t1', 'after\t1.7.2', 'held\t0'), {
      ...params,
      version: '2:1.7.2',
      hold: false,
    }),
  );
  bad(
    () => installPackage.parse(bytes('before\t', 'after\t1.6', 'held\t1'), params),
    /in version "1.6" afterwards/,
  );
  bad(() => installPackage.parse(bytes('before\t', 'after\t1.7.2-1.el8', 'held\t0'), params), /not held/);
});
