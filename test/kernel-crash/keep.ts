// Logs of machines that crashed here, kept beside the tests: DROVER_KEEP_KERNEL_LOGS=1 writes them anew.
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

const FOLDER = join(import.meta.dirname, 'logs');
const ENDING = '.txt.gz';
/** Of the boot: the kernel’s version and command line. */
const HEAD_LINES = 2;
/** Before the crash begins. */
const LEAD_LINES = 12;

export function keep(name: string, log: string): void {
  if (!process.env.DROVER_KEEP_KERNEL_LOGS) return;
  // Where the module was built is a new folder each time.
  const lines = log
    .replaceAll('\r', '')
    .replaceAll(/\/tmp\/\S+\/flaky\.c/g, '/build/flaky.c')
    .split('\n');
  const crash = lines.findIndex((line) => line.includes('drover: now '));
  const from = Math.max(HEAD_LINES, crash - LEAD_LINES);
  const trimmed = crash < 0 ? lines : [...lines.slice(0, HEAD_LINES), ...lines.slice(from)];
  writeFileSync(join(FOLDER, name + ENDING), gzipSync(trimmed.join('\n'), { level: 9 }));
}

/** `null`, or `pstore.null` where it is not the serial console’s. */
export function keptLogs(): { name: string; how: string; log: string }[] {
  return globSync(join(FOLDER, `*${ENDING}`))
    .sort()
    .map((path) => {
      const name = basename(path, ENDING);
      const how = name.split('.').at(-1) as string;
      return { name, how, log: gunzipSync(readFileSync(path)).toString('latin1') };
    });
}
