// Ending the present boot. The answer says that it was ordered; whether it happened only the boot id tells, so each answer
// holds the one from before. Each is sent once: nothing here repeats.
import { z } from 'zod';
import { SECOND } from '../../clock/clock.ts';
import { action, badOutput, SAY_NO, script } from './action.ts';
import { quoted } from './lines.ts';
import { CHECK_RELEASE, kernelRelease } from './packages.ts';

export interface BootEnded {
  /** Of the boot that ends now. */
  bootId: string;
}

const BOOT_ID = 'cat /proc/sys/kernel/random/boot_id;';
/** The answer goes out before the machine does. */
const AFTER_S = 1;

const REBOOT = `${SAY_NO} ${BOOT_ID} timeout 20 systemctl --no-block reboot || cannot 'systemctl reboot failed'`;

const KEXEC = `
  ${SAY_NO}
  ${CHECK_RELEASE}
  command -v kexec >/dev/null || cannot 'there is no kexec here: install kexec-tools';
  image=/boot/vmlinuz-$1; [ -f "$image" ] || cannot "there is no $image";
  initrd=''; for f in "/boot/initrd.img-$1" "/boot/initramfs-$1.img" "/boot/initrd-$1"; do if [ -f "$f" ]; then initrd=$f; break; fi; done;
  [ -n "$initrd" ] || cannot "there is no initrd of $1 in /boot";
  timeout 60 kexec --load "$image" --initrd="$initrd" --reuse-cmdline || cannot 'kexec could not load the kernel';
  ${BOOT_ID}
  timeout 20 systemctl --no-block kexec || cannot 'systemctl kexec failed'`;

const DUMP = `
  ${SAY_NO}
  armed=no; if [ -r /sys/kernel/kexec_crash_loaded ]; then read -r loaded </sys/kernel/kexec_crash_loaded; [ "$loaded" = 1 ] && armed=yes; fi;
  [ "$armed" = yes ] || cannot 'no crash kernel is loaded: the machine would panic without a dump and might not come back';
  [ -w /proc/sysrq-trigger ] || cannot 'there is no /proc/sysrq-trigger';
  ${BOOT_ID}
  ( trap '' HUP; sleep ${AFTER_S}; echo c >/proc/sysrq-trigger ) </dev/null >/dev/null 2>&1 &`;

function ended(output: Buffer): BootEnded {
  const bootId = output.toString('utf8').trim();
  if (!/^[0-9a-f-]{36}$/.test(bootId)) throw badOutput(`boot id is ${quoted(bootId)}`);
  return { bootId };
}

const nothing = z.strictObject({});
const limits = { root: true, output_bytes_max: 4096 } as const;

export const reboot = action({
  about: 'reboots by systemd',
  params: nothing,
  ...limits,
  timeout_ms: 40 * SECOND,
  script: script(REBOOT),
  args: () => [],
  parse: ended,
});

export const kexecReboot = action({
  about: 'boots an installed kernel by kexec, without the firmware',
  params: z.strictObject({ kernel: kernelRelease.refine((text) => !text.includes('..'), 'has ..') }),
  ...limits,
  timeout_ms: 90 * SECOND,
  script: script(KEXEC),
  args: ({ kernel }) => [kernel],
  parse: ended,
});

export const forceDump = action({
  about: 'panics the kernel so that kdump writes a dump; only with a crash kernel loaded',
  params: nothing,
  ...limits,
  timeout_ms: 30 * SECOND,
  script: script(DUMP),
  args: () => [],
  parse: ended,
});
