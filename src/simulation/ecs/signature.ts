// Checks ACS3-HMAC-SHA256 signatures, which cover method, path, query and the headers that a client names.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { MINUTE } from '../../platform/clock/clock.ts';
import { systemClock } from '../../platform/clock/system.ts';
import { ApiError } from './api-error.ts';

/** One AccessKey. */
export interface Account {
  accessKeyId: string;
  accessKeySecret: string;
  /** Of temporary credentials; a call without it, or with another, is refused. */
  securityToken?: string;
  /** Epoch milliseconds by the real clock, for temporary credentials. */
  expiresAt?: number;
  /** Whose instances it sees: keys of one owner see the same. `main` without. */
  owner?: string;
  /** What its RAM policy lets it call; all without. */
  actions?: readonly string[];
  /** Instances that the owner may have at one time. */
  instancesMax?: number;
}

export interface Signed {
  method: string;
  path: string;
  /** Decoded. */
  query: readonly (readonly [string, string])[];
  headers: Readonly<Record<string, string | undefined>>;
  bodySha256: string;
}

const SKEW_MS_MAX = 15 * MINUTE;
const NONCES_MAX = 200_000;

export class Signatures {
  readonly #nonces = new Set<string>();

  /**
   * Whose call it is. Clients sign by the real time, whatever clock the simulation runs by.
   * @param skew_ms how far the client's clock is to seem behind
   */
  check(ask: Signed, accounts: readonly Account[], skew_ms: number): Account {
    const { headers } = ask;
    const match = /^ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    );
    if (!match)
      throw new ApiError('MissingParameter', 'The header Authorization holds no ACS3-HMAC-SHA256 signature.');
    const [, id, names, signature] = match as unknown as [string, string, string, string];
    const account = accounts.find(({ accessKeyId }) => accessKeyId === id);
    if (!account) throw new ApiError('InvalidAccessKeyId.NotFound', 'Specified access key is not found.');
    mustBeTimely(headers['x-acs-date'], skew_ms);
    const signed = names.split(';');
    for (const name of ['host', 'x-acs-action', 'x-acs-version', 'x-acs-date', 'x-acs-signature-nonce'])
      if (!signed.includes(name))
        throw new ApiError('IncompleteSignature', `The header ${name} is not signed.`);
    if (ask.bodySha256 !== headers['x-acs-content-sha256'])
      throw new ApiError('SignatureDoesNotMatch', 'x-acs-content-sha256 is not that of the body.');
    const right = createHmac('sha256', account.accessKeySecret).update(textToSign(ask, signed)).digest();
    if (!timingSafeEqual(right, Buffer.from(signature, 'hex')))
      throw new ApiError('SignatureDoesNotMatch', 'Specified signature is not matched with our calculation.');
    if (account.securityToken !== undefined && headers['x-acs-security-token'] !== account.securityToken)
      throw new ApiError('InvalidSecurityToken.Malformed', 'Specified SecurityToken is malformed.');
    if (account.expiresAt !== undefined && systemClock.now() > account.expiresAt)
      throw new ApiError('InvalidSecurityToken.Expired', 'Specified SecurityToken is expired.');
    this.#use(`${id}/${headers['x-acs-signature-nonce']}`);
    return account;
  }

  #use(nonce: string): void {
    if (this.#nonces.has(nonce))
      throw new ApiError('SignatureNonceUsed', 'Specified signature nonce was used already.');
    this.#nonces.add(nonce);
    if (this.#nonces.size <= NONCES_MAX) return;
    for (const oldest of this.#nonces) {
      this.#nonces.delete(oldest);
      break;
    }
  }
}

function mustBeTimely(date: string | undefined, skew_ms: number): void {
  const at = Date.parse(date ?? '');
  if (Number.isNaN(at))
    throw new ApiError('IllegalTimestamp', 'The input parameter "Timestamp" is not well formed.');
  const behind_ms = systemClock.now() - (at - skew_ms);
  if (behind_ms > SKEW_MS_MAX)
    throw new ApiError('InvalidTimeStamp.Expired', 'Specified time stamp or date value is expired.');
  if (behind_ms < -SKEW_MS_MAX)
    throw new ApiError('IllegalTimestamp', 'The input parameter "Timestamp" lies in the future.');
}

function textToSign({ method, path, query, headers }: Signed, signed: readonly string[]): string {
  const pairs = query.map(([key, value]) => [escaped(key), escaped(value)] as const);
  pairs.sort(([a], [b]) => (a < b ? -1 : 1));
  const canonical = [
    method,
    path,
    pairs.map((pair) => pair.join('=')).join('&'),
    signed.map((name) => `${name}:${(headers[name] ?? '').trim()}\n`).join(''),
    signed.join(';'),
    headers['x-acs-content-sha256'] ?? '',
  ].join('\n');
  return `ACS3-HMAC-SHA256\n${createHash('sha256').update(canonical).digest('hex')}`;
}

/** RFC 3986. */
function escaped(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
