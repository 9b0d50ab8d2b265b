// The way of scripts/ecs-scale-out.ts, shorter.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const script = join(import.meta.dirname, '../../scripts/ecs-scale-out.ts');

for (const { what, vcpus } of [
  { what: 'machines are bought', vcpus: '128' },
  { what: 'machines are bought by auto-provisioning groups', vcpus: '64' },
])
  test(`${what}, none lost and none twice, by a process that is killed on the way`, async () => {
    const args = [
      script,
      '--machines',
      '600',
      '--kills',
      '4',
      '--seed',
      '3',
      '--speed',
      '100',
      '--vcpus',
      vcpus,
    ];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 180_000 });
    const { had, there, leaked, duplicates, killed } = JSON.parse(
      stdout.slice(stdout.indexOf('\n{')),
    ) as Record<string, number>;
    assert.deepEqual(
      { had, there, leaked, duplicates, killed },
      { had: 600, there: 600, leaked: 0, duplicates: 0, killed: 4 },
    );
  });
