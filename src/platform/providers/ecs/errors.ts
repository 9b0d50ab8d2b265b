// What the ECS API's error codes, and answers that never came, mean for the next call.
import { type Clock, MINUTE, SECOND } from '../../clock/clock.ts';
import { type Failure, ProviderError } from '../provider.ts';

interface Row {
  /** The code itself, or its beginning where it ends with `*`. */
  code: string;
  failure: Failure;
  reason?: string;
  /** What a reader can do about it. */
  hint?: string;
}

/** The first row that fits counts. From the API's reference and from what others met: docs/providers/ecs.md. */
const CODES: readonly Row[] = [
  { code: 'Throttling*', failure: 'Throttled' },
  { code: 'LastTokenProcessing', failure: 'TryAgain', reason: 'StillProcessing' },
  { code: 'OperationConflict', failure: 'TryAgain' },
  { code: 'SignatureNonceUsed', failure: 'TryAgain' },
  { code: 'IncorrectInstanceStatus.Initializing', failure: 'TryAgain', reason: 'Initializing' },
  { code: 'IncorrectInstanceStatus*', failure: 'Refused', reason: 'WrongState' },
  { code: 'OperationDenied.NoStock', failure: 'NoStock' },
  { code: 'NoInstanceStock', failure: 'NoStock' },
  { code: 'ResourceNotAvailable', failure: 'NoStock' },
  { code: 'Zone.NotOnSale', failure: 'NoStock', reason: 'NotSoldHere' },
  { code: 'InvalidInstanceType.ZoneNotSupported', failure: 'NoStock', reason: 'NotSoldHere' },
  { code: 'InvalidResourceType.NotSupported', failure: 'NoStock', reason: 'NotSoldHere' },
  { code: 'OperationDenied.ZoneNotAllowed', failure: 'NoStock', reason: 'NotSoldHere' },
  { code: 'OperationDenied.ZoneSystemCategoryNotMatch', failure: 'NoStock', reason: 'NotSoldHere' },
  { code: 'OperationDenied.CloudSSDNotSupported', failure: 'NoStock', reason: 'NotSoldHere' },
  { code: 'InvalidVpcZone.NotSupported', failure: 'NoStock', reason: 'NotSoldHere' },
  { code: 'InvalidVSwitchId.IpNotEnough', failure: 'NoStock', reason: 'AddressesUsedUp' },
  // Both spellings are the API's own.
  { code: 'QuotaExceed*', failure: 'Quota' },
  { code: 'OperationDenied.QuotaExceed', failure: 'Quota' },
  { code: 'SecurityGroupInstanceLimitExceed', failure: 'Quota' },
  {
    code: 'InvalidTimeStamp.Expired',
    failure: 'BadCredentials',
    reason: 'ClockOff',
    hint: 'the clock of this host is off by more than 15 minutes',
  },
  {
    code: 'IllegalTimestamp',
    failure: 'BadCredentials',
    reason: 'ClockOff',
    hint: 'the clock of this host is off by more than 15 minutes',
  },
  { code: 'InvalidAccessKeyId*', failure: 'BadCredentials', reason: 'AccessKeyUnknown' },
  { code: 'SignatureDoesNotMatch', failure: 'BadCredentials', reason: 'WrongSecret' },
  { code: 'IncompleteSignature', failure: 'BadCredentials', reason: 'WrongSecret' },
  { code: 'InvalidSecurityToken*', failure: 'BadCredentials', reason: 'TokenExpired' },
  {
    code: 'Forbidden*',
    failure: 'BadCredentials',
    reason: 'MissingRights',
    hint: 'see docs/providers/ecs.md',
  },
  {
    code: 'NoPermission*',
    failure: 'BadCredentials',
    reason: 'MissingRights',
    hint: 'see docs/providers/ecs.md',
  },
  { code: 'InvalidInstanceId.NotFound', failure: 'NotFound' },
  { code: 'InvalidInstanceIds.NotFound', failure: 'NotFound' },
  { code: 'InvalidInstance.NotFound', failure: 'NotFound' },
  { code: 'InvalidInstance.NotRunning', failure: 'Refused', reason: 'WrongState' },
  { code: 'InstanceLockedForSecurity', failure: 'Refused', reason: 'Locked' },
  { code: 'InstanceExpiredOrInArrears', failure: 'Refused', reason: 'InArrears' },
  { code: 'InvalidOperation.DeletionProtection', failure: 'Refused', reason: 'DeletionProtection' },
  { code: 'OperationDenied.DeletionProtection', failure: 'Refused', reason: 'DeletionProtection' },
  { code: 'DryRunOperation', failure: 'Refused', reason: 'DryRunPassed' },
  { code: 'IdempotentParameterMismatch', failure: 'Refused', reason: 'TokenMismatch' },
  { code: 'InvalidIdempotenceParameter.Mismatch', failure: 'Refused', reason: 'TokenMismatch' },
];

