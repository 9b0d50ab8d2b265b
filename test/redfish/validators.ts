// The validators of the DMTF, run against a service of ours.

import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MINUTE } from '../../src/platform/clock/clock.ts';
import { pythonWith } from '../python.ts';

const RUN_MS_MAX = 5 * MINUTE;
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

/** The validators, and what of theirs decides how they judge. */
const PACKAGES = [
  'redfish-protocol-validator==1.3.2',
  'redfish-service-validator==3.1.8',
  'redfish==3.4.2',
  'redfish-utilities==3.5.2',
  'requests==2.34.2',
  'sseclient-py==1.9.0',
];

export interface Target {
  url: string;
  user: string;
  password: string;
  /** Path of the certificate that signed the service's. */
  ca: string;
}

export interface Finding {
  verdict: 'PASS' | 'WARN' | 'FAIL' | 'NOT_TESTED';
  /** An assertion of the protocol validator; of the service validator the path of a property. */
  about: string;
  text: string;
}

/** The folder of the validators' programs, or why there is none. */
export function validators(): { folder: string } | { reason: string } {
  return pythonWith(...PACKAGES);
}

/** DSP0266, assertion by assertion. */
export async function validateProtocol(
  folder: string,
  { url, user, password, ca }: Target,
): Promise<Finding[]> {
  const script = join(import.meta.dirname, 'protocol-validator.py');
  const target = ['--rhost', url, '--user', user, '--password', password, '--ca-bundle', ca];
  return withReports(async (reports) => {
    const output = ['--report-dir', reports, '--report-type', 'tsv', '--avoid-http-redirect'];
    const said = await run(join(folder, 'python'), [script, ...target, ...output]);
    const file = readdirSync(reports).find((name) => name.endsWith('.tsv'));
    if (!file) throw new Error(`the protocol validator wrote no report:\n${said}`);
    const [, ...lines] = readFileSync(join(reports, file), 'utf8').trim().split('\n');
    return lines.map((line) => {
      const [about = '', method, status, uri, verdict, message] = line.split('\t');
      return {
        verdict: verdict as Finding['verdict'],
        about,
        text: `${method} ${uri} ${status}: ${message}`,
      };
    });
  });
}

/** DSP8010: every resource that can be reached, property by property. */
export async function validateSchemas(folder: string, schemas: string, target: Target): Promise<Finding[]> {
  const { url, user, password } = target;
  const login = ['--rhost', url, '--user', user, '--password', password, '--authtype', 'Session'];
  return withReports(async (reports) => {
    const files = ['--skipschema', '--schema_directory', schemas, '--logdir', reports];
    const said = await run(join(folder, 'python'), [
      join(folder, 'rf_service_validator'),
      ...login,
      ...files,
    ]);
    const [run_] = readdirSync(reports);
    const log = run_ && readdirSync(join(reports, run_)).find((name) => name.endsWith('.log'));
    if (!run_ || !log) throw new Error(`the service validator wrote no log:\n${said}`);
    const lines = readFileSync(join(reports, run_, log), 'utf8').split('\n');
    return lines.flatMap((line) => findingOf(line) ?? []);
  });
}

/** `… - WARNING - WARN - /Thermal ([Link to: …]): Deprecated Property Warning: …` */
const FINDING = /- (PASS|WARN|FAIL|SKIP) - (.*)$/;

function findingOf(line: string): Finding | undefined {
  const [, verdict, text = ''] = FINDING.exec(line) ?? [];
  if (verdict === undefined) return undefined;
  const isSkip = verdict === 'SKIP';
  return {
    verdict: isSkip ? 'NOT_TESTED' : (verdict as Finding['verdict']),
    about: text.split(' ')[0] ?? '',
    text,
  };
}

async function withReports<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'drover-redfish-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What it said. They end with 1 where something failed: their reports say what. */
function run(program: string, args: readonly string[]): Promise<string> {
  const env: NodeJS.ProcessEnv = { ...process.env, NO_PROXY: '*' };
  // These would go before the certificate that we name.
  delete env.REQUESTS_CA_BUNDLE;
  delete env.CURL_CA_BUNDLE;
  const options = { env, timeout: RUN_MS_MAX, maxBuffer: OUTPUT_BYTES_MAX };
  return new Promise((resolve, reject) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error && error.code !== 1)
        reject(new Error(`${program} ${args[0]} failed: ${error.message}\n${stderr}`));
      else resolve(`${stdout}\n${stderr}`);
    });
  });
}
