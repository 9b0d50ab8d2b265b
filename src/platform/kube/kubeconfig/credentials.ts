// From a user entry to what proves who we are.

import { createSecureContext } from 'node:tls';
import type { Clock } from '../../clock/clock.ts';
import type { CredentialSource, Credentials } from '../https.ts';
import { execCredentials } from './exec.ts';
import { fail, fileReader, pemReader } from './material.ts';
import type { Located } from './read.ts';
import type { Cluster, User } from './schema.ts';

export interface CredentialOptions {
  cluster: Cluster;
  /** PEM of the cluster's certificate authority. */
  ca?: string;
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
}

/** kubectl's order: a token or a password of the entry's own goes before its exec plugin. */
export function credentialsOf(user: Located<User>, options: CredentialOptions): CredentialSource {
  const { value } = user;
  if (value['auth-provider']) {
    fail(user, 'auth-provider', 'removed from Kubernetes in 1.26 and not supported; use exec');
  }
  if ((value.token || value.tokenFile) && value.username) {
    fail(user, 'username', 'the entry has a token too; leave one of them out');
  }
  const plugin = value.exec && checkedPlugin(user, options);
  const authorization = authorizationOf(user, options.clock);
  const certificate = certificateOf(user, options.clock);
  if (plugin && !authorization) {
    if (!certificate) return plugin;
    return async (refused) => ({ ...certificate(false), ...(await plugin(refused)) });
  }
  return async (refused) => {
    const fresh = refused !== undefined;
    return { ...certificate?.(fresh), ...(authorization && { authorization: authorization(fresh) }) };
  };
}

/** Impersonate-* headers. */
export function impersonationOf(user: Located<User>): Record<string, string | string[]> {
  const { value } = user;
  const headers: Record<string, string | string[]> = {};
  if (value.as) headers['Impersonate-User'] = value.as;
  if (value['as-uid']) headers['Impersonate-Uid'] = value['as-uid'];
  if (value['as-groups']?.length) headers['Impersonate-Group'] = value['as-groups'];
  for (const [key, values] of Object.entries(value['as-user-extra'] ?? {})) {
    headers[`Impersonate-Extra-${encodeURIComponent(key)}`] = values;
  }
  if (!value.as && Object.keys(headers).length > 0)
    fail(user, 'as', 'missing; as-uid, as-groups and as-user-extra need it');
  return headers;
}

function checkedPlugin(user: Located<User>, options: CredentialOptions): CredentialSource | undefined {
  const { exec } = user.value;
  if (!exec) return undefined;
  if (user.source.folder === undefined) {
    fail(user, 'exec', 'programs cannot be run from here; use token or client-certificate-data');
  }
  return execCredentials({ ...options, user, exec });
}

function authorizationOf(user: Located<User>, clock: Clock): ((fresh: boolean) => string) | undefined {
  const { token, username, password } = user.value;
  const file = fileReader(user, 'tokenFile', clock);
  if (file) {
    if (file(true).trim() === '') fail(user, 'tokenFile', 'the file is empty; it should hold a token');
    return (fresh) => `Bearer ${file(fresh).trim()}`;
  }
  if (token) return () => `Bearer ${token}`;
  if (!username) return undefined;
  const basic = `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`;
  return () => basic;
}

function certificateOf(user: Located<User>, clock: Clock): ((fresh: boolean) => Credentials) | undefined {
  const cert = pemReader(user, 'client-certificate', clock);
  const key = pemReader(user, 'client-key', clock);
  if (!cert && !key) return undefined;
  if (!cert) return fail(user, 'client-certificate-data', 'missing, while there is a client key');
  if (!key) return fail(user, 'client-key-data', 'missing, while there is a client certificate');
  try {
    createSecureContext({ cert: cert(false), key: key(false) });
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    fail(user, 'client-key-data', `the certificate and the key do not work together: ${problem}`, cause);
  }
  return (fresh) => ({ cert: cert(fresh), key: key(fresh) });
}