/** No byte of the call has left: whatever it was, it did not happen. */
const NEVER_LEFT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
]);

const CERTIFICATE = /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_CERT)/;

const MESSAGE_LENGTH_MAX = 512;

/** So long after a minute has begun, at most, so that not all who waited for it call in its first instant. */
const SPREAD_MS = 2 * SECOND;

/** Whether a call that may have reached the API may have changed something there. */
export type Kind = 'Read' | 'Act';

/** @param accessKeyId whose call it was, where that is known */
export function failureOf(
  error: unknown,
  { action, kind, accessKeyId }: { action: string; kind: Kind; accessKeyId: string | undefined },
  clock: Clock,
): ProviderError {
  if (error instanceof ProviderError) return error;
  const { code, statusCode, message: whole } = partsOf(error);
  const message = withoutQuery(whole);
  // Nor does it come in by the back door.
  const cause = message === whole ? { cause: error } : {};
  const said = `ECS ${action}: ${message}`;
  const unanswered = kind === 'Read' ? 'TryAgain' : 'Unknown';
  if (statusCode === undefined) {
    if (NEVER_LEFT.has(code)) return new ProviderError('TryAgain', said, cause);
    if (CERTIFICATE.test(code))
      return new ProviderError('BadCredentials', said, { reason: 'CertificateRefused', ...cause });
    // A socket that was cut, a time limit, or an answer that is no JSON: the SDK keeps no status of these.
    return new ProviderError(unanswered, said, cause);
  }
  const row = meaningOf(code);
  if (row) {
    const whose = row.failure === 'BadCredentials' && accessKeyId ? ` (AccessKey ${accessKeyId})` : '';
    const hint = row.hint ? `; ${row.hint}` : '';
    const reason = row.reason ? { reason: row.reason } : {};
    const until = row.failure === 'Throttled' ? { until: nextWindow(clock) } : {};
    return new ProviderError(row.failure, said + whose + hint, { ...reason, ...until, ...cause });
  }
  return new ProviderError(statusCode >= 500 ? unanswered : 'Refused', said, cause);
}

export function meaningOf(code: string): Readonly<Row> | undefined {
  return CODES.find((row) => fits(row, code));
}

/** Calls are counted by the minute: who was throttled in one is let in again in the next. */
export function nextWindow(clock: Clock): number {
  const begins = (Math.floor(clock.now() / MINUTE) + 1) * MINUTE;
  return begins + clock.random() * SPREAD_MS;
}

function fits({ code }: Row, said: string): boolean {
  return code.endsWith('*') ? said.startsWith(code.slice(0, -1)) : said === code;
}

/** The SDK's time limits say the whole URL, and with it user data. */
function withoutQuery(message: string): string {
  return message.replace(/\?\S+/g, '').slice(0, MESSAGE_LENGTH_MAX);
}

function partsOf(error: unknown): { code: string; statusCode: number | undefined; message: string } {
  if (!(error instanceof Error)) return { code: '', statusCode: undefined, message: String(error) };
  const { code, statusCode } = error as Error & { code?: unknown; statusCode?: unknown };
  return {
    code: typeof code === 'string' ? code : '',
    statusCode: typeof statusCode === 'number' ? statusCode : undefined,
    message: error.message || error.name,
  };
}
