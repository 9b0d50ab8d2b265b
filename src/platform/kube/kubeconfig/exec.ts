// Exec plugins: a program that prints credentials (client.authentication.k8s.io, v1 and v1beta1).
// Nobody sits at the terminal, so a plugin never gets one.

import { spawn } from 'node:child_process';
import { resolve, sep } from 'node:path';
import * as z from 'zod';
import { type Clock, MINUTE } from '../../clock/clock.ts';
import type { CredentialSource, Credentials } from '../https.ts';
import { fail } from './material.ts';
import type { Located } from './read.ts';
import type { Cluster, Exec, User } from './schema.ts';

/** A plugin has this long; a cloud's login call takes a few seconds. */
export const EXEC_TIMEOUT_MS = MINUTE;
/** What a plugin may print. Credentials are a few KB. */
export const EXEC_OUTPUT_BYTES_MAX = 1024 * 1024;
/** How much of a failed plugin's last words an error repeats. */
const STDERR_TAIL_CHARS = 500;
const CLUSTER_EXTENSION = 'client.authentication.k8s.io/exec';

const text = z.string().nullish();
const answerSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.literal('ExecCredential'),
  status: z.looseObject({
    token: text,
    clientCertificateData: text,
    clientKeyData: text,
    expirationTimestamp: text,
  }),
});

export interface ExecOptions {
  user: Located<User>;
  exec: Exec;
  cluster: Cluster;
  /** PEM, given to the plugin when it asks for the cluster's facts. */
  ca?: string;
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  timeout_ms?: number;
}

/** Runs the plugin when there are no credentials, when they have expired, and when they were refused. */
export function execCredentials(options: ExecOptions): CredentialSource {
  const { user, exec, clock } = options;
  const mode = exec.interactiveMode;
  if (!mode && exec.apiVersion === 'client.authentication.k8s.io/v1') {
    fail(user, 'exec.interactiveMode', 'missing; write Never or IfAvailable');
  }
  if (mode === 'Always')
    fail(user, 'exec.interactiveMode', 'Always is not supported: no terminal; use Never');
  let current: { credentials: Credentials; expires_at: number } | undefined;
  let running: Promise<Credentials> | undefined;
  const renew = async () => {
    current = readAnswer(options, await run(options));
    return current.credentials;
  };
  return (refused) => {
    if (running) return running;
    if (current && current.expires_at > clock.now() && !isOf(current.credentials, refused))
      return Promise.resolve(current.credentials);
    running = renew().finally(() => {
      running = undefined;
    });
    return running;
  };
}

/** Whether what was refused is what the plugin gave; an entry may add a certificate of its own. */
function isOf(given: Credentials, refused: Credentials | undefined): boolean {
  if (!refused || given.authorization !== refused.authorization) return false;
  return given.cert === undefined || given.cert === refused.cert;
}

function run(options: ExecOptions): Promise<string> {
  const { user, exec, env, clock } = options;
  const timeout_ms = options.timeout_ms ?? EXEC_TIMEOUT_MS;
  const extra = Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value]));
  const child = spawn(commandPath(user, exec), exec.args ?? [], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that a time limit also ends what the plugin started.
    detached: true,
    env: { ...env, ...extra, KUBERNETES_EXEC_INFO: JSON.stringify(execInfo(options)) },
  });
  return new Promise((done, failed) => {
    let stdout = '';
    let stderr = '';
    let over = false;
    const finish = (problem?: string) => {
      if (over) return;
      over = true;
      timer.cancel();
      child.stdout.destroy();
      child.stderr.destroy();
      if (problem === undefined) return done(stdout);
      failed(problemWith(options, `${problem}${stderr.trim() && `: ${stderr.trim()}`}`));
    };
    const kill = (problem: string) => {
      if (child.pid !== undefined) killGroup(child.pid);
      finish(problem);
    };
    const timer = clock.timer(timeout_ms, () => kill(`did not end within ${timeout_ms} ms`));
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      stdout += part;
      if (stdout.length > EXEC_OUTPUT_BYTES_MAX) kill(`printed more than ${EXEC_OUTPUT_BYTES_MAX} bytes`);
    });
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      stderr = (stderr + part).slice(-STDERR_TAIL_CHARS);
    });
    child.on('error', (error) => {
      const notFound = 'code' in error && error.code === 'ENOENT';
      const hint = exec.installHint ? `\n${exec.installHint.trim()}` : '';
      finish(notFound ? `not found on PATH; install it${hint}` : error.message);
    });
    child.on('close', (code, signal) => {
      finish(code === 0 ? undefined : `ended with ${code === null ? signal : `exit code ${code}`}`);
    });
  });
}

function readAnswer(options: ExecOptions, stdout: string): { credentials: Credentials; expires_at: number } {
  const answer = answerSchema.safeParse(jsonOrUndefined(stdout));
  if (!answer.success) {
    const issue = answer.error.issues[0];
    throw problemWith(options, `printed no ExecCredential: ${issue?.path.join('.')} ${issue?.message}`);
  }
  const { apiVersion, status } = answer.data;
  if (apiVersion !== options.exec.apiVersion) {
    throw problemWith(
      options,
      `answered with apiVersion ${apiVersion}; the kubeconfig says ${options.exec.apiVersion}`,
    );
  }
  const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp } = status;
  if (!token && !cert)
    throw problemWith(options, 'gave neither status.token nor status.clientCertificateData');
  if (Boolean(cert) !== Boolean(key)) {
    throw problemWith(options, 'gave only one of status.clientCertificateData and status.clientKeyData');
  }
  const expires_at = expirationTimestamp ? Date.parse(expirationTimestamp) : Number.POSITIVE_INFINITY;
  if (Number.isNaN(expires_at))
    throw problemWith(options, `status.expirationTimestamp ${expirationTimestamp} is no time`);
  return {
    credentials: { ...(token && { authorization: `Bearer ${token}` }), ...(cert && key && { cert, key }) },
    expires_at,
  };
}

function execInfo({ exec, cluster, ca }: ExecOptions): unknown {
  const info = {
    server: cluster.server,
    'tls-server-name': cluster['tls-server-name'] ?? undefined,
    'insecure-skip-tls-verify': cluster['insecure-skip-tls-verify'] ?? undefined,
    'certificate-authority-data': ca && Buffer.from(ca).toString('base64'),
    'proxy-url': cluster['proxy-url'] ?? undefined,
    config: cluster.extensions?.find((extension) => extension.name === CLUSTER_EXTENSION)?.extension,
  };
  return {
    apiVersion: exec.apiVersion,
    kind: 'ExecCredential',
    spec: { interactive: false, ...(exec.provideClusterInfo && { cluster: info }) },
  };
}

/** A bare name is looked up on PATH, a path is relative to the kubeconfig. */
function commandPath(user: Located<User>, exec: Exec): string {
  const folder = user.source.folder;
  if (folder === undefined)
    return fail(user, 'exec', 'programs cannot be run here; use token or client-certificate-data');
  return exec.command.includes(sep) ? resolve(folder, exec.command) : exec.command;
}

function problemWith({ user, exec }: ExecOptions, problem: string): Error {
  return new Error(
    `exec plugin ${exec.command} of user ${user.name} (kubeconfig ${user.source.name}) ${problem}`,
  );
}

function jsonOrUndefined(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it ended by itself in between
  }
}
