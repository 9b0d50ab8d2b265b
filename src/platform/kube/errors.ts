/** A refusal by the API server: what `metav1.Status` said. The request had no effect. */
export class KubeError extends Error {
  readonly status: number;
  /** `NotFound`, `Conflict`, `AlreadyExists`, `Invalid`, `Expired`, `TooManyRequests` … */
  readonly reason: string;
  /** What the server asks us to wait, where it said so. */
  readonly retryAfter_ms: number | undefined;
  readonly details: unknown;

  constructor(request: string, status: number, body: unknown, retryAfter_ms?: number) {
    const said = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
    super(
      `${request}: ${said.message ?? (typeof body === 'string' && body !== '' ? body : `status ${status}`)}`,
    );
    this.name = 'KubeError';
    this.status = status;
    this.reason = typeof said.reason === 'string' ? said.reason : `Status${status}`;
    this.retryAfter_ms = retryAfter_ms;
    this.details = said.details;
  }
}

export const isConflict = (error: unknown) => error instanceof KubeError && error.status === 409;
export const isNotFound = (error: unknown) => error instanceof KubeError && error.status === 404;
export const isExpired = (error: unknown) => error instanceof KubeError && error.status === 410;

/** A sentence for logs and conditions out of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
