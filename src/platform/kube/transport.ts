// How a request reaches an API server: over HTTPS (https.ts) or by a call into the embedded one
// (simulation/api). Requests and responses are plain data; the embedded path has no text in between.

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface KubeRequest {
  method: Method;
  /** Absolute path without query: `/apis/drover.dev/v1alpha1/machines/m1/status`. */
  path: string;
  /** Query parameters as the Kubernetes API names them: `labelSelector`, `fieldManager`, `limit` … */
  query?: Readonly<Record<string, string>>;
  /** MIME type asked for, with its parameters; JSON by default. Table output is asked for here. */
  accept?: string;
  /** MIME type of `body`: decides which kind of patch it is. JSON by default. */
  contentType?: string;
  /** A JSON value. The receiver must not change it, and neither may the sender afterwards. */
  body?: unknown;
  signal?: AbortSignal;
  /** Gives up after this long without an answer (for a stream: without its first byte). */
  timeout_ms?: number;
}

export interface KubeResponse {
  /** HTTP status code. 4xx and 5xx are returned, not thrown; their body is a `metav1.Status`. */
  status: number;
  /** Lower-case names. */
  headers: Readonly<Record<string, string>>;
  /** The parsed JSON value, or a string where the server answers with text (`/version` is JSON, `/readyz` text). Read-only. */
  body: unknown;
}

/** An accepted watch: one parsed value per watch event, until the server or `signal` ends it. */
export interface KubeStream {
  status: number;
  /** Set instead of `events` when the server refused (status >= 400): a `metav1.Status`. */
  refusal?: unknown;
  /** Throws TransportError when the connection breaks; ends when the server closes it cleanly. */
  events: AsyncIterable<unknown>;
}

export interface Transport {
  /** Throws TransportError when no answer came: the outcome is then unknown, not failed. */
  send(request: KubeRequest): Promise<KubeResponse>;
  /** For `watch=1` requests. Abort `request.signal` to end it. */
  stream(request: KubeRequest): Promise<KubeStream>;
  /** Closes idle connections. Requests in flight are not waited for. */
  close(): void;
}

/** No answer came. `sent: false` means for certain that the server never saw the request. */
export class TransportError extends Error {
  readonly sent: boolean;
  constructor(message: string, options: { sent: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = 'TransportError';
    this.sent = options.sent;
  }
}
