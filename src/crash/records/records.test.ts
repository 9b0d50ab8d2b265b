import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { explainLog } from '../kernel-log/explain.ts';
import { recordOf } from './make.ts';
import { placeOf } from './places.ts';
import { rasLines } from './rasdaemon.ts';
import { signatureOf } from './signature.ts';

describe('the place of evidence', () => {
  for (const [path, kind, at] of [
    ['/var/crash/127.0.0.1-2019-11-11-00:01:02/vmcore-dmesg.txt', 'vmcore-dmesg', '2019-11-11T00:01:02.000Z'],
    [
      '/var/crash/10.0.0.7-2019-11-11-00:01:02/vmcore-dmesg-incomplete.txt',
      'vmcore-dmesg',
      '2019-11-11T00:01:02.000Z',
    ],
    ['/var/crash/201911110001/dmesg.201911110001', 'vmcore-dmesg', '2019-11-11T00:01:00.000Z'],
    ['/var/lib/systemd/pstore/1573430462/dmesg-efi-157343046201001', 'pstore', undefined],
    ['/sys/fs/pstore/dmesg-ramoops-0', 'pstore', undefined],
    ['ras-mc_event.db', 'rasdaemon', undefined],
    ['m00042-console.log', 'console', undefined],
    ['whatever.txt', 'log', undefined],
    ['/var/crash/127.0.0.1-2019-99-11-00:01:02/vmcore-dmesg.txt', 'vmcore-dmesg', undefined],
  ] as const)
    it(path, () => assert.deepEqual([placeOf(path).kind, placeOf(path).at], [kind, at]));
  it('puts the parts of one dump together, and other files apart', () => {
    assert.equal(placeOf('/sys/fs/pstore/dmesg-efi-1').group, placeOf('/sys/fs/pstore/dmesg-efi-2').group);
    assert.notEqual(placeOf('/logs/a.log').group, placeOf('/logs/b.log').group);
  });
});

describe('a signature', () => {
  const of = (title: string) => signatureOf({ title, class: 'bad-access', frame: 'f', corrupted: false });
  it('is the same for the same bug on other kernels', () => {
    assert.equal(of('general protection fault in sys_read'), of('general protection fault in read'));
    assert.equal(of('KASAN: slab-use-after-free Read in f'), of('KASAN: use-after-free Read in f'));
    assert.notEqual(of('general protection fault in f'), of('general protection fault in g'));
  });
  it('puts reports that are too damaged for a name together, by class', () => {
    const damaged = (title: string) => signatureOf({ title, class: 'warning', corrupted: true });
    assert.equal(damaged('WARNING in corrupted'), damaged('WARNING: kmalloc bug in corrupted'));
  });
});

describe('a record', () => {
  const known = {
    cluster: 'home',
    machine: 'm1',
    happenedAt: '2026-11-11T00:01:02.000Z',
    timeFrom: 'path',
    seenAt: '2026-11-11T00:10:00.000Z',
    attributes: { model: 'ebmc6' },
    evidence: [{ kind: 'log', name: 'a.log', bytes: 9, sha256: 'x' }] as const,
    excerpt: '',
  };
  const make = (log: string, more = {}) =>
    recordOf(explainLog(Buffer.from(log)), { ...known, evidence: [...known.evidence], ...more });
  it('is the same record whenever the same evidence comes', () => {
    const panic = 'Kernel panic - not syncing: Fatal hardware error!';
    assert.equal(make(panic).id, make(panic, { seenAt: '2026-12-01T00:00:00.000Z' }).id);
    assert.notEqual(make(panic).id, make(panic, { machine: 'm2' }).id);
  });
  it('says what the hardware reported', () => {
    const { cause, title, signature } = make('3 | 11/11/2019 | 00:01:02 | Processor #0x12 | IERR | Asserted');
    assert.deepEqual([cause, title], ['hardware', 'hardware error: cpu-or-memory']);
    assert.match(signature, /^c-[0-9a-f]{10}$/);
  });
  it('is planned when an operation explains it, whatever the log says', () => {
    const { cause, because } = make('Kernel panic - not syncing: Fatal hardware error!', {
      planned: 'operation op-7: a test',
    });
    assert.deepEqual([cause, because], ['planned', 'operation op-7: a test']);
  });
  it('without a word of the kernel is still a crash of its own kind', () => {
    assert.equal(make('eth0: link up').title, 'restarted without a crash report');
  });
});

it('rasdaemon’s events become lines that the rules of hardware know', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'drover-ras-'));
  const file = join(dir, 'ras-mc_event.db');
  const database = new DatabaseSync(file);
  database.exec(`create table mc_event (id integer primary key, timestamp text, err_count integer, err_type text, err_msg text, label text, mc integer);
    insert into mc_event values (1, '2026-11-11 00:00:01 +0000', 3, 'Corrected', 'memory read error', 'DIMM_A1', 0);
    insert into mc_event values (2, '2026-11-11 00:00:02 +0000', 1, 'Uncorrected', 'memory read error', 'DIMM_A1', 0)`);
  database.close();
  const { hardware, cause } = explainLog(Buffer.from(await rasLines(file)));
  rmSync(dir, { recursive: true });
  assert.deepEqual(
    hardware.map(({ sign, count }) => [sign, count]),
    [
      ['memory-corrected', 1],
      ['memory-uncorrected', 1],
    ],
  );
  assert.equal(cause, 'hardware');
});
