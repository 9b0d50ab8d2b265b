// A host for tests: a real sshd that sees a file system of its own. In a private mount namespace /etc, /usr, /var and /boot
// are overlays whose changes stay in memory, so that Drover's fixed folders need no other place in tests, and what it
// removes, installs or reboots is never the machine that the tests run on. There is no systemd there: systemctl, kexec,
// crictl and the package manager are small scripts, first on the path, that write down what they are asked.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { missingPrograms } from '../debian.ts';
import { noSshd, type Sshd, type SshdOptions, startSshd } from './start.ts';

/** Where fakes write their arguments, one line a call. */
const CALLS = '/var/calls';
export const USER = 'drover';

/** What stands in for programs that this machine does not have, or must not run. */
const FAKES: Readonly<Record<string, string>> = {
  systemctl: `
    case "$*" in
      *restart*) [ -e /var/broken ] && exit 1; echo restarted >/var/restarted;;
      *show*) active=inactive; [ -e /var/restarted ] && active=active;
        for last in "$@"; do :; done;
        printf 'Id=%s.service\\nLoadState=loaded\\nActiveState=%s\\nSubState=running\\nResult=success\\nNRestarts=2\\nStateChangeTimestampMonotonic=1000000\\n' "$last" "$active";;
    esac`,
  journalctl: 'for n in 1 2 3 4; do echo "line $n"; done',
  kexec: ':',
  'apt-get': `for last in "$@"; do :; done; case "$*" in *install*) echo "$last" >/var/installed;; esac`,
  'apt-mark': `case "$1" in hold) for last in "$@"; do :; done; echo "$last" >/var/held;; showhold) cat /var/held 2>/dev/null;; esac`,
  'dpkg-query': `[ -e /var/installed ] && sed 's/^[^=]*=/installed /' /var/installed`,
  crictl: `
    case "$*" in
      *images*) if [ -e /var/pruned ]; then echo '{"images": [{"id": "sha256:a", "size": "10", "repoTags": ["used:1"]}]}';
        else echo '{"images": [{"id": "sha256:a", "size": "10", "repoTags": ["used:1"]}, {"id": "sha256:b", "size": "20", "repoTags": ["old:1"]}]}'; fi;;
      *ps*) echo '{"containers": [{"imageRef": "sha256:a"}]}';;
      *rmi*) : >/var/pruned;;
    esac`,
};

const OVERLAID = ['etc', 'usr', 'var', 'boot'];

/** $1 is the folder of sshd's settings, $2 more to do; the rest becomes sshd. */
const SETUP = `
set -e
mount -t tmpfs -o size=64m,mode=0755 tmpfs /media
for d in ${OVERLAID.join(' ')}; do
  mkdir "/media/$d" "/media/$d-work"
  mount -t overlay overlay -o "lowerdir=/$d,upperdir=/media/$d,workdir=/media/$d-work" "/$d"
done
mkdir /media/keep
mount --bind "$1" /media/keep
mount -t tmpfs -o size=8m,mode=1777 tmpfs /tmp
mkdir -p "$1"
mount --bind /media/keep "$1"
if [ -e /proc/sysrq-trigger ]; then : >/media/sysrq; mount --bind /media/sysrq /proc/sysrq-trigger; fi
f=/sys/kernel/kexec_crash_loaded
if [ -e "$f" ]; then echo 0 >/media/loaded; mount --bind /media/loaded "$f"; fi
echo '${USER}:x:4242:4242::/:/bin/sh' >>/etc/passwd
echo '${USER}:*:19000:0:99999:7:::' >>/etc/shadow
echo '${USER}:x:4242:' >>/etc/group
eval "$2"
shift 2
exec "$@"
`;

/** Why there are no such machines here; in CI they must be. */
export function noMachines(): string | undefined {
  const sshd = noSshd();
  if (sshd) return sshd;
  const reason = whyNot();
  if (reason && process.env.CI) throw new Error(`hosts must be tested in CI: ${reason}`);
  // It must be there before the first machine is: what comes later into /usr is not seen in its overlay for sure.
  return reason ?? missingPrograms(['sudo'], ['sudo']);
}

function whyNot(): string | undefined {
  if (process.getuid?.() !== 0) return 'mount namespaces want root';
  const mounts =
    'mount -t tmpfs t /media && mkdir /media/u /media/w && mount -t overlay o -o lowerdir=/etc,upperdir=/media/u,workdir=/media/w /etc';
  try {
    execFileSync('unshare', ['-m', 'sh', '-c', mounts], { stdio: 'pipe' });
  } catch (error) {
    return `no overlay in a mount namespace of our own: ${String(error).split('\n')[0]}`;
  }
  return undefined;
}

export interface Machine extends Sshd {
  /** A file of the machine as we reach it. */
  at(path: string): string;
  write(path: string, text: string | Buffer): void;
  read(path: string): string;
  /** What the fakes were asked, one line each. */
  calls(): string[];
}

export interface MachineOptions extends SshdOptions {
  /** sh, run as root before sshd starts: more mounts, say. */
  prepare?: string;
  sudoers?: string;
}

export async function startMachine({
  prepare = '',
  sudoers,
  within = [],
  ...options
}: MachineOptions): Promise<Machine> {
  const setup = ['unshare', '-m', 'sh', '-c', SETUP, 'setup'];
  const sshd = await startSshd({
    ...options,
    within: (folder) => [...ranIn(within, folder), ...setup, folder, prepare],
  });
  const at = (path: string) => join(`/proc/${sshd.pid()}/root`, path);
  const write = (path: string, text: string | Buffer, mode = 0o644) => {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), text, { mode });
  };
  for (const [name, text] of Object.entries(FAKES)) {
    const record = `echo "${name} $*" >>${CALLS}`;
    write(`/usr/sbin/${name}`, `#!/bin/sh\n${record}\n${text}\n`, 0o755);
  }
  write(CALLS, '', 0o666);
  if (sudoers !== undefined) write('/etc/sudoers.d/drover', sudoers, 0o440);
  return {
    ...sshd,
    at,
    write,
    read: (path) => readFileSync(at(path), 'utf8'),
    calls: () => readFileSync(at(CALLS), 'utf8').split('\n').slice(0, -1),
  };
}

const ranIn = (within: NonNullable<SshdOptions['within']>, folder: string) =>
  typeof within === 'function' ? within(folder) : within;
