// How fast kernel logs are read: as they come, where almost no line is a crash, and on nothing but crash reports;
// against looking for the same openings with one regular expression after another, as most parsers do.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { explainContents, explainLog } from '../src/crash/kernel-log/explain.ts';
import { LogReader } from '../src/crash/kernel-log/reader.ts';
import { builtInRules } from '../src/crash/kernel-log/rules.ts';
import { heap_bytes, median_ms, report } from './report.ts';

const CHUNK_BYTES = 1 << 20;
const ORDINARY = [
  'mlx5_core 0000:3b:00.0 eth0: Link up',
  'IPv6: ADDRCONF(NETDEV_CHANGE): veth1a2b3c: link becomes ready',
  'audit: type=1400 audit(1518457683.474:8): avc:  denied  { map_create } for  pid=4183 comm="java" scontext=u:r:s0',
  'docker0: port 5(veth9a8b7c) entered forwarding state',
  'TCP: request_sock_TCP: Possible SYN flooding on port 8080. Sending cookies.  Check SNMP counters.',
  'EXT4-fs (nvme0n1p1): mounted filesystem with ordered data mode. Opts: (null)',
];

const file = new URL('../test/kernel-logs/labelled.jsonl.gz', import.meta.url);
const logs: Buffer[] = gunzipSync(readFileSync(file))
  .toString('utf8')
  .trim()
  .split('\n')
  .map((line) => Buffer.from((JSON.parse(line) as { log: string }).log));
const crashes = Buffer.concat(Array.from({ length: 10 }, () => logs).flat());
const line = (at: number) =>
  `[${(at * 0.01).toFixed(6).padStart(12)}] ${ORDINARY[at % ORDINARY.length] as string}\n`;
const quiet = Array.from({ length: 300_000 }, (_, at) => line(at)).join('');
// One crash in 100,000 lines: a machine that crashes every few days.
const ordinary = Buffer.concat([Buffer.from(quiet), logs[40] as Buffer, Buffer.from(quiet)]);
const rules = builtInRules();

function read(log: Buffer): number {
  const reader = new LogReader(rules);
  for (let at = 0; at < log.length; at += CHUNK_BYTES) reader.push(log.subarray(at, at + CHUNK_BYTES));
  return explainContents(reader.end()).count;
}

/** The openings as regular expressions, line by line, first match wins: no names, no frames. */
const naive = rules.sources.reports.flatMap(({ opens }) =>
  opens.map((each) => new RegExp(each.replace(/[.*+?()|[\]\\$]/g, '\\$&').replace(/\{[^}]*\}/g, '.*'))),
);
function readNaively(log: Buffer): number {
  let found = 0;
  for (const each of log.toString('latin1').split('\n'))
    if (naive.some((opening) => opening.test(each))) found++;
  return found;
}

const speed = (log: Buffer, ms: number) => log.length / 1e6 / (ms / 1000);
const small = ordinary.subarray(0, 4_000_000);
const ordinary_ms = await median_ms(5, () => read(ordinary));
const crashes_ms = await median_ms(5, () => read(crashes));
const naive_ms = await median_ms(1, () => readNaively(small));
const each_ms = await median_ms(3, () => {
  for (const log of logs) explainLog(log, rules);
});

// A log of 1 GB, made as it is read.
const before = heap_bytes();
let peak = 0;
const reader = new LogReader(rules);
const startedAt = performance.now();
for (let bytes = 0; bytes < 1e9; bytes += ordinary.length) {
  for (let at = 0; at < ordinary.length; at += CHUNK_BYTES)
    reader.push(ordinary.subarray(at, at + CHUNK_BYTES));
  peak = Math.max(peak, process.memoryUsage().heapUsed - before);
}
const gigabyte = reader.end();
const gigabyte_ms = performance.now() - startedAt;

const OURS = speed(ordinary, ordinary_ms);
const WANTED = { ordinary: 100, crashes: 20 };
report('kernel-log', `${rules.sources.reports.length} rules, ${logs.length} logs of crashes`, [
  {
    what: 'logs as they come',
    value: OURS,
    unit: 'MB/s',
    times: OURS / WANTED.ordinary,
    of: 'what is wanted',
  },
  { what: 'the same by regular expressions', value: speed(small, naive_ms), unit: 'MB/s' },
  {
    what: 'so ours is',
    value: OURS / speed(small, naive_ms),
    unit: 'times as fast',
  },
  {
    what: 'nothing but crash reports',
    value: speed(crashes, crashes_ms),
    unit: 'MB/s',
    times: speed(crashes, crashes_ms) / WANTED.crashes,
    of: 'what is wanted',
  },
  { what: 'each log by itself', value: logs.length / (each_ms / 1000), unit: 'logs/s' },
  { what: '1 GB read', value: gigabyte.bytes / 1e6 / (gigabyte_ms / 1000), unit: 'MB/s' },
  { what: 'heap it took at most', value: peak / 1e6, unit: 'MB' },
]);
