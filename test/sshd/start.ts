// A real sshd for tests, on a free port of the loopback, in a folder that goes away with it.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
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
  /** Ends it; the port is closed then. */
  kill(): Promise<void>;
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

export async function startSshd(): Promise<Sshd> {
  const sshd = binary();
  if (!sshd) throw new Error('there is no sshd here: ask noSshd() first');
  const folder = mkdtempSync(join(tmpdir(), 'drover-sshd-'));
  const processes = new Processes(folder);
  const file = (name: string) => join(folder, name);
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file('hostkey')], { stdio: 'pipe' });
  const port = await freePort();
  const settings = {
    ListenAddress: '127.0.0.1',
    Port: port,
    HostKey: file('hostkey'),
    PidFile: file('sshd.pid'),
    AuthorizedKeysFile: file('authorized_keys'),
    StrictModes: 'no',
    UsePAM: 'no',
    PasswordAuthentication: 'no',
    KbdInteractiveAuthentication: 'no',
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key} ${value}\n`);
  writeFileSync(file('sshd_config'), lines.join(''));
  processes.start(NAME, sshd, ['-D', '-e', '-f', file('sshd_config')]);
  const deadline = systemClock.now() + READY_MS_MAX;
  while (!(await takesConnections(port))) {
    if (processes.isRunning(NAME) && systemClock.now() < deadline) {
      await systemClock.sleep(READY_POLL_MS);
      continue;
    }
    const log = processes.logTail(NAME);
    await processes.end();
    throw new Error(`sshd does not start:\n${log}`);
  }
  return {
    address: `127.0.0.1:${port}`,
    pause: () => processes.pause(NAME),
    resume: () => processes.signal(NAME, 'SIGCONT'),
    kill: () => processes.stop(NAME),
    [Symbol.asyncDispose]: () => processes.end(),
  };
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
