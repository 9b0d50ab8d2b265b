// What may be removed from a full disk: a closed list, each rule with its fixed folders. There is no way to name another.
import type { CleanRuleName } from '../../../api/diagnosis.ts';

export interface CleanRule {
  about: string;
  /** A folder that is not there, or is a symlink, is passed over. */
  roots: readonly string[];
  /** Tests of find(1) on regular files within one file system. */
  tests: string;
  /** The newest of them stay: so many files, or so many bytes together. */
  keep?: { files: number } | { bytes: number };
}

const ROTATED_DAYS = 7;
const TEMPORARY_DAYS = 10;
const DUMPS_KEPT = 2;
const JOURNALS_KEPT_BYTES = 512 * 1024 * 1024;
/** A package that is being installed this moment is left alone. */
const PACKAGE_MINUTES = 60;

const named = (...names: string[]) => `'(' ${names.map((name) => `-name '${name}'`).join(' -o ')} ')'`;

export const CLEAN_RULES = {
  RotatedLogs: {
    about: `rotated logs older than ${ROTATED_DAYS} days`,
    roots: ['/var/log'],
    tests: `-mtime +${ROTATED_DAYS} ! -path '/var/log/journal/*' ${named('*.gz', '*.xz', '*.bz2', '*.zst', '*.old', '*.[0-9]', '*.[0-9][0-9]', '*-20[0-9][0-9][0-9][0-9][0-9][0-9]')}`,
  },
  ArchivedJournals: {
    about: 'archived files of the journal beyond the newest 512 MiB',
    roots: ['/var/log/journal'],
    tests: `${named('*@*.journal', '*@*.journal~')}`,
    keep: { bytes: JOURNALS_KEPT_BYTES },
  },
  PackageCaches: {
    about: 'packages that were downloaded and installed',
    roots: ['/var/cache/apt/archives', '/var/cache/dnf', '/var/cache/yum', '/var/cache/zypp/packages'],
    tests: `-mmin +${PACKAGE_MINUTES} ${named('*.deb', '*.rpm', '*.drpm')}`,
  },
  CrashDumps: {
    about: `crash dumps beyond the newest ${DUMPS_KEPT}; the kernel logs beside them stay`,
    roots: ['/var/crash'],
    tests: `-mindepth 2 -maxdepth 2 ${named('vmcore', 'vmcore.*', 'dump.*')}`,
    keep: { files: DUMPS_KEPT },
  },
  TemporaryFiles: {
    about: `temporary files that nobody read or changed for ${TEMPORARY_DAYS} days`,
    roots: ['/tmp', '/var/tmp'],
    tests: `-mtime +${TEMPORARY_DAYS} -atime +${TEMPORARY_DAYS} -ctime +${TEMPORARY_DAYS} ! -path '*/systemd-private-*'`,
  },
} as const satisfies Record<Exclude<CleanRuleName, typeof IMAGE_RULE>, CleanRule>;

/** By crictl, which knows what containers use. */
export const IMAGE_RULE = 'UnusedImages';
export const IMAGE_ROOTS = ['/var/lib/containerd', '/var/lib/containers', '/var/lib/docker'] as const;
