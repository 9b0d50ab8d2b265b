// A real sshd for tests, on a free port of the loopback, in a folder that goes away with it.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { SECOND } from '../../src/platform/clock/clock.ts';
import { systemClock } from '../../src/platform/clock/system.ts';
import { Processes } from '../control-plane/processes.ts';
import { installPackage, mayInstall } from '../debian.ts';
import { freePort } from '../free-ports.ts';

const READY_MS_MAX = 10 * SECOND;
const READY_POLL_MS = 20;
const NAME = 'sshd';
/** sshd separates privileges into this folder, which a package makes only when its service starts. */
const PRIVILEGE_FOLDER = '/run/sshd';

export interface Sshd extends AsyncDisposable {
  /** `host:port` */
  address: string;
  /** Stands still as on a host that hangs: the kernel goes on taking connections. */
  pause(): Promise<void>;
  resume(): void;
  /** Ends it and all that runs under it; the port is closed then. */
  kill(): Promise<void>;
  /** Its key, as it stands in a .pub file. */
  hostKey: string;
  /** Process of the sshd that takes connections. */
  pid(): number;
}

export interface SshdOptions {
  /** An address of the loopback: 127.0.0.2 is another host. */
  listen?: string;
  /** Lines of authorized_keys. */
  authorized?: readonly string[];
  /** Over the usual ones. */
  settings?: Readonly<Record<string, string>>;
  /** A certificate of a host CA for the key at this path. */
  certify?(hostKey: string): string;
  /** What starts it, and becomes it: in a namespace of its own, say. */
  within?: readonly string[] | ((folder: string) => readonly string[]);
}

/** Why there is no sshd here; undefined where there is one. Installs it where it may. In CI it must be there. */
export function noSshd(): string | undefined {
  const reason = findOrInstall();
  if (reason && process.env.CI) throw new Error(`sshd must be tested in CI: ${reason}`);
  return reason;
}

function findOrInstall(): string | undefined {
  const failure = !binary() && mayInstall() ? installPackage('openssh-server') : undefined;
  if (failure) return failure;
  if (!binary()) return 'no sshd on PATH or in /usr/sbin';
  if (process.getuid?.() === 0) mkdirSync(PRIVILEGE_FOLDER, { recursive: true });
  return undefined;
}

/** sshd wants to be called by its absolute path: it starts itself again for each connection. */
function binary(): string | undefined {
  const folders = ['/usr/sbin', '/usr/local/sbin', ...(process.env.PATH ?? '').split(delimiter)];
  return folders.map((folder) => join(folder, 'sshd')).find((path) => existsSync(path));
}

export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const { listen = '127.0.0.1', authorized = [], certify, within = [] } = options;
  const sshd = binary();
  if (!sshd) throw new Error('there is no sshd here: ask noSshd() first');
  const folder = mkdtempSync(join(tmpdir(), 'drover-sshd-'));
  // sshd reads authorized_keys as the user who logs in.
  chmodSync(folder, 0o755);
  const processes = new Processes(folder);
  const file = (name: string) => join(folder, name);
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file('hostkey')], { stdio: 'pipe' });
  const port = await freePort();
  writeFileSync(file('authorized_keys'), authorized.map((line) => `${line}\n`).join(''));
  if (certify) writeFileSync(file('hostkey-cert.pub'), `${certify(file('hostkey'))}\n`);
  const settings = {
    ListenAddress: listen,
    Port: port,
    HostKey: file('hostkey'),
    PidFile: file('sshd.pid'),
    AuthorizedKeysFile: file('authorized_keys'),
    StrictModes: 'no',
    UsePAM: 'no',
    PasswordAuthentication: 'no',
    KbdInteractiveAuthentication: 'no',
    // A bash that sshd calls reads its user's settings, which may take their time; one below another bash does not.
    SetEnv: 'SHLVL=2',
    ...(certify && { HostCertificate: file('hostkey-cert.pub') }),
    ...options.settings,
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key} ${value}\n`);
  writeFileSync(file('sshd_config'), lines.join(''));
  const [command, ...args] = [
    ...(typeof within === 'function' ? within(folder) : within),
    sshd,
    '-D',
    '-e',
    '-f',
    file('sshd_config'),
  ];
  processes.start(NAME, command as string, args);
  const deadline = systemClock.now() + READY_MS_MAX;
  // Not by a connection: it may stand in a network that we have no way to.
  while (!processes.logTail(NAME).includes('Server listening on')) {
    if (processes.isRunning(NAME) && systemClock.now() < deadline) {
      await systemClock.sleep(READY_POLL_MS);
      continue;
    }
    const log = processes.logTail(NAME);
    await processes.end();
    throw new Error(`sshd does not start:\n${log}`);
  }
  return {
    address: `${listen}:${port}`,
    hostKey: readFileSync(file('hostkey.pub'), 'utf8').trim(),
    pid: () => processes.pid(NAME) as number,
    pause: () => processes.pause(NAME),
    resume: () => processes.signal(NAME, 'SIGCONT'),
    kill: () => {
      killBelow(processes.pid(NAME));
      return processes.stop(NAME);
    },
    [Symbol.asyncDispose]: () => {
      killBelow(processes.pid(NAME));
      return processes.end();
    },
  };
}

/** Connections that were stopped, and commands that still run, would outlive it. */
function killBelow(pid: number | undefined): void {
  for (const child of pid === undefined ? [] : childrenOf(pid)) {
    killBelow(child);
    try {
      process.kill(child, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
}

/** None where there is no /proc. */
export function childrenOf(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return children.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
