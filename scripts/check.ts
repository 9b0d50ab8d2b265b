// One command for all that can be said without running the code: types, lint and format, what is generated,
// which room imports which, and the house rules that a machine can hold.
import { spawnSync } from 'node:child_process';
import { tidy } from './tidy.ts';

const CHECKS: readonly { name: string; command: readonly string[] }[] = [
  { name: 'types', command: ['tsc', '--noEmit'] },
  { name: 'lint and format', command: ['biome', 'check', '--error-on-warnings'] },
  { name: 'generated files', command: ['node', 'scripts/generate.ts', '--check'] },
];

let failed = 0;
for (const { name, command } of CHECKS) {
  const [program, ...args] = command;
  const { status } = spawnSync(program as string, args, { stdio: 'inherit' });
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${name}`);
  if (status !== 0) failed++;
}
const complaints = tidy();
for (const complaint of complaints) console.log(complaint);
console.log(`${complaints.length === 0 ? 'ok  ' : 'FAIL'} tidy`);
process.exitCode = failed + complaints.length > 0 ? 1 : 0;
