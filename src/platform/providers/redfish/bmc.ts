// One BMC and the one session that is held with it. Some take 8 sessions and lock everybody out for half an hour
// beyond that, so a session is shared by all calls, and always given back.
import type { IncomingMessage } from 'node:http';
import { type Clock, MINUTE, SECOND, type Timer } from '../../clock/clock.ts';
import { ProviderError } from '../provider.ts';
import { isResource, linkOf, type Resource, resourceOf } from './resource.ts';
import { type Answer, type Ask, errorOf, type Wire } from './wire.ts';

const ROOT = '/redfish/v1/';
/** BMCs end sessions that are idle after 5 to 30 minutes by themselves. */
const SESSION_IDLE_MS = MINUTE;
/** Where it gives no session now: its password goes with each request for so long. */
const BASIC_MS = 10 * MINUTE;
/** A stream that has not begun by then holds up the requests behind it: some say nothing before the first event. */
const BEGIN_MS_MAX = 10 * SECOND;
/** A session is given back within this, or left to the BMC. */
const CLOSE_MS_MAX = 5 * SECOND;

export interface BmcOptions {
  clock: Clock;
  wire: Wire;
  /** For messages. */
  name: string;
  username: string;
  password: string;
  /** Waits for a turn with this BMC. */
  turn<T>(call: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

interface Session {
  token: string;
  /** Where it is given back. */
  path: string;
}

export class Bmc {
  readonly name: string;
  readonly #options: BmcOptions;
  #root: Promise<Resource> | undefined;
  #session: Promise<Session | undefined> | undefined;
  #basicUntil = 0;
  #idle: Timer | undefined;
  /** Streams that are open: each holds the session. */
  readonly #streams = new Set<IncomingMessage>();

  constructor(options: BmcOptions) {
    this.#options = options;
    this.name = options.name;
  }

  /** The service root: where everything else begins. It needs no login. */
  root(signal?: AbortSignal): Promise<Resource> {
    this.#root ??= this.#send({ method: 'GET', path: ROOT, ...(signal && { signal }) })
      .then((answer) => this.#resource(answer, ROOT))
      .catch((error: unknown) => {
        this.#root = undefined;
        throw error;
      });
    return this.#root;
  }

  async get(path: string, signal?: AbortSignal): Promise<Resource> {
    return this.#resource(await this.#ask({ method: 'GET', path, ...(signal && { signal }) }), path);
  }

  /** Its tag: what a change of it names, so that it changes what was read. */
  async tagged(path: string, signal?: AbortSignal): Promise<{ tag: string | undefined }> {
    const { headers, body } = await this.#ask({ method: 'GET', path, ...(signal && { signal }) });
    const own = isResource(body) ? body['@odata.etag'] : undefined;
    const tag = headers.etag ?? own;
    return { tag: typeof tag === 'string' && tag !== '' ? tag : undefined };
  }

  patch(path: string, body: unknown, tag: string | undefined, signal?: AbortSignal): Promise<Answer> {
    const headers: Record<string, string> = tag === undefined ? {} : { 'if-match': tag };
    return this.#ask({ method: 'PATCH', path, body, headers, ...(signal && { signal }) });
  }

  /** The answer to what was accepted; throws where it was not. */
  post(path: string, body: unknown, signal?: AbortSignal): Promise<Answer> {
    return this.#ask({ method: 'POST', path, body, ...(signal && { signal }) });
  }

  /**
   * An answer that goes on, as server-sent events do: what is 200 is handed out when it begins, and throws as any other
   * answer where it is not. It takes a turn only until then. The session is held until it ends.
   */
  async stream(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    const ask: Ask = { method: 'GET', path, headers: { accept: 'text/event-stream' }, signal };
    const response = await this.#authorised(
      ask,
      (sent) => this.#options.turn(() => this.#begin(sent, signal), signal),
      ({ statusCode }) => statusCode === 401,
    );
    const isStream = /^text\/event-stream\b/i.test(response.headers['content-type'] ?? '');
    if (response.statusCode !== 200 || !isStream) {
      const answer = await this.#options.wire.rest(response, ask);
      this.#touch();
      throw (
        this.#errorOf(ask, answer) ??
        new ProviderError('Refused', `the BMC ${this.name}: ${path} is no stream of events`, {
          reason: 'NotImplemented',
        })
      );
    }
    this.#streams.add(response);
    response.once('close', () => {
      this.#streams.delete(response);
      this.#touch();
    });
    this.#touch();
    return response;
  }

  async #begin(ask: Ask, signal: AbortSignal): Promise<IncomingMessage> {
    const { clock, wire } = this.#options;
    const late = new AbortController();
    const timer = clock.timer(BEGIN_MS_MAX, () => late.abort(new Error('its stream did not begin')));
    try {
      return await wire.open({ ...ask, signal: AbortSignal.any([signal, late.signal]) });
    } finally {
      timer.cancel();
    }
  }

  /** Ends what is open and gives the session back. Never throws: the BMC forgets it by itself some time. */
  async close(): Promise<void> {
    this.#idle?.cancel();
    for (const stream of this.#streams) stream.destroy();
    const held = this.#session;
    this.#session = undefined;
    const session = await held?.catch(() => undefined);
    if (session) await this.#giveBack(session).catch(() => undefined);
    // Another login may have begun meanwhile: its connections are not ours to cut.
    if (!this.#session) this.#options.wire.close();
  }

  /** One that hangs must not keep Drover from ending. */
  async #giveBack({ path, token }: Session): Promise<void> {
    const stop = new AbortController();
    const timer = this.#options.clock.timer(CLOSE_MS_MAX, () => stop.abort(new Error('it took too long')));
    try {
      await this.#send({ method: 'DELETE', path, headers: { 'x-auth-token': token }, signal: stop.signal });
    } finally {
      timer.cancel();
    }
  }

  async #ask(ask: Ask): Promise<Answer> {
    const answer = await this.#authorised(
      ask,
      (sent) => this.#send(sent),
      ({ status }) => status === 401,
    );
    this.#touch();
    const error = this.#errorOf(ask, answer);
    if (error) throw error;
    return answer;
  }

