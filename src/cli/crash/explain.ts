import { type Command, Option } from 'commander';
import { explainLog, type LogExplanation } from '../../crash/kernel-log/explain.ts';
import { inOrder } from '../../crash/kernel-log/order.ts';
import type { Report } from '../../crash/kernel-log/report.ts';
import type { RuleSet } from '../../crash/kernel-log/rules.ts';
import { messageOf } from '../../platform/kube/errors.ts';
import { repeated } from '../durations.ts';
import { bytesOf } from '../input.ts';
import { CliError, type Io } from '../io.ts';
import { serialize } from '../output.ts';
import { explanationText } from './explanation-text.ts';
import { explainBytes, rulesOf } from './read-log.ts';

interface Options {
  output?: 'json' | 'yaml' | 'wide';
  jsonl?: boolean;
  rules: string[];
}

export function register(program: Command, io: Io): void {
  program
    .command('explain')
    .description(
      'Say why a kernel crashed, from its log: vmcore-dmesg, pstore, journal, serial console, netconsole. Needs no cluster.',
    )
    .argument('[file...]', 'logs, also gzip or zstd; - or nothing is standard input')
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(['json', 'yaml', 'wide']))
    .option('--jsonl', 'read JSON lines with "id" and "log", write a JSON line for each')
    .option('--rules <file>', 'rules of your site, before ours; may be repeated', repeated, [])
    .addHelpText(
      'after',
      '\nExamples:\n  drover crash explain /var/crash/*/vmcore-dmesg.txt\n  journalctl -k -b -1 | drover crash explain\n  drover crash explain console.log -o json',
    )
    .action((files: string[], options: Options) => explain(files, options, io));
}

async function explain(files: readonly string[], options: Options, io: Io): Promise<void> {
  const rules = await rulesOf(options.rules, io);
  const wanted = files.length === 0 ? ['-'] : files;
  if (options.jsonl) return explainLines(wanted, rules, io);
  let failed = 0;
  const results: { file: string; explanation: LogExplanation }[] = [];
  for (const file of wanted) {
    try {
      results.push({ file, explanation: await explainBytes(bytesOf(file, io), rules) });
    } catch (error) {
      failed++;
      io.err(`error: ${file}: ${messageOf(error)}\n`);
    }
  }
  const { output } = options;
  if (output === 'json' || output === 'yaml') {
    const values = results.map(({ file, explanation }) => ({ file, ...explanation }));
    if (values.length > 0) io.out(await serialize(files.length > 1 ? values : values[0], output));
  } else {
    const columns = io.terminal?.columns ?? 80;
    const texts = results.map(({ file, explanation }) => {
      const head = results.length > 1 ? `${file}:\n` : '';
      return head + explanationText(explanation, { columns, wide: output === 'wide' });
    });
    io.out(texts.join('\n'));
  }
  if (failed > 0) throw new CliError('');
}

/** One log a line; a line that cannot be read says so in its place, and the others go on. */
async function explainLines(files: readonly string[], rules: RuleSet, io: Io): Promise<void> {
  let number = 0;
  let bad = 0;
  const take = (line: Buffer) => {
    number++;
    if (line.length === 0 || line.toString('latin1').trim() === '') return;
    const asked = logIn(line);
    if ('error' in asked) {
      bad++;
      io.err(`error: line ${number}: ${asked.error}\n`);
      io.out(`${JSON.stringify({ id: asked.id ?? null, error: `line ${number}: ${asked.error}` })}\n`);
      return;
    }
    io.out(
      `${JSON.stringify({ id: asked.id, ...shortForm(explainLog(Buffer.from(inOrder(asked.log)), rules)) })}\n`,
    );
  };
  for (const file of files) for await (const line of linesOf(bytesOf(file, io))) take(line);
  if (bad > 0) throw new CliError('');
}

async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Buffer> {
  let held: Buffer[] = [];
  for await (const chunk of bytes) {
    const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let from = 0;
    for (let end = buffer.indexOf(10); end >= 0; end = buffer.indexOf(10, from)) {
      yield Buffer.concat([...held, buffer.subarray(from, end)]);
      held = [];
      from = end + 1;
    }
    // What a stream hands out may be written over when the next piece comes.
    if (from < buffer.length) held.push(Buffer.from(buffer.subarray(from)));
  }
  if (held.length > 0) yield Buffer.concat(held);
}

function logIn(line: Buffer): { id: unknown; log: string } | { id?: unknown; error: string } {
  let value: unknown;
  try {
    value = JSON.parse(line.toString('utf8'));
  } catch (error) {
    return { error: `not JSON: ${messageOf(error)}` };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { error: 'should be an object with "id" and "log"' };
  const { id, log } = value as { id?: unknown; log?: unknown };
  if (typeof log !== 'string')
    return { id, error: '"log" is missing or no text; it should be the whole log' };
  return { id, log };
}

/** What a program wants of each of many logs. */
function shortForm(explanation: LogExplanation) {
  const { title, alternatives, corrupted, cause, confidence, hardware, planned, kernel } = explanation;
  const report: Partial<Report> = explanation.report ?? {};
  const { process, cpu, hardwareName, taints } = report.facts ?? {};
  const telling = hardware.filter(({ weight }) => weight !== 'weak');
  return {
    title,
    alternatives,
    class: report.class ?? null,
    severity: report.severity ?? null,
    frame: report.frame ?? null,
    otherFrames: report.otherFrames ?? [],
    module: report.module ?? null,
    process: process ?? null,
    cpu: cpu ?? null,
    kernel: kernel ?? null,
    hardwareName: hardwareName ?? null,
    taints: taints ?? null,
    corrupted,
    panicked: report.panicked ?? false,
    hardware:
      telling.length > 0
        ? telling.map(({ sign, part, weight, count }) => ({ sign, part, weight, count }))
        : null,
    planned: cause === 'planned' ? (planned[0] ?? { means: explanation.because }) : null,
    cause,
    lines: report.span ?? null,
    reports: explanation.count,
    confidence,
  };
}
