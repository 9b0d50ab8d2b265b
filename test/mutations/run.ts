import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Report } from '../../src/simulation/simulate.ts';
import type { Mutant } from './mutants.ts';

const root = join(import.meta.dirname, '../..');
/** A day takes some 15 s; a mutant that runs wild takes for ever. */
const LIFE_MS_MAX = 120_000;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/** Copies the sources, edits them, and lets the copy live through so many days of the seed. */
export function liveOf(mutant: Pick<Mutant, 'edits' | 'seed' | 'days'>): Report {
  const folder = mkdtempSync(join(tmpdir(), 'drover-mutant-'));
  try {
    cpSync(join(root, 'src'), join(folder, 'src'), { recursive: true });
    cpSync(join(root, 'package.json'), join(folder, 'package.json'));
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    for (const { file, from, to } of mutant.edits) {
      const path = join(folder, 'src', file);
      const text = readFileSync(path, 'utf8');
      // An edit that no longer fits would leave a healthy Drover, and a test that shows nothing.
      if (text.split(from).length !== 2) throw new Error(`${file}: not there exactly once: ${from}`);
      writeFileSync(path, text.replace(from, to));
    }
    const args = ['sim', '--seed', String(mutant.seed), '--days', String(mutant.days), '-o', 'json'];
    const { stdout, stderr } = spawnSync(process.execPath, [join(folder, 'src/cli/main.ts'), ...args], {
      encoding: 'utf8',
      maxBuffer: OUTPUT_BYTES_MAX,
      timeout: LIFE_MS_MAX,
    });
    if (!stdout.startsWith('{')) throw new Error(`the mutant did not live: ${stderr}`);
    return JSON.parse(stdout) as Report;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
