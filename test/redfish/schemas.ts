// The CSDL files of the DMTF (DSP8010), which the service validator reads and no PyPI package has: a crate
// bundles them. Cargo only fetches it; nothing of it is compiled or run.

import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MINUTE } from '../../src/platform/clock/clock.ts';
import { cacheFolder } from '../control-plane/build.ts';
import { installPackage, mayInstall } from '../debian.ts';

const CRATE = 'nv-redfish-schema';
const FETCH_MS_MAX = 5 * MINUTE;
const METADATA_BYTES_MAX = 16 * 1024 * 1024;

/** The folder of `*_v1.xml` files, or why it cannot be had. In CI it must be there. */
export function redfishSchemas(): { folder: string } | { reason: string } {
  const found = fetched();
  if ('reason' in found && process.env.CI)
    throw new Error(`the CSDL files must be there in CI: ${found.reason}`);
  return found;
}

function fetched(): { folder: string } | { reason: string } {
  const refused = hasCargo()
    ? undefined
    : mayInstall()
      ? installPackage('cargo')
      : 'no cargo to fetch a crate with';
  if (refused) return { reason: refused };
  // Outside of the checkout: cargo writes a lock file beside the manifest.
  const home = join(cacheFolder(), 'redfish-schemas');
  mkdirSync(home, { recursive: true });
  for (const file of ['Cargo.toml', 'none.rs'])
    copyFileSync(join(import.meta.dirname, 'schemas', file), join(home, file));
  try {
    return folderOf(cargo('metadata', '--format-version', '1', '--manifest-path', join(home, 'Cargo.toml')));
  } catch (error) {
    return { reason: `cargo could not fetch ${CRATE}: ${String(error).slice(0, 300)}` };
  }
}

function folderOf(metadata: string): { folder: string } | { reason: string } {
  const { packages } = JSON.parse(metadata) as { packages: { name: string; manifest_path: string }[] };
  const found = packages.find(({ name }) => name === CRATE);
  const folder = found && join(dirname(found.manifest_path), 'redfish-csdl', 'csdl');
  if (folder && existsSync(folder)) return { folder };
  return { reason: `${CRATE} has no redfish-csdl/csdl in it: was its layout changed?` };
}

function hasCargo(): boolean {
  try {
    cargo('--version');
    return true;
  } catch {
    return false;
  }
}

function cargo(...args: string[]): string {
  const options = { timeout: FETCH_MS_MAX, maxBuffer: METADATA_BYTES_MAX, stdio: 'pipe' } as const;
  return execFileSync('cargo', args, options).toString();
}
