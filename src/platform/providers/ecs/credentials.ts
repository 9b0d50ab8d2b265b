// Where the AccessKey comes from: a Secret, the RAM role of the instance that Drover runs on, or RRSA (OIDC). Own code
// for the last two, since the SDK's can't be pointed at anything else, and knows neither our clock nor our limits.
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { EcsCredentials, EcsSettings } from '../../../api/machine-provider.ts';
import { type Clock, MINUTE, SECOND, toTime } from '../../clock/clock.ts';
import type { SecretReader } from '../../kube/secrets.ts';
import { ProviderError } from '../provider.ts';
import { endpointUrl } from './endpoint.ts';

export interface Credentials {
  accessKeyId: string;
  accessKeySecret: string;
  securityToken?: string;
}

export interface CredentialSource {
  get(): Promise<Credentials>;
  /** They were refused: the next get does not take what is remembered. */
  forget(): void;
}

const METADATA = 'http://100.100.100.200';
const METADATA_TOKEN_TTL_S = 300;
const TIMEOUT_MS = 5 * SECOND;
const ANSWER_BYTES_MAX = 64 * 1024;
/** New ones are fetched so long before the old ones end. */
const RENEW_MS = 10 * MINUTE;

const text = z.string().min(1).max(8192);
const inSecret = z.object({ accessKeyId: text, accessKeySecret: text, securityToken: text.optional() });
const temporary = z.object({
  AccessKeyId: text,
  AccessKeySecret: text,
  SecurityToken: text,
  Expiration: z.iso.datetime(),
});
const stsAnswer = z.object({ Credentials: temporary });

export function credentialSource(
  { credentials, regionId }: Pick<EcsSettings, 'credentials' | 'regionId'>,
  { clock, secrets }: { clock: Clock; secrets: SecretReader },
): CredentialSource {
  const { secretRef, ramRole, oidc } = credentials;
  if (secretRef) return { get: () => fromSecret(secrets, secretRef), forget: () => {} };
  if (ramRole) return remembered(clock, () => fromMetadata(ramRole));
  if (oidc) return remembered(clock, () => fromSts(oidc, regionId, clock));
  throw bad('spec.ecs.credentials names none of secretRef, ramRole, oidc');
}

async function fromSecret(
  secrets: SecretReader,
  ref: NonNullable<EcsCredentials['secretRef']>,
): Promise<Credentials> {
  const where = `the Secret ${ref.namespace}/${ref.name}`;
  const values = await secrets(ref).catch((error: unknown) => {
    throw new ProviderError('BadCredentials', `${where} can't be read: ${messageOf(error)}`, {
      reason: 'SecretUnreadable',
      cause: error,
    });
  });
  const read = inSecret.safeParse(values);
  if (read.success) {
    const { accessKeyId, accessKeySecret, securityToken } = read.data;
    return { accessKeyId, accessKeySecret, ...(securityToken && { securityToken }) };
  }
  throw bad(`${where} holds no ${String(read.error.issues[0]?.path[0])}`);
}

/** Those of one role, until shortly before they end. Those who ask at once share one answer. */
function remembered(clock: Clock, fetch: () => Promise<z.output<typeof temporary>>): CredentialSource {
  let known: { credentials: Credentials; until: number } | undefined;
  let asking: Promise<Credentials> | undefined;
  const ask = async () => {
    try {
      const { AccessKeyId, AccessKeySecret, SecurityToken, Expiration } = await fetch();
      const credentials = {
        accessKeyId: AccessKeyId,
        accessKeySecret: AccessKeySecret,
        securityToken: SecurityToken,
      };
      known = { credentials, until: Date.parse(Expiration) };
      return credentials;
    } catch (error) {
      // What we have is good for some minutes more.
      if (known && clock.now() < known.until) return known.credentials;
      throw error;
    } finally {
      asking = undefined;
    }
  };
  return {
    get: async () => {
      if (known && clock.now() < known.until - RENEW_MS) return known.credentials;
      asking ??= ask();
      return asking;
    },
    forget: () => {
      known = undefined;
    },
  };
}

/** The metadata service of the instance, by its hardened mode (a session token first). */
async function fromMetadata({ name, endpoint = METADATA }: NonNullable<EcsCredentials['ramRole']>) {
  const token = await asked(`${endpoint}/latest/api/token`, {
    method: 'PUT',
    headers: { 'x-aliyun-ecs-metadata-token-ttl-seconds': String(METADATA_TOKEN_TTL_S) },
  });
  const headers = { 'x-aliyun-ecs-metadata-token': token };
  const roles = `${endpoint}/latest/meta-data/ram/security-credentials/`;
  const role = name ?? (await asked(roles, { headers })).trim();
  return parsed(
    temporary,
    await asked(`${roles}${encodeURIComponent(role)}`, { headers }),
    `the RAM role ${role}`,
  );
}

/** AssumeRoleWithOIDC, which is called without a signature: the token is the proof. */
async function fromSts(oidc: NonNullable<EcsCredentials['oidc']>, regionId: string, clock: Clock) {
  const token = await readFile(oidc.tokenFile, 'utf8').catch((error: unknown) => {
    throw bad(`spec.ecs.credentials.oidc.tokenFile: ${messageOf(error)}`);
  });
  const query = new URLSearchParams({
    Action: 'AssumeRoleWithOIDC',
    Version: '2015-04-01',
    Format: 'JSON',
    Timestamp: toTime(clock.now()),
    SignatureNonce: clock.id(32),
  });
  const body = new URLSearchParams({
    RoleArn: oidc.roleArn,
    OIDCProviderArn: oidc.oidcProviderArn,
    OIDCToken: token.trim(),
    RoleSessionName: 'drover',
    DurationSeconds: '3600',
  });
  const { url } = endpointUrl(oidc.stsEndpoint ?? `sts-vpc.${regionId}.aliyuncs.com`);
  const answer = await asked(`${url}/?${query}`, { method: 'POST', body });
  return parsed(stsAnswer, answer, `the role ${oidc.roleArn}`).Credentials;
}

async function asked(url: string, init: RequestInit): Promise<string> {
  const where = new URL(url);
  const what = `${where.host}${where.pathname}`;
  let status: number;
  let body: string;
  try {
    const response = await fetch(url, {
      ...init,
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    status = response.status;
    body = await response.text();
  } catch (error) {
    throw new ProviderError('TryAgain', `credentials from ${what}: ${messageOf(error)}`, { cause: error });
  }
  if (body.length > ANSWER_BYTES_MAX) throw bad(`${what} answers with more than ${ANSWER_BYTES_MAX} bytes`);
  if (status >= 500) throw new ProviderError('TryAgain', `credentials from ${what}: status ${status}`);
  if (status !== 200) throw bad(`${what} answers ${status}: ${body.slice(0, 200)}`);
  return body;
}

function parsed<T>(schema: z.ZodType<T>, body: string, whose: string): T {
  try {
    return schema.parse(JSON.parse(body));
  } catch {
    // What came may hold a secret, so it is not shown.
    throw bad(`what came for ${whose} holds no credentials`);
  }
}

const bad = (message: string) => new ProviderError('BadCredentials', message, { reason: 'NoCredentials' });

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
