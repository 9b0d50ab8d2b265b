// A kernel of Debian's dies for real under qemu, in many ways; its last words are collected as a fleet would, and
// explained.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { run } from '../../src/cli/test-io.ts';
import { NetconsoleRings, serveNetconsole } from '../../src/crash/collect/netconsole.ts';
import { MINUTE } from '../../src/platform/clock/clock.ts';
import { builtKernel, debugSymbols, type Kernel, noKernel } from './build.ts';
import { assertExplained, CRASHES, type Expected } from './expected.ts';
import { keep } from './keep.ts';
import { runMachine } from './machine.ts';

/** The dump of a machine with 384 MB, of which 112 MB are kdump's. */
const KDUMP_MB = 384;
const DUMP_BYTES_MAX = 600 << 20;

const reason = noKernel();

describe('a kernel that crashes', { skip: reason ?? false, timeout: 15 * MINUTE }, () => {
  let kernel: Kernel;
  const folder = mkdtempSync(join(tmpdir(), 'drover-crash-'));
  const data = join(folder, 'data');
  before(async () => {
    kernel = await builtKernel();
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** What `drover crash import` says of it. */
  const imported = async (path: string) => {
    const { code, out, err } = await run(['crash', 'import', path, '-m', 'm1', '--data', data, '-o', 'json']);
    assert.equal(code, 0, err);
    return JSON.parse(out) as { id: string; title: string; cause: string; evidence: { kind: string }[] }[];
  };

  for (const [how, expected] of Object.entries(CRASHES))
    it(`is explained from its serial console: ${how}`, async () => {
      const { words = [], monitor } = expected;
      await using machine = await runMachine(kernel, { how, words, ...(monitor && { monitor }) });
      keep(how, machine.console);
      assertExplained(machine.console, expected);
      assert.equal(machine.console.includes('drover: still alive'), expected.survives ?? false);
    });

  it('is kept when it was planned, and is no crash', async () => {
    await using machine = await runMachine(kernel, { how: 'sysrq' });
    const path = join(folder, 'serial-console.log');
    writeFileSync(path, machine.console, 'latin1');
    const [record] = await imported(path);
    assert.equal(record?.cause, 'planned');
    assert.equal(record?.evidence[0]?.kind, 'console');
  });

  it('leaves its log in memory (pstore), and the next boot hands it out', async () => {
    const at = '0x8000000';
    await using machine = await runMachine(kernel, {
      how: 'null',
      words: [`memmap=1M$${at}`, `drover.ramoops=${at}`],
      args: ['-serial', 'file:pstore.tar'],
      restarts: true,
    });
    const pstore = join(folder, 'pstore');
    mkdirSync(pstore);
    execFileSync('tar', ['xf', machine.path('pstore.tar'), '-C', pstore]);
    // The oops, and the panic that follows from it.
    assert.deepEqual(readdirSync(pstore).sort(), ['dmesg-ramoops-0', 'dmesg-ramoops-1']);
    for (const name of readdirSync(pstore))
      keep(
        name.endsWith('0') ? 'pstore.null' : 'pstore-second.null',
        readFileSync(join(pstore, name), 'latin1'),
      );
    const records = await imported(pstore);
    assert.equal(records.length, 1);
    assert.equal(records[0]?.title, CRASHES.null?.title);
    assert.deepEqual(
      records[0]?.evidence.map(({ kind }) => kind),
      ['pstore', 'pstore'],
    );
  });

  it('leaves a dump of its memory (kdump), and its log is found in that', async () => {
    const dump = join(folder, 'vmcore');
    writeFileSync(dump, '');
    truncateSync(dump, DUMP_BYTES_MAX);
    await using machine = await runMachine(kernel, {
      how: 'null',
      memory_mb: KDUMP_MB,
      words: ['crashkernel=112M', 'drover.with=disk'],
      args: ['-drive', `file=${dump},format=raw,if=virtio`],
      kdump: true,
    });
    const size = /drover: a dump of (\d+) bytes/.exec(machine.console)?.[1];
    assert.ok(size, machine.console.slice(-3000));
    truncateSync(dump, Number(size));
    // As makedumpfile writes it on a real machine: compressed, without the pages that nobody needs.
    const small = join(folder, 'vmcore.kdump');
    execFileSync('makedumpfile', ['-c', '-d', '31', dump, small], { stdio: 'pipe' });
    const [again] = await imported(small);
    const [record] = await imported(dump);
    assert.equal(again?.id, record?.id);
    assert.equal(record?.title, CRASHES.null?.title);
    assert.equal(record?.evidence[0]?.kind, 'vmcore-dmesg');
    const { out } = await run(['crash', 'show', record?.id ?? '', '--log', '--data', data]);
    keep('vmcore-dmesg.null', out);
    assertExplained(out, CRASHES.null as Expected);

    // With the symbols of its kernel crash(8) tells more than the log does.
    const symbols = await debugSymbols(folder);
    const whole = await run([
      ...['crash', 'import', small, '-m', 'm2', '--data', data, '-o', 'json'],
      ...['--vmlinux', symbols],
    ]);
    assert.equal(whole.err, '');
    const [asked] = JSON.parse(whole.out) as Awaited<ReturnType<typeof imported>>;
    assert.equal(asked?.title, CRASHES.null?.title);
    const stacks = (await run(['crash', 'show', asked?.id ?? '', '--log', '--data', data])).out;
    assert.match(stacks, /==> vmcore\.kdump\.crash\.txt \(crash-utility\) <==/);
    assert.match(stacks, /#\d+ \[\w+\] do_init_module\+\d+ at \w+\n.*kernel\/module\/main\.c: \d+/);
    assert.match(stacks, /COMMAND: "insmod"/);
    const strange = await run([
      ...['crash', 'import', small, '-m', 'm3', '--data', data],
      ...['--vmlinux', '/bin/ls'],
    ]);
    assert.equal(strange.code, 0);
    assert.match(strange.err, /no stacks by crash: .*no debugging data available; its log is kept/);
  });

  it('says its last words over the network (netconsole)', async () => {
    const rings = new NetconsoleRings();
    const server = await serveNetconsole(rings, { host: '127.0.0.1', port: 0 });
    try {
      await using _machine = await runMachine(kernel, {
        how: 'null',
        // After the panic it waits for a second, so that the last datagrams leave.
        words: ['drover.with=net', `drover.netconsole=${server.port}`, 'panic=1'],
        args: ['-netdev', 'user,id=net', '-device', 'virtio-net-pci,netdev=net,romfile='],
      });
      const lines = rings.linesOf('127.0.0.1');
      keep('netconsole.null', lines.join('\n'));
      assertExplained(lines.join('\n'), CRASHES.null as Expected);
      assert.ok(lines.some((line) => line.includes('Kernel panic - not syncing: Fatal exception')));
    } finally {
      await server.close();
    }
  });
});
