// Runs benchmarks one after another, each in a process of its own: `npm run bench -- cache gate [--json]`.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';

const folder = join(import.meta.dirname, '..', 'bench');
const names = globSync('*.ts', { cwd: folder })
  .map((file) => basename(file, '.ts'))
  .filter((name) => name !== 'report')
  .sort();
const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const flags = process.argv.slice(2).filter((word) => word.startsWith('--'));
const unknown = wanted.filter((word) => !names.includes(word));
if (unknown.length > 0 || flags.some((flag) => flag !== '--json')) {
  console.error(`usage: npm run bench -- [--json] [${names.join('|')}] …`);
  process.exit(2);
}
for (const name of names.filter((name) => wanted.length === 0 || wanted.includes(name))) {
  const file = join(folder, `${name}.ts`);
  const { status } = spawnSync(process.execPath, ['--expose-gc', file, ...flags], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
