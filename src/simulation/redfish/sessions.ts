// SessionService: logins, which are few and end when nobody uses them.

import { type Clock, SECOND } from '../../platform/clock/clock.ts';
import { accountPath } from './accounts.ts';
import { created, done } from './done.ts';
import { hexFrom } from './draw.ts';
import { HttpRefusal, infoOf, message } from './messages.ts';
import { patch, take } from './properties.ts';
import { may } from './roles.ts';
import { type Call, callerOf, type Json, orNotFound, type Route } from './route.ts';
import { collection, link, typed } from './schemas.ts';
import type { Vendor } from './vendors.ts';

/** As the schema of SessionService has it. */
const TIMEOUT_S_MIN = 30;
const TIMEOUT_S_MAX = 86_400;
/** 128 bits. */
const TOKEN_DIGITS = 32;

export interface Session {
  readonly id: string;
  readonly userName: string;
  readonly token: string;
  usedAt_ms: number;
}

export class Sessions {
  idle_ms: number;
  /** Most that were open at one time. */
  most = 0;
  readonly #clock: Clock;
  readonly #byId = new Map<string, Session>();
  #lastId = 0;

  constructor(clock: Clock, vendor: Vendor) {
    this.#clock = clock;
    this.idle_ms = vendor.sessionIdle_ms;
  }

  /** Those that have not run out. */
  open(): Session[] {
    const oldest = this.#clock.now() - this.idle_ms;
    for (const { id, usedAt_ms } of this.#byId.values()) if (usedAt_ms < oldest) this.#byId.delete(id);
    return [...this.#byId.values()];
  }

  get(id: string): Session | undefined {
    return this.open().find((session) => session.id === id);
  }

  /** The session of a token, which counts as used now. */
  use(token: string): Session | undefined {
    const session = this.open().find((each) => each.token === token);
    if (session) session.usedAt_ms = this.#clock.now();
    return session;
  }

  add(userName: string): Session {
    const id = String(++this.#lastId);
    const session = { id, userName, token: hexFrom(this.#clock, TOKEN_DIGITS), usedAt_ms: this.#clock.now() };
    this.#byId.set(id, session);
    this.most = Math.max(this.most, this.#byId.size);
    return session;
  }

  drop(id: string): void {
    this.#byId.delete(id);
  }

  dropUser(userName: string): void {
    for (const session of this.#byId.values()) if (session.userName === userName) this.drop(session.id);
  }

  clear(): void {
    this.#byId.clear();
  }
}

const SERVICE = '/redfish/v1/SessionService';
export const SESSIONS_PATH = `${SERVICE}/Sessions`;

export const sessionRoutes: readonly Route[] = [
  { path: SERVICE, read: serviceResource, patch: { needs: ['ConfigureManager'], do: changeService } },
  {
    path: SESSIONS_PATH,
    open: ['POST'],
    isCollection: true,
    read: ({ service }) =>
      collection(
        'SessionCollection',
        SESSIONS_PATH,
        'Sessions',
        service.sessions.open().map(({ id }) => id),
      ),
    post: { needs: [], do: login },
  },
  // Creating through the property is as good as through the collection (DSP0266, "POST (create)").
  { path: `${SESSIONS_PATH}/Members`, open: ['POST'], post: { needs: [], do: login } },
  {
    path: `${SESSIONS_PATH}/{session}`,
    read: (call) => resource(sessionOf(call)),
    delete: { needs: ['ConfigureManager', 'ConfigureSelf'], do: logout },
  },
];

function serviceResource({ service }: Call): Json {
  return {
    ...typed('SessionService', SERVICE, 'SessionService', 'Session Service'),
    Status: { State: 'Enabled', Health: 'OK' },
    ServiceEnabled: true,
    SessionTimeout: service.sessions.idle_ms / SECOND,
    Sessions: link(SESSIONS_PATH),
  };
}

function changeService(call: Call) {
  const { sessions } = call.service;
  return patch(call, () => serviceResource(call), {
    SessionTimeout: {
      check(value, name) {
        if (typeof value === 'number' && value >= TIMEOUT_S_MIN && value <= TIMEOUT_S_MAX) return undefined;
        return message('PropertyValueFormatError', String(value), name);
      },
      set(value) {
        sessions.idle_ms = Number(value) * SECOND;
      },
    },
  });
}

function sessionOf(call: Call): Session {
  return orNotFound(call.service.sessions.get(call.params.session ?? ''), call);
}

function resource({ id, userName }: Session): Json {
  return {
    ...typed('Session', `${SESSIONS_PATH}/${id}`, id, 'User Session'),
    UserName: userName,
    Password: null,
  };
}

function login(call: Call) {
  const { service, body } = call;
  const { UserName, Password } = take(body, {
    UserName: { kind: 'string', required: true },
    Password: { kind: 'string', required: true },
  });
  const account = service.accounts.login(String(UserName), String(Password));
  if (!account) throw new HttpRefusal(401, [message('NoValidSession')]);
  const { vendor, sessions } = service;
  if (sessions.open().length >= vendor.sessions_max) {
    const { status, id, text } = vendor.tooManySessions;
    throw new HttpRefusal(status, [
      { id, text, args: [], severity: 'Warning', resolution: 'Close one or more sessions first.' },
    ]);
  }
  const session = sessions.add(account.userName);
  service.note(`${account.userName} logged in`);
  const made = resource(session);
  if (account.mustChangePassword) {
    made['@Message.ExtendedInfo'] = [infoOf(vendor, message('PasswordChangeRequired', accountPath(account)))];
  }
  return created(made, { 'x-auth-token': session.token });
}

function logout(call: Call) {
  const session = sessionOf(call);
  const who = callerOf(call);
  if (who.user !== session.userName && !may(who, 'ConfigureManager')) {
    throw new HttpRefusal(403, [message('InsufficientPrivilege')]);
  }
  call.service.sessions.drop(session.id);
  call.service.note(`${session.userName} logged out`);
  return done(call);
}
