// AccountService: who may log in.

import { created, done } from './done.ts';
import { HttpRefusal, message, messageAbout } from './messages.ts';
import { patch, type Settable, settable, take } from './properties.ts';
import { isRole, may, ROLES, type RoleId, type Who } from './roles.ts';
import { type Call, callerOf, type Json, orNotFound, type Route } from './route.ts';
import { collection, link, typed } from './schemas.ts';
import type { User } from './service.ts';

export const PASSWORD_LENGTH_MIN = 6;
export const PASSWORD_LENGTH_MAX = 40;
export const ACCOUNTS_MAX = 32;

export interface Account {
  readonly id: string;
  userName: string;
  password: string;
  role: RoleId;
  enabled: boolean;
  mustChangePassword: boolean;
  /** Counts every change, passwords too, which no representation shows. */
  revision: number;
}

export class Accounts {
  readonly byId = new Map<string, Account>();
  #lastId = 0;

  constructor(users: readonly User[]) {
    for (const { name, password, role } of users) this.add(name, password, role, true);
  }

  add(userName: string, password: string, role: RoleId, enabled: boolean): Account {
    const id = String(++this.#lastId);
    const account = { id, userName, password, role, enabled, mustChangePassword: false, revision: 0 };
    this.byId.set(id, account);
    return account;
  }

  named(userName: string): Account | undefined {
    return [...this.byId.values()].find((account) => account.userName === userName);
  }

  /** The account that these belong to and that may log in. */
  login(userName: string, password: string): Account | undefined {
    const account = this.named(userName);
    return account?.enabled && account.password === password ? account : undefined;
  }
}

const SERVICE = '/redfish/v1/AccountService';
const PATH = `${SERVICE}/Accounts`;

export const accountRoutes: readonly Route[] = [
  { path: SERVICE, read: serviceResource },
  {
    path: PATH,
    isCollection: true,
    read: ({ service }) =>
      collection('ManagerAccountCollection', PATH, 'Accounts', [...service.accounts.byId.keys()]),
    post: { needs: ['ConfigureUsers'], do: create },
  },
  {
    path: `${PATH}/{account}`,
    read: readAccount,
    revision: (call) => String(accountOf(call).revision),
    patch: { needs: ['ConfigureUsers', 'ConfigureSelf'], do: change },
    delete: { needs: ['ConfigureUsers'], do: remove },
  },
];

function serviceResource(): Json {
  return {
    ...typed('AccountService', SERVICE, 'AccountService', 'Account Service'),
    Status: { State: 'Enabled', Health: 'OK' },
    ServiceEnabled: true,
    MinPasswordLength: PASSWORD_LENGTH_MIN,
    MaxPasswordLength: PASSWORD_LENGTH_MAX,
    Accounts: link(PATH),
    Roles: link(`${SERVICE}/Roles`),
  };
}

function accountOf(call: Call): Account {
  return orNotFound(call.service.accounts.byId.get(call.params.account ?? ''), call);
}

/** Others' accounts are for those who configure users (DSP8011: ManagerAccount). */
function readAccount(call: Call): Json {
  const account = accountOf(call);
  const who = callerOf(call);
  if (who.user !== account.userName && !may(who, 'ConfigureUsers')) throw forbidden();
  return resource(call, account);
}

function resource({ service }: Call, account: Account): Json {
  const { vendor } = service;
  return {
    ...typed('ManagerAccount', `${PATH}/${account.id}`, account.id, 'User Account'),
    UserName: account.userName,
    Password: null,
    RoleId: account.role,
    Enabled: account.enabled,
    Locked: false,
    ...(vendor.passwordChangeRequired ? { PasswordChangeRequired: account.mustChangePassword } : {}),
    AccountTypes: ['Redfish'],
    Links: { Role: link(`${SERVICE}/Roles/${account.role}`) },
  };
}

function forbidden(): HttpRefusal {
  return new HttpRefusal(403, [message('InsufficientPrivilege')]);
}

function create(call: Call) {
  const { accounts } = call.service;
  const { UserName, Password, RoleId, Enabled } = take(call.body, {
    UserName: { kind: 'string', required: true },
    Password: { kind: 'string', required: true },
    RoleId: { kind: Object.keys(ROLES), required: true },
    Enabled: { kind: 'boolean' },
  });
  const wrong = PASSWORD.check(Password, 'Password');
  if (wrong) throw new HttpRefusal(400, [wrong]);
  const name = String(UserName);
  if (accounts.named(name)) {
    throw new HttpRefusal(409, [message('ResourceAlreadyExists', 'ManagerAccount', 'UserName', name)]);
  }
  if (accounts.byId.size >= ACCOUNTS_MAX) {
    throw new HttpRefusal(507, [message('CreateLimitReachedForResource')]);
  }
  const role = isRole(RoleId) ? RoleId : 'ReadOnly';
  const account = accounts.add(name, String(Password), role, Enabled !== false);
  return created(resource(call, account));
}

const PASSWORD: Pick<Settable, 'check'> = {
  check(value) {
    // A password is never repeated in a message.
    if (typeof value !== 'string')
      return messageAbout('Password', 'PropertyValueTypeError', '***', 'Password');
    if (value.length >= PASSWORD_LENGTH_MIN && value.length <= PASSWORD_LENGTH_MAX) return undefined;
    return messageAbout('Password', 'PropertyValueFormatError', '***', 'Password');
  },
};

function change(call: Call) {
  const account = accountOf(call);
  const who = callerOf(call);
  const isOwn = who.user === account.userName;
  if (!may(who, 'ConfigureUsers') && !(isOwn && onlyPassword(call.body))) throw forbidden();
  const touch = () => account.revision++;
  return patch(call, () => resource(call, account), {
    Password: {
      ...PASSWORD,
      set(value) {
        account.password = String(value);
        account.mustChangePassword = false;
        touch();
      },
    },
    ...(may(who, 'ConfigureUsers') ? administrative(call, account, who, touch) : {}),
  });
}

function onlyPassword(body: Json): boolean {
  return Object.keys(body).every((name) => name === 'Password' || name.includes('@'));
}

function administrative(call: Call, account: Account, who: Who, touch: () => void): Record<string, Settable> {
  const { vendor } = call.service;
  const fields: Record<string, Settable> = {
    UserName: settable<string>('string', (name) => {
      account.userName = name;
      touch();
    }),
    RoleId: settable<RoleId>(Object.keys(ROLES), (role) => {
      account.role = role;
      touch();
    }),
    Enabled: settable<boolean>('boolean', (enabled) => {
      account.enabled = enabled;
      touch();
    }),
  };
  if (!vendor.passwordChangeRequired || who.mustChangePassword) return fields;
  return {
    ...fields,
    PasswordChangeRequired: settable<boolean>('boolean', (required) => {
      account.mustChangePassword = required;
      touch();
    }),
  };
}

function remove(call: Call) {
  const account = accountOf(call);
  call.service.accounts.byId.delete(account.id);
  call.service.sessions.dropUser(account.userName);
  return done(call);
}

/** Path of an account, for the message that its password must be changed. */
export function accountPath(account: Account): string {
  return `${PATH}/${account.id}`;
}
