// HTTP to one BMC, and what its answers mean. Certificates of BMCs are mostly their own work, each another: so a
// certificate is held against a fingerprint before a byte of the request is sent, or against the site's authorities.
import { createHash } from 'node:crypto';
import * as http from 'node:http';
import * as https from 'node:https';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import * as tls from 'node:tls';
import { type Clock, SECOND } from '../../clock/clock.ts';
import { type Failure, ProviderError } from '../provider.ts';
import { saidBy, saysSuccess } from './message.ts';
import { isResource } from './resource.ts';

const ANSWER_BYTES_MAX = 8 << 20;
const IDLE_MS_MAX = 15 * SECOND;
const KEEP_ALIVE_MS = 30 * SECOND;

export interface WireOptions {
  secure: boolean;
  host: string;
  port: number;
  /** PEM. */
  ca?: string;
  /** Of the certificate, lower-case hex. */
  sha256?: string;
}

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  /** Undefined where it had none. */
  body: unknown;
}

export interface Ask {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** `/redfish/v1/…`, as the service itself wrote it. */
  path: string;
  headers?: Readonly<Record<string, string>>;
  body?: unknown;
  signal?: AbortSignal;
}

export class Wire {
  readonly #options: WireOptions;
  readonly #agent: http.Agent;

  /** Throws ProviderError where the options would send a password in clear, or to an unknown party. */
  constructor(options: WireOptions) {
    this.#options = options;
    mustBeSafe(options);
    const kept = { keepAlive: true, timeout: IDLE_MS_MAX };
    this.#agent = options.secure ? new CheckedAgent(options, kept) : new http.Agent(kept);
  }

  /**
   * Throws ProviderError where no whole answer came: TryAgain when the BMC cannot have acted, Unknown when it may have.
   * Every status is an answer.
   */
  send(ask: Ask): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const failed = this.#begin(ask, this.#agent, reject, (response) =>
        this.#whole(response, ask).then(resolve, failed),
      );
    });
  }

  /**
   * The same, for an answer that goes on: resolves when it begins. It has a connection of its own, so that it is in
   * nobody's way, and nobody who closes the others cuts it.
   */
  open(ask: Ask): Promise<http.IncomingMessage> {
    const agent = this.#options.secure ? new CheckedAgent(this.#options, {}) : new http.Agent();
    return new Promise((resolve, reject) => {
      this.#begin(ask, agent, reject, (response) => {
        // One whose other side vanishes is noticed by the kernel.
        response.socket.setKeepAlive(true, KEEP_ALIVE_MS);
        resolve(response);
      });
    });
  }

  /** The answer of a stream that was not one. */
  async rest(response: http.IncomingMessage, ask: Ask): Promise<Answer> {
    try {
      return await this.#whole(response, ask);
    } catch (error) {
      throw this.#failure(error as NodeJS.ErrnoException, ask.method, ask.path, true);
    }
  }

  /** Sends it; returns what turns a failure of its answer into ours. */
  #begin(
    { method, path, headers, body, signal }: Ask,
    agent: http.Agent,
    reject: (error: ProviderError) => void,
    onResponse: (response: http.IncomingMessage) => void,
  ): (error: NodeJS.ErrnoException) => void {
    const { secure, host, port } = this.#options;
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    let sent = false;
    const failed = (error: NodeJS.ErrnoException) => reject(this.#failure(error, method, path, sent));
    const outgoing = (secure ? https : http).request({
      agent,
      host,
      port,
      method,
      path,
      headers: {
        accept: 'application/json',
        'odata-version': '4.0',
        'user-agent': 'drover',
        ...(payload && { 'content-type': 'application/json', 'content-length': payload.length }),
        ...headers,
      },
      ...(signal && { signal }),
    });
    // With a checked agent a socket is handed over only when its certificate has been found right.
    outgoing.once('socket', (socket) => {
      if (socket.connecting) socket.once('connect', () => (sent = true));
      else sent = true;
    });
    outgoing.once('error', failed);
    outgoing.once('response', onResponse);
    outgoing.end(payload);
    return failed;
  }

  #whole(response: http.IncomingMessage, { method, path }: Ask): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let size_bytes = 0;
      response.on('data', (chunk: Buffer) => {
        size_bytes += chunk.length;
        if (size_bytes > ANSWER_BYTES_MAX)
          response.destroy(new Error(`its answer is larger than ${ANSWER_BYTES_MAX} bytes`));
        else chunks.push(chunk);
      });
      response.once('error', reject);
      response.once('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        try {
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: text.trim() === '' ? undefined : JSON.parse(text),
          });
        } catch {
          reject(this.#notJson(response.statusCode ?? 0, method, path, text));
        }
      });
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  #failure(error: NodeJS.ErrnoException, method: string, path: string, sent: boolean): ProviderError {
    if (error instanceof ProviderError) return error;
    const { host } = this.#options;
    const certificate = certificateTrouble(error.code);
    if (certificate)
      return new ProviderError('BadCredentials', `the BMC ${host}: ${certificate} (${error.message})`, {
        reason: 'CertificateRefused',
        cause: error,
      });
    const failure: Failure = sent && method !== 'GET' ? 'Unknown' : 'TryAgain';
    return new ProviderError(failure, `the BMC ${host}: ${method} ${path}: ${error.message}`, {
      cause: error,
    });
  }

  #notJson(status: number, method: string, path: string, text: string): ProviderError {
    const said = `the BMC ${this.#options.host} answers ${method} ${path} with status ${status} and no JSON: ${text.slice(0, 100)}`;
    // A web server that is up before the BMC's own software says so in HTML.
    return new ProviderError(status >= 500 && method === 'GET' ? 'TryAgain' : 'Broken', said);
  }
}

