import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { systemClock } from '../clock/system.ts';
import { packedScript, partScript, reportOf, tidyScript, unpacked } from './packed.ts';

const DAY_S = 86_400;

describe('a packed run', () => {
  let folder: string;
  let at = 0;
  let packing = { name: '', folder: '', first_bytes_max: 1000 };
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'drover-packed-'));
  });
  after(() => rmSync(folder, { recursive: true }));
  beforeEach(() => {
    packing = { name: `run-${at++}`, folder: join(folder, 'runs'), first_bytes_max: 1000 };
  });
  const sh = (text: string, ...args: string[]) =>
    spawnSync('/bin/sh', ['-c', text, 'drover', ...args], { encoding: 'latin1', timeout: 20_000 });
  const run = (script: string, ...args: string[]) =>
    sh(packedScript({ script, output_bytes_max: 100_000 }, packing), ...args);

  it('gives back what was printed, what was complained, and the exit code, which is also its own', () => {
    const { stdout, stderr, status } = run(
      String.raw`printf '\377\n%s' "$2"; echo no >&2; exit 3`,
      'a',
      "b'c",
    );
    const report = reportOf(stdout);
    assert.ok(report.state === 'Done');
    assert.equal(unpacked(report.first, 100).stdout.toString('latin1'), "\xff\nb'c");
    assert.deepEqual([report.exitCode, status, report.stderr.toString(), stderr], [3, 3, 'no\n', '']);
  });

  it('is not taken in by a script that prints our own words', () => {
    const words = 'drover ended 0 3 AAAA\nAAAA\ndrover done\n';
    const report = reportOf(run('printf %s "$1"; printf %s "$1" >&2; exit 9', words).stdout);
    assert.ok(report.state === 'Done');
    assert.deepEqual([report.exitCode, unpacked(report.first, 1000).stdout.toString()], [9, words]);
  });

  it('begins once a name', () => {
    const file = join(folder, 'made');
    run('echo x >>"$1"', file);
    rmSync(file);
    const again = run('echo x >>"$1"', file);
    const report = reportOf(again.stdout);
    assert.ok(report.state === 'Cannot' && /File exists/.test(report.message), again.stdout);
    assert.equal(existsSync(file), false);
  });

  it('keeps what does not fit into the report, to be fetched', () => {
    const { stdout } = run('head -c 5000 /dev/urandom');
    const report = reportOf(stdout);
    assert.ok(report.state === 'Done');
    assert.equal(report.first.length, 1000);
    const rest = Buffer.from(sh(partScript(packing, 1000, 1_000_000)).stdout, 'base64');
    const { stdout: all } = unpacked(Buffer.concat([report.first, rest]), 100_000);
    assert.equal(all.length, 5000);
    sh(tidyScript(packing));
    assert.deepEqual(readdirSync(join(packing.folder, packing.name)), []);
  });

  it('takes away what others left an hour ago', () => {
    const old = join(packing.folder, 'old');
    mkdirSync(old, { recursive: true });
    const yesterday = systemClock.now() / 1000 - DAY_S;
    utimesSync(old, yesterday, yesterday);
    run(':');
    assert.equal(existsSync(old), false);
    assert.equal(existsSync(join(packing.folder, packing.name)), true);
  });

  it('is told apart by how far it came', () => {
    assert.equal(reportOf('sh: cannot fork\n').state, 'NotBegun');
    assert.equal(reportOf('drover began\ndrover ended 0 1').state, 'Begun');
    assert.throws(() => unpacked(Buffer.from('no gzip'), 10));
  });

  it('may hold a byte more than is wanted, and no more: that is no output of ours', () => {
    assert.equal(unpacked(gzipSync(Buffer.alloc(11)), 10).truncated, true);
    assert.throws(() => unpacked(gzipSync(Buffer.alloc(12)), 10), /larger/);
  });
});
