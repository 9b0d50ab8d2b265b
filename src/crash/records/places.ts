// What the place of a file says of the evidence in it: which kind it is, and when the machine crashed.
import type { EvidenceKind } from '../../platform/history/crash-record.ts';

export interface Place {
  kind: EvidenceKind;
  /** ISO 8601. The folder of a dump is named when the dump begins: within a minute of the crash. */
  at?: string;
  /** Files of one crash stand in one place. */
  group: string;
}

const NAMES: readonly { kind: EvidenceKind; name: RegExp }[] = [
  { kind: 'vmcore-dmesg', name: /^vmcore-dmesg(?:-incomplete)?\.txt(?:\.gz|\.zst)?$/ },
  { kind: 'vmcore-dmesg', name: /^dmesg\.\d{8,14}(?:\.gz|\.zst)?$/ },
  { kind: 'pstore', name: /^(?:dmesg|console)-(?:efi|erst|ramoops|nvram|blk|zone)(?:[-_.]|$)/ },
  { kind: 'rasdaemon', name: /^ras-mc_event\.db$/ },
  { kind: 'sel', name: /(?:^|[-_.])sel(?:[-_.]|$)/i },
  { kind: 'netconsole', name: /netconsole/i },
  { kind: 'console', name: /(?:console|serial)/i },
  { kind: 'journal', name: /journal/i },
];

/** RHEL, Alibaba Cloud Linux, Anolis: 127.0.0.1-2019-11-11-00:01:02. */
const RHEL = /-(\d{4})-(\d\d)-(\d\d)-(\d\d):(\d\d):(\d\d)$/;
/** Debian, Ubuntu: 201911110001 or 20191111000102. */
const DEBIAN = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?$/;

/** @param path as it was on the machine, or as it is handed in */
export function placeOf(path: string): Place {
  const parts = path.split('/').filter((part) => part !== '');
  const name = parts.at(-1) ?? '';
  const folder = parts.at(-2) ?? '';
  const kind = NAMES.find((each) => each.name.test(name))?.kind ?? 'log';
  const time = RHEL.exec(folder) ?? DEBIAN.exec(folder) ?? DEBIAN.exec(name.replace(/^(?:dmesg|dump)\./, ''));
  const at = time && timeOf(time);
  const together = kind === 'pstore' || time !== null;
  return { kind, ...(at && { at }), group: together ? parts.slice(0, -1).join('/') : path };
}

/** The machine's own time zone is not known: UTC is taken, as servers have it. */
function timeOf([, year, month, day, hour, minute, second = '00']: readonly (string | undefined)[]):
  | string
  | undefined {
  const text = `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : new Date(at).toISOString();
}
