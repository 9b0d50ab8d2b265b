// Hosts over SSH as a MachineProvider's spec.hosts says, with the keys of its Secret. The way is opened at its first use,
// and anew when the Secret has changed.

import { toMilliseconds } from '../../api/fields.ts';
import type { SshSettings } from '../../api/machine-provider.ts';
import { type Clock, SECOND } from '../clock/clock.ts';
import { messageOf } from '../kube/errors.ts';
import type { SecretReader } from '../kube/secrets.ts';
import { type ActionRecord, type Hosts, hostsOver } from './actions/run.ts';
import { HostError } from './host.ts';
import { openSsh, type SshShell } from './ssh/open-ssh.ts';
import type { SshOptions } from './ssh/options.ts';

/** Keys of the Secret; the first is that of a Secret of type kubernetes.io/ssh-auth. */
const KEYS = {
  privateKey: 'ssh-privatekey',
  certificate: 'ssh-certificate',
  knownHosts: 'known_hosts',
} as const;

export interface SshHostsContext {
  clock: Clock;
  secrets: SecretReader;
  onRecord(record: ActionRecord): void;
}

export interface SshHostsSettings {
  ssh: SshSettings;
  units: readonly string[];
}

export function sshHosts(
  settings: SshHostsSettings,
  context: SshHostsContext,
): Hosts & { close(): Promise<void> } {
  const { clock, secrets, onRecord } = context;
  let opened: { of: string; shell: Promise<SshShell>; hosts: Promise<Hosts> } | undefined;

  async function hosts(): Promise<Hosts> {
    const options = await optionsOf(settings, secrets);
    const of = JSON.stringify(options);
    if (opened?.of !== of) {
      const before = opened;
      const shell = openSsh(clock, options);
      opened = {
        of,
        shell,
        hosts: shell.then((open) => hostsOver(open, { clock, onRecord, units: settings.units })),
      };
      void before?.shell.then((open) => open[Symbol.asyncDispose]()).catch(() => {});
    }
    return opened.hosts;
  }

  return {
    run: async (host, name, params, signal) => (await hosts()).run(host, name, params, signal),
    close: async () => {
      const before = opened;
      opened = undefined;
      await before?.shell.then((open) => open[Symbol.asyncDispose]()).catch(() => {});
    },
  };
}

async function optionsOf({ ssh }: SshHostsSettings, secrets: SecretReader): Promise<SshOptions> {
  const { secretRef, user, knownAs, jump, reuse, concurrent, keyExchange } = ssh;
  const where = `Secret ${secretRef.namespace}/${secretRef.name}`;
  const values = await secrets(secretRef).catch((error: unknown) => {
    throw new HostError(`${where} can't be read: ${messageOf(error)}`, 'BadCredentials');
  });
  const want = (key: string) => {
    const value = values[key];
    if (!value) throw new HostError(`${where} has no "${key}"`, 'BadCredentials');
    return value;
  };
  const certificate = values[KEYS.certificate];
  const keys = { privateKey: want(KEYS.privateKey), ...(certificate && { certificate }) };
  return {
    user,
    keys,
    knownHosts: want(KEYS.knownHosts),
    knownAs,
    reuse_s: Math.round(toMilliseconds(reuse) / SECOND),
    concurrent_max: concurrent,
    keyExchange,
    ...(jump && { jump: { host: jump.host, user: jump.user, keys, ...(jump.port && { port: jump.port }) } }),
  };
}