/**
 * The error that an answer is, if it is one. A BMC that answers 200 with an error in the body is one of these, too.
 */
export function errorOf(
  answer: Answer,
  method: string,
  what: string,
  clock: Clock,
): ProviderError | undefined {
  const { status, body } = answer;
  const isError = isResource(body) && 'error' in body && !('@odata.id' in body) && !saysSuccess(body);
  if (status < 400 && !isError) return undefined;
  const said = `${what}: ${saidBy(body) || `status ${status}`}`;
  if (status < 400)
    return new ProviderError('Broken', `${said} (with status ${status})`, { reason: 'ErrorWithStatusOk' });
  const seconds = Number(answer.headers['retry-after']);
  const until = seconds > 0 ? { until: clock.now() + Math.min(seconds, 600) * SECOND } : {};
  switch (status) {
    case 401:
      return new ProviderError('BadCredentials', said, { reason: 'WrongPassword' });
    case 403:
      return new ProviderError('BadCredentials', said, { reason: 'MissingRights' });
    case 404:
    case 410:
      return new ProviderError('NotFound', said);
    case 412:
    case 428:
      return new ProviderError('Refused', said, { reason: 'PreconditionFailed' });
    case 429:
      return new ProviderError('Throttled', said, until);
    case 503:
      return new ProviderError('TryAgain', said, until);
    case 405:
    case 501:
      return new ProviderError('Refused', said, { reason: 'NotImplemented' });
    default:
      if (status < 500) return new ProviderError('Refused', said);
      return new ProviderError(method === 'GET' ? 'TryAgain' : 'Unknown', said);
  }
}

function mustBeSafe({ secure, host, ca, sha256 }: WireOptions): void {
  if (!secure && !/^(127\.|::1$|localhost$)/.test(host))
    throw new ProviderError(
      'BadCredentials',
      `the password of ${host} would go over HTTP in clear: set spec.redfish.scheme to HTTPS`,
      {
        reason: 'InsecureScheme',
      },
    );
  if (secure && !ca && !sha256)
    throw new ProviderError(
      'BadCredentials',
      `the certificate of ${host} can't be checked: give spec.redfish.caBundle, or its fingerprint as ${host.replaceAll(':', '_')}.sha256 in the Secret`,
      { reason: 'CertificateUnknown' },
    );
}

/** Hands a connection over only after its certificate is known to be right. */
class CheckedAgent extends https.Agent {
  readonly #wire: WireOptions;

  constructor(wire: WireOptions, options: https.AgentOptions) {
    super(options);
    this.#wire = wire;
  }

  override createConnection(
    _options: unknown,
    done?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null | undefined {
    const { host, port, ca, sha256 } = this.#wire;
    const socket = tls.connect({
      host,
      port,
      minVersion: 'TLSv1.2',
      // A pinned certificate is trusted for what it is, whoever signed it and however old it is.
      rejectUnauthorized: !sha256,
      ...(ca && { ca }),
      ...(isIP(host) === 0 && { servername: host }),
    });
    const failed = (error: Error) => done?.(error, socket);
    socket.once('error', failed);
    socket.once('secureConnect', () => {
      socket.off('error', failed);
      const found = createHash('sha256').update(socket.getPeerCertificate().raw).digest('hex');
      if (!sha256 || found === sha256) return done?.(null, socket);
      socket.destroy();
      const message = `the BMC ${host} shows another certificate (SHA-256 ${found}) than the Secret names (${sha256}): if it was renewed, write the new one there`;
      done?.(new ProviderError('BadCredentials', message, { reason: 'CertificateChanged' }), socket);
    });
    return undefined;
  }
}

function certificateTrouble(code: string | undefined): string | undefined {
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return 'its certificate has expired';
    case 'CERT_NOT_YET_VALID':
      return 'its certificate is not valid yet; is our clock right?';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return 'its certificate is for another name';
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'CERT_SIGNATURE_FAILURE':
      return 'its certificate is not signed by an authority of spec.redfish.caBundle';
    default:
      return undefined;
  }
}
