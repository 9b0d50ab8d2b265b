// Refusals in the words of the real server: a `metav1.Status` and its HTTP code.

export interface Cause {
  reason?: string;
  message: string;
  field?: string;
}

interface Details {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: Cause[];
  retryAfterSeconds?: number;
}

export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: Record<string, unknown>;
  status: 'Success' | 'Failure';
  message?: string;
  reason?: string;
  details?: Details;
  code?: number;
}

export class ApiError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: Details | undefined;
  /** Extra members of `metadata`: only an expired list has one (`continue`). */
  readonly metadata: Record<string, unknown>;

  constructor(
    code: number,
    reason: string,
    message: string,
    details?: Details,
    metadata: Record<string, unknown> = {},
  ) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
    this.metadata = metadata;
  }

  toStatus(): Status {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: this.metadata,
      status: 'Failure',
      message: this.message,
      reason: this.reason,
      ...(this.details ? { details: this.details } : {}),
      code: this.code,
    };
  }
}

/** What refusals need to know of a kind. */
export interface Named {
  group: string;
  kind: string;
  plural: string;
}

const resourceName = (of: Named) => (of.group ? `${of.plural}.${of.group}` : of.plural);
const kindName = (of: Named) => (of.group ? `${of.kind}.${of.group}` : of.kind);

const groupOf = (of: Named) => (of.group ? { group: of.group } : {});

export const notFound = (of: Named, name: string) =>
  new ApiError(404, 'NotFound', `${resourceName(of)} "${name}" not found`, {
    name,
    ...groupOf(of),
    kind: of.plural,
  });

export const noSuchPath = () =>
  new ApiError(404, 'NotFound', 'the server could not find the requested resource', {});

export const alreadyExists = (of: Named, name: string) =>
  new ApiError(409, 'AlreadyExists', `${resourceName(of)} "${name}" already exists`, {
    name,
    ...groupOf(of),
    kind: of.plural,
  });

export const conflict = (of: Named, name: string, why: string) =>
  new ApiError(409, 'Conflict', `Operation cannot be fulfilled on ${resourceName(of)} "${name}": ${why}`, {
    name,
    ...groupOf(of),
    kind: of.plural,
  });

export const CHANGED_MEANWHILE =
  'the object has been modified; please apply your changes to the latest version and try again';

export function invalid(of: Named, name: string, causes: Cause[]): ApiError {
  const lines = [...new Set(causes.map((c) => (c.field ? `${c.field}: ${c.message}` : c.message)))];
  const list = lines.length === 1 ? (lines[0] as string) : `[${lines.join(', ')}]`;
  return new ApiError(422, 'Invalid', `${kindName(of)} "${name}" is invalid: ${list}`, {
    name,
    ...groupOf(of),
    kind: of.kind,
    causes,
  });
}

export const badRequest = (message: string) => new ApiError(400, 'BadRequest', message);

export const methodNotAllowed = () =>
  new ApiError(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
    {},
  );

export const unsupportedMediaType = (type: string, supported: string[]) =>
  new ApiError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${supported.join(', ')} (got "${type}")`,
    {},
  );

export const notServedHere = (what: string) =>
  new ApiError(501, 'NotImplemented', `the embedded API does not support ${what}`);

export const expired = (message: string, metadata: Record<string, unknown> = {}) =>
  new ApiError(410, 'Expired', message, undefined, metadata);

export const tooManyRequests = (message: string, retryAfterSeconds: number, causes?: Cause[]) =>
  new ApiError(429, 'TooManyRequests', message, {
    ...(causes ? { causes } : {}),
    ...(retryAfterSeconds ? { retryAfterSeconds } : {}),
  });

export const success = (details?: Details): Status => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  ...(details ? { details } : {}),
});
