// Hosts over SSH by the system's OpenSSH client. Why not a library: docs/decisions/ssh-client.md.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../../clock/clock.ts';
import { SECOND } from '../../clock/clock.ts';
import { Turns } from '../../turns.ts';
import type { Order, Ran, Shell } from '../actions/shell.ts';
import { HostError, type HostFailure, type HostRef } from '../host.ts';
import { controlPath, remoteCommand, sshArgs } from './command.ts';
import { failureIn, isLoggedIn, lastWords } from './failures.ts';
import { makeFolder, type SshFolder } from './folder.ts';
import { endMasters } from './masters.ts';
import { type Settings, type SshOptions, sshOptions } from './options.ts';
import { runSession, type SessionEnd } from './session.ts';
import { EXIT_NOT_ALL, wireArgs } from './wire.ts';

const SAID_CHARS_MAX = 300;

export interface SshShell extends Shell, AsyncDisposable {}

/**
 * Writes keys and known hosts into a private folder, which goes away with the shell. Kept connections end by themselves
 * `reuse_s` after their last use.
 *
 * Throws HostError Refused when the options are not right.
 */
export async function openSsh(clock: Clock, options: SshOptions): Promise<SshShell> {
  const checked = sshOptions.safeParse(options);
  if (!checked.success)
    throw new HostError(`the options for SSH are refused: ${z.prettifyError(checked.error)}`, 'Refused');
  const settings = checked.data;
  const folder = await makeFolder(settings);
  const turns = new Turns(settings.concurrent_max, settings.concurrent_host_max);
  let calls = 0;
  return {
    async exec(host, order, signal) {
      const input = wireArgs(order.args);
      const log = join(folder.path, `log-${calls++}`);
      const args = argsFor(host, order, folder, settings, log);
      const done = await turns.take(host.ssh, signal);
      const began = clock.now();
      try {
        const limits = limitsOf(order, settings);
        const end = await runSession({ clock, args, env: environment(), input, log, limits, signal });
        if (end.stopped === 'Aborted') throw signal?.reason;
        return { ...ranOf(end, host, order, { clock, folder, settings }), duration_ms: clock.now() - began };
      } finally {
        done();
        rmSync(log, { force: true });
      }
    },
    async [Symbol.asyncDispose]() {
      if (settings.reuse_s > 0) await endMasters(folder.path);
      folder.remove();
    },
  };
}

function argsFor(host: HostRef, order: Order, folder: SshFolder, settings: Settings, log: string): string[] {
  const asRoot = order.root && settings.user !== 'root' ? 'Sudo' : 'AsIs';
  try {
    return sshArgs(host, remoteCommand(order.script, asRoot), folder, settings, log);
  } catch (error) {
    throw new HostError((error as Error).message, 'Refused');
  }
}

function limitsOf(order: Order, settings: Settings) {
  return {
    // ssh keeps `connect_s` itself and says which stage it was; ours stands behind it.
    connect_ms: settings.connect_s * SECOND,
    login_ms: settings.login_s * SECOND,
    start_ms: settings.start_s * SECOND,
    run_ms: order.timeout_ms,
    output_bytes_max: order.output_bytes_max,
  };
}

/** ssh hands the way through a jump host to $SHELL; nothing else of our environment is its business. */
function environment(): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env;
  return { PATH, HOME, SHELL: '/bin/sh', LC_ALL: 'C' };
}

interface Known {
  clock: Clock;
  folder: SshFolder;
  settings: Settings;
}

function ranOf(end: SessionEnd, host: HostRef, order: Order, known: Known): Omit<Ran, 'duration_ms'> {
  const { stopped, output, stderr } = end;
  const fail = (failure: HostFailure, message: string) => new HostError(`${host.ssh}: ${message}`, failure);
  if (stopped === 'NoSsh')
    throw fail('Refused', 'there is no ssh on PATH: install the OpenSSH client, package openssh-client(s)');
  if (!output.began) {
    if (stopped || end.code === 255) dropMaster(host, known);
    throw notBegun(end, order, known, fail);
  }
  const { stdout, exitCode, truncated } = output.end();
  if (truncated || stopped === 'Full') return { exitCode: undefined, stdout, stderr, truncated: true };
  if (exitCode !== undefined) return { exitCode, stdout, stderr, truncated: false };
  if (stopped === 'Running')
    throw fail(
      'TimedOut',
      `did not end within ${order.timeout_ms} ms, after ${output.bytes} bytes of output`,
    );
  const words = lastWords(end.log);
  throw fail('Cut', `the connection was lost after ${output.bytes} bytes of output${words && `: ${words}`}`);
}

/** Nobody should wait for a connection that is kept and dead: the next call makes its own. */
function dropMaster(host: HostRef, { folder, settings }: Known): void {
  if (settings.reuse_s > 0) rmSync(controlPath(host, folder, settings), { force: true });
}

function notBegun(
  { stopped, log, stderr, code, output }: SessionEnd,
  order: Order,
  { clock, folder, settings }: Known,
  fail: (failure: HostFailure, message: string) => HostError,
): HostError {
  const { connect_s, login_s, start_s } = settings;
  const loggedIn = isLoggedIn(log);
  if (stopped === 'Full')
    return fail('BadOutput', 'it prints much before the action begins: mind its login scripts');
  if (stopped === 'LoggingIn')
    return fail('Silent', `no login within ${connect_s + login_s} s: ${lastWords(log) || 'it said nothing'}`);
  if (stopped) return fail('Silent', `logged in, and then nothing came within ${start_s} s`);
  const said = saidOf(stderr);
  const words = lastWords(log) || said || saidOf(output.noise);
  const found = failureIn(log);
  const outdated = found?.failure === 'BadCredentials' && outdatedOf(folder, clock.now());
  if (outdated) return fail('CertificateExpired', `our certificate ${outdated}; ${found.message}`);
  if (found && !loggedIn) return fail(found.failure, found.message);
  // A connection that is kept has no login of its own, so there it may have begun.
  if (code === 255 && !loggedIn && settings.reuse_s === 0)
    return fail('Unreachable', words || 'ssh gave no reason');
  if (code === 255 || code === null || code === EXIT_NOT_ALL)
    return fail('Cut', `the connection was lost as the action was to begin: ${words || 'no reason given'}`);
  if (/\bsudo\b/.test(said) || (order.root && settings.user !== 'root' && said === ''))
    return fail('NotAllowed', `sudo did not allow it (is its sudoers file of this version?): ${words}`);
  return fail(
    'Failed',
    `logged in, but the host could not begin it: ${words || 'no reason given'} (exit code ${code})`,
  );
}

function outdatedOf({ own, jump }: SshFolder, now: number): string | undefined {
  const lives = [own, jump].flatMap((one) => (one?.valid ? [one.valid] : []));
  if (lives.some(({ until_ms }) => until_ms <= now)) return 'has expired';
  return lives.some(({ from_ms }) => from_ms > now) ? 'is not valid yet' : undefined;
}

function saidOf(stderr: Buffer): string {
  return stderr.toString('utf8').trim().replace(/\s+/g, ' ').slice(-SAID_CHARS_MAX);
}
