// Where credentials are had without a Secret: the metadata service of an instance, and the security token service.
// Both stand on the stand-in's own port, by their paths.
import { randomBytes } from 'node:crypto';
import { HOUR } from '../../platform/clock/clock.ts';
import { systemClock } from '../../platform/clock/system.ts';
import type { Account } from './signature.ts';

const METADATA_TOKEN = 'metadata-token';

export interface Identities {
  /** The RAM role of the instance that asks. */
  ramRole?: string;
  /** Who may have which role for an OIDC token. */
  oidc?: { roleArn: string; providerArn: string; token: string };
  /** How long credentials are good for, by the real clock; an hour without. */
  lifetime_ms?: number;
}

interface Answered {
  status: number;
  body: string;
}

/** Undefined where the path is none of theirs. New credentials become an account of their own. */
export function identityAnswer(
  identities: Identities,
  accounts: Account[],
  ask: {
    method: string;
    path: string;
    query: ReadonlyMap<string, string>;
    headers: Readonly<Record<string, string | undefined>>;
    body: string;
  },
): Answered | undefined {
  const { method, path, headers } = ask;
  const roles = '/latest/meta-data/ram/security-credentials/';
  if (method === 'PUT' && path === '/latest/api/token') return { status: 200, body: METADATA_TOKEN };
  if (path.startsWith(roles)) {
    if (headers['x-aliyun-ecs-metadata-token'] !== METADATA_TOKEN) return { status: 403, body: 'forbidden' };
    const { ramRole } = identities;
    if (!ramRole) return { status: 404, body: 'no RAM role' };
    const name = path.slice(roles.length);
    if (name === '') return { status: 200, body: ramRole };
    if (name !== ramRole) return { status: 404, body: `no RAM role ${name}` };
    return { status: 200, body: JSON.stringify({ Code: 'Success', ...issued(identities, accounts) }) };
  }
  if (ask.query.get('Action') !== 'AssumeRoleWithOIDC') return undefined;
  const form = new URLSearchParams(ask.body);
  const { oidc } = identities;
  if (!oidc || form.get('OIDCToken') !== oidc.token)
    return refused('AuthenticationFail.OIDCToken.Invalid', 'This JWT is not valid.');
  if (form.get('RoleArn') !== oidc.roleArn || form.get('OIDCProviderArn') !== oidc.providerArn)
    return refused('AuthenticationFail.NoPermission', 'This operation is forbidden by permission system.');
  return { status: 200, body: JSON.stringify({ RequestId: 'r', Credentials: issued(identities, accounts) }) };
}

const refused = (Code: string, Message: string): Answered => ({
  status: 400,
  body: JSON.stringify({ Code, Message }),
});

function issued({ lifetime_ms = HOUR }: Identities, accounts: Account[]): object {
  const expiresAt = systemClock.now() + lifetime_ms;
  const draw = () => randomBytes(12).toString('hex');
  const account = { accessKeyId: `STS.${draw()}`, accessKeySecret: draw(), securityToken: draw(), expiresAt };
  accounts.push(account);
  return {
    AccessKeyId: account.accessKeyId,
    AccessKeySecret: account.accessKeySecret,
    SecurityToken: account.securityToken,
    Expiration: `${new Date(expiresAt).toISOString().slice(0, 19)}Z`,
  };
}
