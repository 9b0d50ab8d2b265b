// How well kernel logs are read, by class, and what is still wrong: node scripts/kernel-log-scores.ts [FILE.jsonl]
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { explainLog } from '../src/crash/kernel-log/explain.ts';

interface Labelled {
  id: string;
  log: string;
  title: string;
  alt?: string[];
  type?: string;
  frame?: string;
  corrupted?: boolean;
}

const given = process.argv[2];
const text = given
  ? readFileSync(given, 'utf8')
  : gunzipSync(readFileSync(new URL('../test/kernel-logs/labelled.jsonl.gz', import.meta.url))).toString(
      'utf8',
    );
const logs: Labelled[] = text
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));

const classes = new Map<string, { logs: number; titles: number; corrupted: number }>();
const all = { logs: 0, titles: 0, corrupted: 0, frames: 0, framed: 0 };
const wrong: string[] = [];
for (const { id, log, title, alt = [], type, frame, corrupted = false } of logs) {
  const said = explainLog(Buffer.from(log));
  const isNamed = said.title === title || alt.includes(said.title);
  const isJudged = said.corrupted === corrupted;
  const name = type || (title === '' ? 'no crash' : 'other');
  const one = classes.get(name) ?? { logs: 0, titles: 0, corrupted: 0 };
  classes.set(name, one);
  for (const count of [one, all]) {
    count.logs++;
    if (isNamed) count.titles++;
    if (isJudged) count.corrupted++;
  }
  if (frame) all.frames++;
  if (frame && said.report?.frame === frame) all.framed++;
  const said_ = `${said.title || 'no crash'}${said.corrupted ? ' (corrupted)' : ''}`;
  if (!isNamed || !isJudged)
    wrong.push(`${id}: should be ${title || 'no crash'}${corrupted ? ' (corrupted)' : ''}\n     is ${said_}`);
}
console.log('class                                   logs  title  corrupted');
for (const [name, { logs, titles, corrupted }] of [...classes].sort((a, b) => b[1].logs - a[1].logs))
  console.log(
    `${name.padEnd(38)} ${String(logs).padStart(5)} ${String(titles).padStart(6)} ${String(corrupted).padStart(10)}`,
  );
const share = (count: number) => `${((100 * count) / all.logs).toFixed(1)} %`;
console.log(
  `\n${all.logs} logs: title ${share(all.titles)}, corrupted ${share(all.corrupted)}, guilty frame ${all.framed} of ${all.frames} given`,
);
console.log(`\nstill wrong:\n${wrong.join('\n')}`);
