// The arguments of ssh(1). No shell stands between us and it, nothing is read from a user's or the system's settings, and
// a host whose key is not known is never talked to.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { HostRef } from '../host.ts';
import type { Credentials, SshFolder } from './folder.ts';
import { SOCKET_PREFIX } from './masters.ts';
import { placeOf, type Settings } from './options.ts';
import { quoteWord, quoteWords } from './quote.ts';
import { SHELL } from './sudoers.ts';
import { wireScript } from './wire.ts';

/** So many unanswered asks after a login, each `alive_s` apart, and the host is lost. */
const ALIVE_ASKS = 2;

const ALWAYS = [
  'BatchMode=yes',
  'StrictHostKeyChecking=yes',
  'GlobalKnownHostsFile=/dev/null',
  'UpdateHostKeys=no',
  'VerifyHostKeyDNS=no',
  'CheckHostIP=no',
  'PreferredAuthentications=publickey',
  'PubkeyAuthentication=yes',
  'ConnectionAttempts=1',
  'ForwardAgent=no',
  'ForwardX11=no',
  'ClearAllForwardings=yes',
  'PermitLocalCommand=no',
  'AddKeysToAgent=no',
  'RequestTTY=no',
];

/** What ssh says of itself goes to `log`: on stderr the host could put words into its mouth. */
export function sshArgs(
  host: HostRef,
  command: string,
  folder: SshFolder,
  settings: Settings,
  log: string,
): string[] {
  const { host: name, port } = placeOf(host.ssh, settings.port);
  const options = [
    ...common(folder, settings, folder.own),
    // Says when it is logged in.
    'LogLevel=VERBOSE',
    ...(settings.knownAs === 'Id' ? [`HostKeyAlias=${aliasOf(host.id)}`] : []),
    ...(settings.jump ? [`ProxyCommand=${jumpCommand(name, port, folder, settings, log)}`] : []),
    ...(settings.reuse_s > 0
      ? [
          'ControlMaster=auto',
          `ControlPath=${controlPath(host, folder, settings)}`,
          `ControlPersist=${settings.reuse_s}`,
        ]
      : ['ControlMaster=no', 'ControlPath=none']),
  ];
  return [...flags(options, log), '-T', '-p', String(port), '-l', settings.user, '--', name, command];
}

/**
 * Not `-J`: the ssh that it starts gets none of these options and would read the user's own settings. ssh hands this to a
 * shell, after it has put its own words for each `%`.
 */
function jumpCommand(name: string, port: number, folder: SshFolder, settings: Settings, log: string): string {
  const { jump } = settings;
  if (!jump) throw new Error('there is no jump host');
  const options = [...common(folder, settings, folder.jump ?? {}), 'LogLevel=ERROR', 'ControlPath=none'];
  const args = ['-W', `[${name}]:${port}`, '-p', String(jump.port ?? 22), '-l', jump.user, '--', jump.host];
  return quoteWords(['ssh', ...flags(options, log), ...args]).replaceAll('%', '%%');
}

function common(folder: SshFolder, settings: Settings, own: Credentials): string[] {
  return [
    ...ALWAYS,
    ...(settings.keyExchange === 'Quick' ? ['KexAlgorithms=^curve25519-sha256'] : []),
    `UserKnownHostsFile=${folder.knownHosts}`,
    `ConnectTimeout=${settings.connect_s}`,
    `ServerAliveInterval=${settings.alive_s}`,
    `ServerAliveCountMax=${ALIVE_ASKS}`,
    ...(own.key
      ? ['IdentityAgent=none', 'IdentitiesOnly=yes', `IdentityFile=${own.key}`]
      : ['IdentityFile=none', `IdentityAgent=${own.agentSocket ?? 'none'}`]),
    ...(own.certificate ? [`CertificateFile=${own.certificate}`] : []),
  ];
}

const flags = (options: readonly string[], log: string) => [
  '-F',
  'none',
  '-E',
  log,
  ...options.flatMap((option) => ['-o', option]),
];

/** Names in known_hosts have no spaces, commas or wildcards. */
function aliasOf(id: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._:-]{0,252}$/.test(id))
    throw new Error(
      `${JSON.stringify(id.slice(0, 300))} cannot be a name in known hosts: letters, digits, . _ : -`,
    );
  return id;
}

/** A socket's path has 107 bytes at most, of which ssh needs 17 while it makes one. */
export function controlPath({ id, ssh }: HostRef, folder: SshFolder, { user }: Settings): string {
  const name = createHash('sha256')
    .update(JSON.stringify([user, ssh, id]))
    .digest('hex')
    .slice(0, 16);
  return join(folder.path, `${SOCKET_PREFIX}${name}`);
}

/** What the host is asked to run: the same for every run of an action. */
export function remoteCommand(script: string, asRoot: 'Sudo' | 'AsIs'): string {
  const words = `${SHELL} -c ${quoteWord(wireScript(script))}`;
  return asRoot === 'Sudo' ? `sudo -n -- ${words}` : words;
}
