// Runs every test there is, with the real control plane built first. Ends with `N passed, N failed`.

import { globSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { controlPlaneBinaries } from '../test/control-plane/build.ts';

/** One file may hold the whole story of a fleet on a real control plane. */
const FILE_TIMEOUT_MS = 20 * 60_000;
/** Two cores: more files at once only make them wait for each other. */
const CONCURRENCY = 2;

const root = join(import.meta.dirname, '..');
const wanted = process.argv.slice(2);
const found = globSync(['src/**/*.test.ts', 'test/**/*.test.ts'], { cwd: root }).sort();
const files = found.filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)));
if (files.length === 0) {
  console.error(`no test file matches ${wanted.join(' ')}`);
  process.exit(2);
}
if (files.some((file) => file.startsWith('test/'))) await controlPlaneBinaries((line) => console.log(line));

let passed = 0;
let failed = 0;
let skipped = 0;
const inCi = process.env.CI !== undefined;
const stream = run({
  files: files.map((file) => join(root, file)),
  concurrency: CONCURRENCY,
  timeout: FILE_TIMEOUT_MS,
});
// Suites and files are not tests: only what asserts something is counted.
stream.on('test:pass', ({ name, skip, details }) => {
  if (details.type === 'suite' || name.endsWith('.test.ts')) return;
  if (skip === undefined || skip === false) passed++;
  else skipped++;
});
stream.on('test:fail', ({ name, details }) => {
  if (details.type === 'suite' && !name.endsWith('.test.ts')) return;
  failed++;
});
stream.compose(spec).pipe(process.stdout);
stream.on('end', () => {
  // In CI nothing may be skipped: what could not run has not passed.
  const bad = failed + (inCi ? skipped : 0);
  process.exitCode = bad > 0 || passed === 0 ? 1 : 0;
  setImmediate(() =>
    console.log(`\n${passed} passed, ${bad} failed${skipped > 0 && !inCi ? `, ${skipped} skipped` : ''}`),
  );
});
