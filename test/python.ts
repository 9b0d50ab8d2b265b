// Packages of PyPI that a test needs: each set in a virtual environment of its own, made once and kept.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { MINUTE } from '../src/platform/clock/clock.ts';
import { cacheFolder } from './control-plane/build.ts';
import { installPackage, mayInstall } from './debian.ts';

const INSTALL_MS_MAX = 5 * MINUTE;

/**
 * The folder of programs of an environment with these packages (`name==version`), or why there is none. It was moved
 * after it was made, so its programs are started as `FOLDER/python FOLDER/PROGRAM`.
 */
export function pythonWith(...packages: string[]): { folder: string } | { reason: string } {
  const found = environmentOf(packages);
  if ('reason' in found && process.env.CI)
    throw new Error(`${packages.join(', ')} must be there in CI: ${found.reason}`);
  return found;
}

function environmentOf(packages: readonly string[]): { folder: string } | { reason: string } {
  const name = createHash('sha256').update(packages.join(' ')).digest('hex').slice(0, 12);
  const home = join(cacheFolder(), 'python', name);
  const folder = join(home, 'bin');
  if (existsSync(folder)) return { folder };
  const options = { timeout: INSTALL_MS_MAX, stdio: 'pipe' } as const;
  const making = `${home}.${process.pid}`;
  try {
    mkdirSync(join(cacheFolder(), 'python'), { recursive: true });
    const missing = makeEnvironment(making);
    if (missing) return { reason: missing };
    const quiet = ['--quiet', '--disable-pip-version-check'];
    execFileSync(join(making, 'bin', 'python'), ['-m', 'pip', 'install', ...quiet, ...packages], options);
    if (!existsSync(home)) renameSync(making, home);
    return { folder };
  } catch (error) {
    rmSync(making, { recursive: true, force: true });
    return { reason: `pip could not install ${packages.join(', ')}: ${String(error).slice(0, 300)}` };
  }
}

function makeEnvironment(folder: string): string | undefined {
  const make = () =>
    execFileSync('python3', ['-m', 'venv', folder], { timeout: INSTALL_MS_MAX, stdio: 'pipe' });
  try {
    make();
    return undefined;
  } catch {
    const refused = mayInstall()
      ? installPackage('python3', 'python3-venv', 'python3-pip')
      : 'no python3 with venv';
    if (refused) return refused;
    make();
    return undefined;
  }
}
