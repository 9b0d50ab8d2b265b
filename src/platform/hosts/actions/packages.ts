// Installs one package, or one kernel, in exactly one version, and can hold it there. apt, dnf and yum.
import { z } from 'zod';
import { MINUTE, SECOND } from '../../clock/clock.ts';
import { action, badOutput, SAY_NO, script } from './action.ts';
import { keyed, quoted } from './lines.ts';

const INSTALL_MS_MAX = 15 * MINUTE;
/** Less than the whole, so that the host says itself what took so long. */
const INSTALL_S_MAX = (INSTALL_MS_MAX - MINUTE) / SECOND;
/** Another package manager at work, such as unattended upgrades. */
const LOCK_S_MAX = 2 * 60;

const packageName = z
  .string()
  .max(128)
  .regex(/^[A-Za-z0-9][A-Za-z0-9+._-]*$/, 'not a package name: letters, digits, + . _ -');
/** `1:2.36-9+deb12u4`, `5.10.134-16.1.al8`; `~` and `^` sort before and after. */
const version = z
  .string()
  .max(128)
  .regex(/^[0-9][A-Za-z0-9+.:~^_-]*$/, 'not a version: begins with a digit; letters, digits, + . : ~ ^ _ -');
/** As `uname -r` says it: `6.1.0-18-amd64`, `5.14.0-427.el9.x86_64`. */
export const kernelRelease = z
  .string()
  .max(128)
  .regex(/^[0-9][A-Za-z0-9+.~_-]*$/, 'not a kernel release: begins with a digit; letters, digits, + . ~ _ -');

/** Kept in step with the schemas above; `..` would leave /boot. */
export const CHECK_RELEASE = `case "$1" in [!0-9]*|''|*[!A-Za-z0-9+.~_-]*|*..*) refuse 'not a kernel release';; esac;`;
const CHECK_NAME = `case "$1" in [!A-Za-z0-9]*|''|*[!A-Za-z0-9+._-]*) refuse 'not a package name';; esac;`;
const CHECK_VERSION = `case "$2" in [!0-9]*|''|*[!A-Za-z0-9+.:~^_-]*) refuse 'not a version';; esac;`;
const CHECK_HOLD = (at: number) =>
  `case "$${at}" in hold|free) ;; *) refuse 'hold must be hold or free';; esac;`;

// Written apart, so that no shell form looks like one of TypeScript's.
const DPKG_VERSION = '$' + '{db:Status-Status} $' + '{Version}';

/** Functions that say `has NAME` (the installed version), `get NAME VERSION`, `keep NAME`, for whoever manages packages. */
const MANAGER = String.raw`
  if command -v apt-get >/dev/null; then
    has() { dpkg-query --show --showformat='${DPKG_VERSION}\n' -- "$1" 2>/dev/null | awk '$1 == "installed" { print $2; exit }'; };
    apt() { DEBIAN_FRONTEND=noninteractive timeout ${INSTALL_S_MAX} apt-get --quiet --yes -o DPkg::Lock::Timeout=${LOCK_S_MAX} "$@" >&2; };
    get() { apt update; apt install --no-install-recommends --allow-downgrades --allow-change-held-packages -o Dpkg::Options::=--force-confold -- "$1=$2"; };
    keep() { apt-mark hold -- "$1" >&2; };
    held() { apt-mark showhold | grep -Fxc -- "$1"; };
    image() { echo "linux-image-$1"; };
  elif command -v dnf >/dev/null || command -v yum >/dev/null; then
    tool=dnf; command -v dnf >/dev/null || tool=yum;
    has() { rpm --query --queryformat '%{VERSION}-%{RELEASE}\n' -- "$1" 2>/dev/null | tail -n 1 | grep -v ' '; };
    get() { timeout ${INSTALL_S_MAX} "$tool" --assumeyes install "$1-$2" >&2; };
    keep() { "$tool" --assumeyes versionlock add "$1" >&2; };
    held() { "$tool" --quiet versionlock list | grep -Fc -- "$1"; };
    image() { echo kernel; };
  else cannot 'neither apt-get, dnf nor yum is here'; fi;`;

