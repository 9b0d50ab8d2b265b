// Packages of Debian that a test needs and may install.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { MINUTE, SECOND } from '../src/platform/clock/clock.ts';

const INSTALL_MS_MAX = 5 * MINUTE;
/** Another test file may be installing at the same time. */
const LOCK_S_MAX = (3 * MINUTE) / SECOND;

/** Whether this process may install packages at all. */
export function mayInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version');
}

/** Installs packages; why it could not, where it could not. */
export function installPackage(...names: string[]): string | undefined {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const options = { timeout: INSTALL_MS_MAX, stdio: 'pipe', env } as const;
  const wait = ['-o', `DPkg::Lock::Timeout=${LOCK_S_MAX}`];
  try {
    execFileSync('apt-get', [...wait, 'update'], options);
    execFileSync('apt-get', [...wait, 'install', '--yes', '--no-install-recommends', ...names], options);
  } catch (error) {
    return `apt-get could not install the package ${names.join(', ')}: ${String(error).split('\n')[0]}`;
  }
  return undefined;
}

/** Why there is none of these programs here; installs what may be. In CI they must be there. */
export function missingPrograms(
  packages: readonly string[],
  programs: readonly string[],
): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const missing = () => programs.filter((name) => !folders.some((folder) => existsSync(join(folder, name))));
  if (missing().length === 0) return undefined;
  const reason = mayInstall() ? installPackage(...packages) : `no ${missing().join(', ')} on the PATH`;
  if (reason && process.env.CI) throw new Error(`${missing().join(', ')} must be there in CI: ${reason}`);
  return reason;
}
