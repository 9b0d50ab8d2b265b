// With a program that stands for a kernel: it has functions, debug symbols and a version string.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { installPackage, mayInstall } from '../../../test/debian.ts';
import { decoded, kernelOf } from './symbols.ts';

const SOURCE = `const char banner[] = "Linux version 5.10.134-13.an8.x86_64 (mock@build) #1 SMP";
volatile int sink;
static inline __attribute__((always_inline)) void inner(int n) {
  sink = n / sink;
}
__attribute__((noinline)) void ext4_writepages(int n) {
  sink = n;
  inner(n);
}
int main(void) {
  ext4_writepages((int)sizeof banner);
  return 0;
}
`;

function noTools(): string | undefined {
  const missing = () => {
    try {
      for (const tool of ['gcc', 'nm', 'addr2line']) execFileSync(tool, ['--version'], { stdio: 'ignore' });
      return false;
    } catch {
      return true;
    }
  };
  const reason = missing() && mayInstall() ? installPackage('gcc', 'libc6-dev', 'binutils') : undefined;
  const why = reason ?? (missing() ? 'gcc and binutils are not installed' : undefined);
  if (why && process.env.CI) throw new Error(`the decoding of stacks must be tested in CI: ${why}`);
  return why;
}

describe('stacks with debug symbols', { skip: noTools() ?? false }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'drover-symbols-'));
  const vmlinux = join(dir, 'vmlinux');
  let size = '';
  after(() => rmSync(dir, { recursive: true, force: true }));
  before(() => {
    mkdirSync(join(dir, 'fs/ext4'), { recursive: true });
    writeFileSync(join(dir, 'fs/ext4/inode.c'), SOURCE);
    execFileSync('gcc', ['-g', '-O1', '-o', vmlinux, join(dir, 'fs/ext4/inode.c')]);
    const symbols = execFileSync('nm', ['-S', vmlinux], { encoding: 'utf8' });
    size = Number.parseInt(/ ([0-9a-f]+) T ext4_writepages/.exec(symbols)?.[1] ?? '', 16).toString(16);
  });
  it('have file and line after each frame, also of what was inlined', async () => {
    const log = `RIP: 0010:ext4_writepages+0x0/0x${size}\nCall Trace:\n ext4_writepages+0x${size}/0x${size}\n other+0x1/0x2\n in_module+0x1/0x2 [nvme]`;
    const lines = (await decoded(log, vmlinux)).split('\n');
    assert.match(lines[0] ?? '', / fs\/ext4\/inode\.c:\d+/);
    assert.match(lines[2] ?? '', / fs\/ext4\/inode\.c:\d+/);
    assert.deepEqual(lines.slice(3), [' other+0x1/0x2', ' in_module+0x1/0x2 [nvme]']);
  });
  it('know which kernel they are of', async () => {
    assert.equal(await kernelOf(vmlinux), '5.10.134-13.an8.x86_64');
    await assert.rejects(
      kernelOf(join(dir, 'fs/ext4/inode.c')).then(() => kernelOf(join(dir, 'none'))),
      /none/,
    );
  });
  it('are not there in a file without symbols, and a log without frames needs none', async () => {
    writeFileSync(join(dir, 'empty'), 'nothing');
    await assert.rejects(decoded('f+0x1/0x2', join(dir, 'empty')), /stacks can't be decoded: /);
    assert.equal(await decoded('no frames here', join(dir, 'empty')), 'no frames here');
  });
});
