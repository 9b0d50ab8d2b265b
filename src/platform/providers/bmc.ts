// What Redfish and IPMI have in common: where a machine's BMC is, how one logs in there, and how gently it is asked.
import { messageOf } from '../kube/errors.ts';
import type { SecretReader, SecretRef } from '../kube/secrets.ts';
import { Turns } from '../turns.ts';
import { ProviderError } from './provider.ts';

/** A BMC has a small processor: more requests at once slow it down, or make it drop some. */
const CALLS_PER_BMC_MAX = 2;
/** What no BMC can do, whatever it speaks. */
export const BMCS_CANNOT = {
  Redeploy: 'a server of one’s own has no other hardware to move to',
  Release: 'a server of one’s own is not given back',
  Maintenance: 'a BMC announces no maintenance',
} as const;
export const BMCS_UNLISTED = 'nobody lists BMCs: machines are imported from a file';

/** Turns with BMCs; none waits for another's. */
export const bmcTurns = () => new Turns(Number.POSITIVE_INFINITY, CALLS_PER_BMC_MAX);

export interface BmcAddress {
  host: string;
  port: number;
  /** Path of the system within, where the id names one. */
  path: string;
}

/**
 * Reads a Machine's provider id: `host`, `host:port`, `[v6]:port`, with a path after it where the BMC has several systems.
 * Throws ProviderError NotFound on what is none of these: there is no such machine.
 */
export function bmcAddress(id: string, port: number): BmcAddress {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::([0-9]{1,5}))?(\/[\w/.~%-]*)?$/.exec(id);
  const host = match?.[1] ?? match?.[2];
  const named = match?.[3] === undefined ? port : Number(match[3]);
  // A name that begins with a hyphen would be taken for an option.
  if (!match || !host || host.startsWith('-') || named < 1 || named > 65_535)
    throw new ProviderError(
      'NotFound',
      `the machine's id "${id}" names no BMC: write host, host:port or [v6]:port, with /redfish/v1/Systems/NAME after it where one BMC has several systems`,
    );
  return { host, port: named, path: match[4] ?? '' };
}

export interface BmcLogin {
  username: string;
  password: string;
  /** SHA-256 of the certificate, lower-case hex without colons. */
  sha256?: string;
}

/** Its own entries of the Secret go before those that all share. */
export async function bmcLogin(secrets: SecretReader, ref: SecretRef, host: string): Promise<BmcLogin> {
  const where = `Secret ${ref.namespace}/${ref.name}`;
  let values: Readonly<Record<string, string>>;
  try {
    values = await secrets(ref);
  } catch (error) {
    throw new ProviderError('BadCredentials', `${where} can't be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const own = host.replaceAll(':', '_');
  const value = (key: string) => values[`${own}.${key}`]?.trim() || values[key]?.trim();
  const username = value('username');
  const password = values[`${own}.password`] ?? values.password;
  const sha256 = values[`${own}.sha256`]?.trim().replaceAll(':', '').toLowerCase();
  if (!username || !password)
    throw new ProviderError(
      'BadCredentials',
      `${where} has no ${username ? 'password' : 'username'} for ${host}`,
    );
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256))
    throw new ProviderError(
      'BadCredentials',
      `${where}: ${own}.sha256 is no SHA-256 in hex (64 digits, colons allowed)`,
    );
  return { username, password: password.replace(/\r?\n$/, ''), ...(sha256 && { sha256 }) };
}
