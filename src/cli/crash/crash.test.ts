import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { STORY_DAYS, STORY_FROM, story } from '../../crash/report/test-story.ts';
import { DAY } from '../../platform/clock/clock.ts';
import { VirtualClock } from '../../platform/clock/virtual.ts';
import { CrashStore } from '../../platform/history/crashes.ts';
import { run } from '../test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'drover-crash-cli-'));
const data = join(folder, 'data');
after(() => rmSync(folder, { recursive: true, force: true }));

const OOPS = `[  100.000001] kernel BUG at fs/ext4/inode.c:2714!
[  100.000002] invalid opcode: 0000 [#1] SMP
[  100.000003] CPU: 3 PID: 812 Comm: java Not tainted 5.10.134-13.an8.x86_64 #1
[  100.000004] RIP: 0010:ext4_writepages+0xd2/0xe10 [ext4]
[  100.000005] Call Trace:
[  100.000006]  do_writepages+0x4b/0xe0
`;

async function* bytes(text: string) {
  yield Buffer.from(text);
}

describe('drover crash explain', () => {
  it('reads standard input, files and compressed files', async () => {
    const file = join(folder, 'dmesg.gz');
    writeFileSync(file, gzipSync(OOPS));
    const piped = await run(['crash', 'explain'], { stdin: () => bytes(OOPS) });
    assert.match(piped.out, /^kernel BUG in ext4_writepages\n {2}what/);
    const packed = await run(['crash', 'explain', file, '-o', 'json']);
    assert.equal(JSON.parse(packed.out).title, 'kernel BUG in ext4_writepages');
  });
  it('answers each of many logs in a line of its own, and goes on after one that it can’t read', async () => {
    const lines = [
      JSON.stringify({ id: 1, log: OOPS }),
      'not json',
      '',
      JSON.stringify({ id: 'b' }),
      JSON.stringify({ id: 'c', log: 'eth0: link up' }),
    ];
    const { out, err, code } = await run(['crash', 'explain', '--jsonl'], {
      stdin: () => bytes(lines.join('\n')),
    });
    const answers = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.equal(code, 1);
    assert.deepEqual(
      answers.map(({ id, title, frame, error }) => [id, title ?? error.slice(0, 17), frame ?? null]),
      [
        [1, 'kernel BUG in ext4_writepages', 'ext4_writepages'],
        [null, 'line 2: not JSON:', null],
        ['b', 'line 4: "log" is ', null],
        ['c', '', null],
      ],
    );
    assert.match(err, /^error: line 2: not JSON/);
  });
  it('names the file that there is not, and explains the others', async () => {
    const file = join(folder, 'one.log');
    writeFileSync(file, OOPS);
    const { code, out, err } = await run(['crash', 'explain', join(folder, 'none.log'), file]);
    assert.equal(code, 1);
    assert.match(err, /^error: .*none\.log: ENOENT/);
    assert.match(out, /kernel BUG in ext4_writepages/);
  });
  it('says where a file of rules is wrong', async () => {
    const file = join(folder, 'rules.yaml');
    writeFileSync(file, 'reports: [{ rule: x-y }]');
    const { code, err } = await run(['crash', 'rules', 'check', file]);
    assert.equal(code, 2);
    assert.match(err, /rules\.yaml: reports\.0\.about: /);
    assert.match((await run(['crash', 'rules', 'check'])).out, /rules, \d+ tests, all hold/);
  });
});

