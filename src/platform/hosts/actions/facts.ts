// What a host is: boot, kernel, distribution, hardware.
import { z } from 'zod';
import { SECOND } from '../../clock/clock.ts';
import { action, badOutput, script } from './action.ts';
import { countOf, keyed, numberOf, quoted } from './lines.ts';
import { cpusIn } from './load.ts';

export interface Facts {
  /** Changes with each boot and at no other time. */
  bootId: string;
  kernel: string;
  commandLine: string;
  architecture: string;
  /** From os-release: `rhel`, `8.10`, `Red Hat Enterprise Linux 8.10 (Ootpa)`. */
  os: { id?: string; version?: string; name?: string };
  /** From DMI; absent where the machine does not say. */
  vendor?: string;
  product?: string;
  serial?: string;
  cpus: number;
  cpuModel?: string;
  memory_bytes: number;
  uptime_s: number;
  /** Whether a crash kernel is loaded. */
  kdumpArmed: boolean;
  /** Letters as the kernel prints them in an oops, empty when clean. */
  tainted: string;
  pendingReboot: 'Yes' | 'No' | 'Unknown';
}

/** Bit by bit from 0, Documentation/admin-guide/tainted-kernels.rst. */
const TAINTS = 'PFSRMBUDAWCIOELKXTNJ';

const SCRIPT = String.raw`
  say() { printf '%s\t%s\n' "$1" "$( { tr -d '\000' <"$2" | head -c 4096 | head -n 1 | tr '\t' ' '; } 2>/dev/null)"; };
  say bootId /proc/sys/kernel/random/boot_id;
  say kernel /proc/sys/kernel/osrelease;
  say commandLine /proc/cmdline;
  say vendor /sys/class/dmi/id/sys_vendor;
  say product /sys/class/dmi/id/product_name;
  say serial /sys/class/dmi/id/product_serial;
  say cpus /sys/devices/system/cpu/online;
  say uptime /proc/uptime;
  say kdump /sys/kernel/kexec_crash_loaded;
  say tainted /proc/sys/kernel/tainted;
  printf 'architecture\t%s\n' "$(uname -m)";
  printf 'memory_kb\t%s\n' "$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)";
  printf 'cpuModel\t%s\n' "$(awk -F ': *' '/^model name/ { print $2; exit }' /proc/cpuinfo)";
  grep -E '^(ID|VERSION_ID|PRETTY_NAME)=' /etc/os-release | head -n 10 | while read -r line; do printf 'os\t%s\n' "$line"; done;
  pending=Unknown;
  if [ -e /run/reboot-required ]; then pending=Yes;
  elif command -v needs-restarting >/dev/null; then
    timeout 20 needs-restarting -r >/dev/null 2>&1; case "$?" in 0) pending=No;; 1) pending=Yes;; esac;
  elif [ -e /var/lib/dpkg/status ]; then pending=No; fi;
  printf 'pendingReboot\t%s\n' "$pending"`;

export const facts = action({
  about: 'reads what the machine is: boot, kernel, hardware',
  params: z.strictObject({}),
  // The serial number is readable by root alone.
  root: true,
  timeout_ms: 30 * SECOND,
  output_bytes_max: 64 * 1024,
  script: script(SCRIPT),
  args: () => [],
  parse: factsIn,
});

function factsIn(output: Buffer): Facts {
  const found = keyed(output);
  const read = (name: string) => found.get(name)?.[0]?.trim() ?? '';
  const want = (name: string) => read(name) || fail(`${name} is missing`);
  const optional = (name: string) => (read(name) === '' ? {} : { [name]: read(name) });
  const bootId = want('bootId');
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(bootId)) fail(`boot id is ${quoted(bootId)}`);
  const pendingReboot = want('pendingReboot');
  if (pendingReboot !== 'Yes' && pendingReboot !== 'No' && pendingReboot !== 'Unknown')
    fail(`pendingReboot is ${quoted(pendingReboot)}`);
  return {
    bootId,
    kernel: want('kernel'),
    commandLine: read('commandLine'),
    architecture: want('architecture'),
    os: osOf(found.get('os') ?? []),
    ...optional('vendor'),
    ...optional('product'),
    ...optional('serial'),
    cpus: cpusIn(want('cpus')),
    ...optional('cpuModel'),
    memory_bytes: countOf(want('memory_kb'), 'memory') * 1024,
    uptime_s: numberOf(want('uptime').split(' ')[0], 'uptime'),
    // A kernel without kexec has no such file.
    kdumpArmed: read('kdump') === '1',
    tainted: taintsOf(countOf(want('tainted'), 'tainted')),
    pendingReboot: pendingReboot as Facts['pendingReboot'],
  };
}

function fail(message: string): never {
  throw badOutput(message);
}

function osOf(lines: readonly string[]): Facts['os'] {
  const value = (name: string) =>
    lines
      .find((line) => line.startsWith(`${name}=`))
      ?.slice(name.length + 1)
      .replace(/^(["'])(.*)\1$/, '$2');
  const [id, version, name] = [value('ID'), value('VERSION_ID'), value('PRETTY_NAME')];
  return { ...(id && { id }), ...(version && { version }), ...(name && { name }) };
}

export function taintsOf(mask: number): string {
  return [...TAINTS].filter((_, bit) => Math.floor(mask / 2 ** bit) % 2 === 1).join('');
}