const PACKAGE = `
  ${SAY_NO}
  [ "$#" -eq 3 ] || refuse 'a name, a version and hold are wanted';
  ${CHECK_NAME} ${CHECK_VERSION} ${CHECK_HOLD(3)}
  ${MANAGER}
  printf 'before\\t%s\\n' "$(has "$1")";
  get "$1" "$2" || cannot "the package manager could not install $1 in version $2";
  if [ "$3" = hold ]; then keep "$1" || cannot "$1 is installed but could not be held"; fi;
  printf 'after\\t%s\\nheld\\t%s\\n' "$(has "$1")" "$(held "$1")"`;

export interface Installed {
  /** Empty where it was not installed. */
  before: string;
  after: string;
  held: boolean;
}

export const installPackage = action({
  about: 'installs a package in one version',
  params: z.strictObject({ name: packageName, version, hold: z.boolean() }),
  root: true,
  timeout_ms: INSTALL_MS_MAX,
  output_bytes_max: 16 * 1024,
  script: script(PACKAGE),
  args: ({ name, version, hold }) => [name, version, hold ? 'hold' : 'free'],
  parse: (output, { name, version, hold }): Installed => {
    const found = keyed(output);
    const read = (key: string) => found.get(key)?.[0] ?? '';
    const after = read('after');
    const held = /^[1-9]/.test(read('held'));
    // rpm leaves the epoch out.
    if (after.replace(/^\d+:/, '') !== version.replace(/^\d+:/, ''))
      throw badOutput(`${name} is in version ${quoted(after)} afterwards, not ${version}`);
    if (hold && !held) throw badOutput(`${name} is installed but not held`);
    return { before: read('before'), after, held };
  },
});

const KERNEL = `
  ${SAY_NO}
  [ "$#" -eq 2 ] || refuse 'a kernel release and hold are wanted';
  ${CHECK_RELEASE} ${CHECK_HOLD(2)}
  ${MANAGER}
  name=$(image "$1");
  if [ "$name" = kernel ]; then get kernel "$1"; else apt update; apt install --no-install-recommends -- "$name"; fi ||
    cannot "the package manager could not install the kernel $1";
  [ -e "/boot/vmlinuz-$1" ] || cannot "installed, but there is no /boot/vmlinuz-$1";
  [ -d "/lib/modules/$1" ] || cannot "installed, but there is no /lib/modules/$1";
  if [ "$2" = hold ]; then keep "$name" || cannot "$name is installed but could not be held"; fi;
  printf 'kernel\\t%s\\nheld\\t%s\\nrunning\\t%s\\n' "$1" "$(held "$name")" "$(uname -r)"`;

export interface InstalledKernel {
  kernel: string;
  /** What runs until the next boot. */
  running: string;
  held: boolean;
}

export const installKernel = action({
  about: 'installs a kernel beside those there are; a boot takes it up',
  params: z.strictObject({
    version: kernelRelease.refine((text) => !text.includes('..'), 'has ..'),
    hold: z.boolean(),
  }),
  root: true,
  timeout_ms: INSTALL_MS_MAX,
  output_bytes_max: 16 * 1024,
  script: script(KERNEL),
  args: ({ version, hold }) => [version, hold ? 'hold' : 'free'],
  parse: (output, { version, hold }): InstalledKernel => {
    const found = keyed(output);
    const read = (key: string) => found.get(key)?.[0] ?? '';
    const held = /^[1-9]/.test(read('held'));
    if (read('kernel') !== version)
      throw badOutput(`${version} was asked for, ${quoted(read('kernel'))} came`);
    if (hold && !held) throw badOutput(`kernel ${version} is installed but not held`);
    return { kernel: version, running: read('running'), held };
  },
});