describe('drover crash, with records', () => {
  let id = '';
  before(async () => {
    const dump = join(folder, 'var/crash/127.0.0.1-2026-11-11-00:01:02');
    mkdirSync(dump, { recursive: true });
    writeFileSync(join(dump, 'vmcore-dmesg.txt'), OOPS);
    writeFileSync(join(dump, 'vmcore'), 'KDUMP   a dump of memory');
    const { out, code } = await run([
      'crash',
      'import',
      join(folder, 'var/crash'),
      '-m',
      'm00042',
      '-a',
      'model=ebmc6',
      '--data',
      data,
    ]);
    assert.equal(code, 0);
    assert.match(
      out,
      /^crash\/([0-9a-f]{12}) imported: kernel BUG in ext4_writepages \(c-[0-9a-f]{10}, kernel\)\n$/,
    );
    id = out.slice(6, 18);
  });
  it('the same dump twice is one crash', async () => {
    const again = await run(['crash', 'import', join(folder, 'var/crash'), '-m', 'm00042', '--data', data]);
    assert.match(again.out, /unchanged or known better now/);
    const { out } = await run(['crash', 'list', '--data', data]);
    assert.equal(out.trim().split('\n').length, 2);
    assert.match(out, /^ID +WHEN +MACHINE/);
    assert.match(out, /2026-11-11 00:01 +m00042 +kernel/);
  });
  it('a crash is shown with its time, its frames and its evidence', async () => {
    const { out } = await run(['crash', 'show', id, '--data', data]);
    assert.match(out, /when +2026-11-11T00:01:02\.000Z \(from the path\), 1 min after boot/);
    assert.match(out, /blame +ext4_writepages ← do_writepages, module ext4/);
    assert.equal((await run(['crash', 'show', id, '--log', '--data', data])).out, OOPS);
    assert.match(
      (await run(['crash', 'show', 'nobody', '--data', data])).err,
      /no crash "nobody"; drover crash list shows/,
    );
  });
  it('what has no crash in it is not kept, and says so', async () => {
    const { out, err } = await run(['crash', 'import', '-', '-m', 'm1', '--data', data], {
      stdin: () => bytes('eth0: link up\n'),
    });
    assert.equal(out, '');
    assert.match(err, /no crash and no sign of the hardware in it; not kept/);
  });
  it('what was meant is kept as planned, and is no crash', async () => {
    await run(['crash', 'import', '-', '-m', 'm2', '--planned', 'kdump test', '--data', data], {
      stdin: () => bytes(OOPS),
    });
    assert.doesNotMatch((await run(['crash', 'list', '--data', data])).out, /m2/);
    assert.match((await run(['crash', 'list', '--planned', '--data', data])).out, /m2 +planned/);
  });
  it('selectors and times that make no sense are told what would', async () => {
    assert.match(
      (await run(['crash', 'list', '-l', 'model', '--data', data])).err,
      /write it as model=ebmc6/,
    );
    assert.match(
      (await run(['crash', 'list', '--since', 'soon', '--data', data])).err,
      /a length such as 12h, 7d, 4w, or a date/,
    );
  });
});

describe('drover crash, the life of a bug', () => {
  const dir = join(folder, 'story');
  const clock = new VirtualClock(1, STORY_FROM + STORY_DAYS * DAY);
  let signature = '';
  before(async () => {
    const { records, days } = story();
    signature = records[0]?.signature ?? '';
    await using store = await CrashStore.open({ dir });
    for (const record of records) await store.put(record);
    for (const [day, kinds] of Map.groupBy(days, (each) => each.day)) await store.putFleetDay(day, kinds);
  });
  const crash = (...args: string[]) => run(['crash', ...args, '--data', dir], { clock });
  it('its surge is seen in days, and its report names cause, exposure and proof', async () => {
    const trend = JSON.parse((await crash('trend', '--since', '2026-08-01', '-o', 'json')).out);
    assert.ok(trend.alarms[0].raisedAt < '2026-08-28', trend.alarms[0].raisedAt);
    const known = join(folder, 'known.yaml');
    writeFileSync(
      known,
      `bugs: [{ id: nvme, title: nvme, match: { signatures: [${signature}] }, fixedIn: [5.10.134-16.an8.x86_64] }]`,
    );
    const { out } = await crash('report', signature, '--since', '2026-08-01', '--known', known);
    assert.match(out, /\*\*kernel 5\.10\.134-15\.an8\.x86_64 and model ebmc6\*\*/);
    assert.match(out, /2250 machines of today’s fleet do not have the fix/);
    assert.match(out, /Did it help\? /);
  });
  it('a person names and mutes its family, and that is remembered', async () => {
    const family = `family-${signature}`;
    assert.match((await crash('family', 'rename', family, 'nvme', 'reset', 'bug')).out, /renamed/);
    assert.match((await crash('family', 'mute', family, '--reason', 'fix is rolling out')).out, /muted/);
    assert.match((await crash('list', '--by', 'family')).out, /\(muted\) nvme reset bug/);
    assert.match((await crash('family', 'merge', family, 'nobody')).err, /there is no family nobody/);
  });
});
