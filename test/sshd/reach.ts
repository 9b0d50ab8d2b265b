// Opens a way to test hosts as Drover has it to real ones.
import { systemClock } from '../../src/platform/clock/system.ts';
import { type ActionRecord, type Hosts, hostsOver } from '../../src/platform/hosts/actions/run.ts';
import { HostError, type HostFailure, type HostRef } from '../../src/platform/hosts/host.ts';
import { openSsh, type SshShell } from '../../src/platform/hosts/ssh/open-ssh.ts';
import type { SshOptions } from '../../src/platform/hosts/ssh/options.ts';
import type { Key } from './keys.ts';
import type { Sshd } from './start.ts';

export interface Reach extends AsyncDisposable {
  hosts: Hosts;
  shell: SshShell;
  records: ActionRecord[];
}

/** A line of known hosts. */
export function knownAs(address: string, hostKey: string): string {
  const [host, port] = address.split(':');
  return `[${host}]:${port} ${hostKey}\n`;
}

export const refOf = (sshd: Pick<Sshd, 'address'>, id = 'm1'): HostRef => ({ id, ssh: sshd.address });

export async function reach(
  sshds: readonly Sshd[],
  key: Key,
  options: Partial<SshOptions> = {},
  units: readonly string[] = [],
): Promise<Reach> {
  const knownHosts = sshds.map(({ address, hostKey }) => knownAs(address, hostKey)).join('');
  const shell = await openSsh(systemClock, {
    user: 'root',
    keys: { privateKey: key.privateKey },
    knownHosts,
    ...options,
  });
  const records: ActionRecord[] = [];
  const hosts = hostsOver(shell, { clock: systemClock, onRecord: (record) => records.push(record), units });
  return { hosts, shell, records, [Symbol.asyncDispose]: () => shell[Symbol.asyncDispose]() };
}

/** How a run fails; throws when it does not. */
export async function failureOf(run: Promise<unknown>): Promise<{ failure: HostFailure; message: string }> {
  try {
    await run;
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return { failure: error.failure, message: error.message };
  }
  throw new Error('it did not fail');
}
