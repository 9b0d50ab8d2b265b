// What a person can do about what an S3-compatible store answers.
import { SECOND } from '../clock/clock.ts';
import type { S3Place } from './s3-place.ts';

export interface S3Answer {
  status: number;
  /** `NoSuchBucket`; empty where the answer has none. */
  code: string;
  message: string;
  /** Where the bucket is, if the server says. */
  region?: string;
  /** The server's clock, milliseconds since the epoch. */
  serverTime?: number;
}

export class S3Error extends Error {
  override readonly name = 'S3Error';
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

/** @param text the body of an answer that is no success, or its beginning */
export function answerOf(status: number, headers: Headers, text: string): S3Answer {
  const part = (name: string) => new RegExp(`<${name}>([^<]{1,300})</${name}>`).exec(text)?.[1];
  const region = part('Region') ?? headers.get('x-amz-bucket-region') ?? undefined;
  const serverTime = Date.parse(headers.get('date') ?? '');
  return {
    status,
    code: part('Code') ?? '',
    message: part('Message') ?? '',
    ...(region && { region }),
    ...(!Number.isNaN(serverTime) && { serverTime }),
  };
}

/** @param now this machine's clock */
export function explained(answer: S3Answer, what: string, place: S3Place, now: number): S3Error {
  const said = [answer.status, answer.code, answer.message].filter((part) => part !== '').join(' ');
  const mend = mendOf(answer, place, now);
  return new S3Error(`${what} failed at ${place.url}: ${mend} (the server said: ${said})`, answer.code);
}

function mendOf(answer: S3Answer, { bucket, region }: S3Place, now: number): string {
  switch (answer.code) {
    case 'NoSuchBucket':
      return `there is no bucket "${bucket}"; create it, or correct the setting`;
    case 'AccessDenied':
    case 'AllAccessDisabled':
      return `these keys may not do that; let them s3:GetObject, s3:PutObject and s3:DeleteObject, and s3:ListBucket, without which what is missing looks forbidden`;
    case 'InvalidAccessKeyId':
    case 'XAdminUserNotFound':
      return 'the store does not know the key of AWS_ACCESS_KEY_ID';
    case 'SignatureDoesNotMatch':
      return 'AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID, or a proxy changes requests on their way';
    case 'ExpiredToken':
    case 'InvalidToken':
    case 'TokenRefreshRequired':
      return 'AWS_SESSION_TOKEN is not valid any more; fetch new keys';
    case 'RequestTimeTooSkewed':
    case 'RequestExpired':
      return `this machine's clock is ${skew(answer, now)}; set it with NTP`;
    case 'AuthorizationHeaderMalformed':
    case 'PermanentRedirect':
    case 'TemporaryRedirect':
    case 'IllegalLocationConstraintException':
      return `the bucket is not in the region "${region}"; set region=${answer.region ?? '…'}`;
    case 'QuotaExceeded':
    case 'EntityTooLarge':
    case 'InsufficientStorage':
      return 'the bucket takes no more; raise its quota, or keep evidence for a shorter time (--crash-retention)';
  }
  if (answer.status === 403) return 'the store refuses these keys';
  if (answer.status === 404) return `there is no such place; is the endpoint that of an S3 store?`;
  if (answer.status >= 300 && answer.status < 400)
    return `the store sends us elsewhere; correct endpoint and region${answer.region ? `: ${answer.region}` : ''}`;
  if (answer.status === 429 || answer.status >= 500)
    return 'the store is overloaded or broken; we try again later';
  return 'the store refuses the request';
}

function skew({ serverTime }: S3Answer, now: number): string {
  if (serverTime === undefined) return "too far from the store's";
  const seconds = Math.round(Math.abs(now - serverTime) / SECOND);
  return `${seconds} s ${now > serverTime ? 'ahead of' : 'behind'} the store's`;
}
