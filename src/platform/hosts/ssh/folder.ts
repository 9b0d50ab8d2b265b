// Where ssh finds what it needs: a private folder that goes away with the shell.
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SECOND } from '../../clock/clock.ts';
import { HostError } from '../host.ts';
import type { Settings } from './options.ts';

const KEYGEN_MS_MAX = 10 * SECOND;
const ONLY_MINE = 0o600;

export interface Credentials {
  /** Paths; none with an agent. */
  key?: string;
  certificate?: string;
  agentSocket?: string;
  /** When the certificate is valid, epoch milliseconds. */
  valid?: { from_ms: number; until_ms: number };
}

export interface SshFolder {
  path: string;
  knownHosts: string;
  own: Credentials;
  jump?: Credentials;
  remove(): void;
}

/** What is left to be removed should the process end before its shells. */
const folders = new Set<string>();
const removeAll = () => {
  for (const path of folders) rmSync(path, { recursive: true, force: true });
};

/** mkdtemp makes it readable by us alone. A process that is killed outright leaves it behind. */
export async function makeFolder(settings: Settings): Promise<SshFolder> {
  const path = await mkdtemp(join(tmpdir(), 'drover-ssh-'));
  // ssh puts its own words for % and cuts lists of files at spaces.
  if (/[\s%"$]/.test(path))
    throw new HostError(`${path}: TMPDIR must have no space, %, " or $ in it`, 'Refused');
  const remove = () => {
    folders.delete(path);
    rmSync(path, { recursive: true, force: true });
  };
  if (folders.size === 0 && !process.listeners('exit').includes(removeAll)) process.once('exit', removeAll);
  folders.add(path);
  try {
    const knownHosts = join(path, 'known_hosts');
    await writeFile(knownHosts, settings.knownHosts, { mode: ONLY_MINE });
    const own = await credentialsIn(path, 'own', settings);
    const jump = settings.jump && (await credentialsIn(path, 'jump', settings.jump));
    return { path, knownHosts, own, ...(jump && { jump }), remove };
  } catch (error) {
    remove();
    throw error;
  }
}

async function credentialsIn(
  folder: string,
  name: string,
  { keys, agentSocket }: Pick<Settings, 'keys' | 'agentSocket'>,
): Promise<Credentials> {
  if (!keys) return agentSocket ? { agentSocket } : {};
  const key = join(folder, name);
  // Secrets are often stored without the last line end, and ssh wants it.
  await writeFile(key, `${keys.privateKey.trim()}\n`, { mode: ONLY_MINE });
  if (!keys.certificate) return { key };
  const certificate = `${key}-cert.pub`;
  await writeFile(certificate, `${keys.certificate.trim()}\n`, { mode: ONLY_MINE });
  return { key, certificate, valid: await validityOf(certificate) };
}

/** A host says of an expired certificate what it says of any key: denied. So we look ourselves. */
async function validityOf(certificate: string): Promise<{ from_ms: number; until_ms: number }> {
  const env = { ...process.env, TZ: 'UTC', LC_ALL: 'C' };
  const keygen = promisify(execFile)('ssh-keygen', ['-L', '-f', certificate], {
    env,
    timeout: KEYGEN_MS_MAX,
  });
  const { stdout } = await keygen.catch((error) => {
    throw new HostError(`the certificate cannot be read: ${String(error.message).slice(0, 300)}`, 'Refused');
  });
  // `from X to Y`, `after X`, `before Y` or `forever`.
  const line = /^\s*Valid: (.*)$/m.exec(stdout)?.[1] ?? '';
  const time = (words: RegExp) => {
    const found = words.exec(line)?.[1];
    return found ? Date.parse(`${found}Z`) : undefined;
  };
  return {
    from_ms: time(/(?:from|after) (\S+)/) ?? Number.NEGATIVE_INFINITY,
    until_ms: time(/(?:to|before) (\S+)/) ?? Number.POSITIVE_INFINITY,
  };
}