  /** A token can vanish early, when the BMC restarts or an administrator ends sessions: then one new login. */
  async #authorised<T>(
    ask: Ask,
    send: (ask: Ask) => Promise<T>,
    isUnknown: (answer: T) => boolean,
  ): Promise<T> {
    const used = await this.#login(ask.signal);
    const answer = await send(this.#withAuth(ask, used));
    if (!isUnknown(answer) || !used) return answer;
    if ((await this.#session?.catch(() => undefined)) === used) this.#session = undefined;
    return send(this.#withAuth(ask, await this.#login(ask.signal)));
  }

  #errorOf({ method, path }: Ask, answer: Answer): ProviderError | undefined {
    const error = errorOf(answer, method, `the BMC ${this.name}: ${method} ${path}`, this.#options.clock);
    return error?.reason === 'WrongPassword' ? this.#wrongPassword() : error;
  }

  #login(signal?: AbortSignal): Promise<Session | undefined> {
    if (this.#options.clock.now() < this.#basicUntil) return Promise.resolve(undefined);
    // Whoever asked first may give up; the login is for all.
    this.#session ??= this.#open(signal).catch((error: unknown) => {
      this.#session = undefined;
      throw error;
    });
    return this.#session;
  }

  /** Undefined: it gives no sessions, or no more of them now. */
  async #open(signal?: AbortSignal): Promise<Session | undefined> {
    const { username, password } = this.#options;
    const root = await this.root(signal);
    const path = linkOf(root.Links, 'Sessions');
    if (!path) return this.#goBasic();
    const body = { UserName: username, Password: password };
    const answer = await this.#send({ method: 'POST', path, body, ...(signal && { signal }) });
    const token = answer.headers['x-auth-token'];
    // 201 by the specification; some answer 204.
    if (answer.status < 300 && typeof token === 'string') {
      const location = answer.headers.location ?? linkOf(answer.body, '@odata.id');
      return { token, path: location ? new URL(location, 'http://bmc').pathname : path };
    }
    if (answer.status === 401 || answer.status === 403) throw this.#wrongPassword();
    return this.#goBasic();
  }

  #wrongPassword(): ProviderError {
    const message = `the BMC ${this.name} refuses the password of ${this.#options.username}`;
    return new ProviderError('BadCredentials', message, { reason: 'WrongPassword' });
  }

  #goBasic(): undefined {
    this.#basicUntil = this.#options.clock.now() + BASIC_MS;
    this.#session = undefined;
  }

  #withAuth(ask: Ask, session: Session | undefined): Ask {
    const { username, password } = this.#options;
    const auth: Record<string, string> = session
      ? { 'x-auth-token': session.token }
      : { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
    return { ...ask, headers: { ...ask.headers, ...auth } };
  }

  #send(ask: Ask): Promise<Answer> {
    const { turn, wire } = this.#options;
    return turn(() => wire.send(ask), ask.signal);
  }

  #resource(answer: Answer, path: string): Resource {
    const error = errorOf(answer, 'GET', `the BMC ${this.name}: GET ${path}`, this.#options.clock);
    if (error) throw error;
    return resourceOf(answer.body, `the BMC ${this.name}: ${path}`);
  }

  #touch(): void {
    this.#idle?.cancel();
    // A session that is given back takes its streams with it.
    if (this.#session && this.#streams.size === 0)
      this.#idle = this.#options.clock.timer(SESSION_IDLE_MS, () => void this.close());
  }
}
