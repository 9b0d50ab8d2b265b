// Who asks: by the token of a session or by basic authentication.

import { accountPath } from './accounts.ts';
import { HttpRefusal, message } from './messages.ts';
import type { Who } from './roles.ts';
import type { Ask } from './route.ts';
import type { Service } from './service.ts';

export interface Credentials {
  kind: 'None' | 'Basic' | 'Token';
  token?: string;
  user?: string;
  password?: string;
}

/** What the headers say; a token goes before basic authentication. */
export function credentialsOf(headers: Ask['headers']): Credentials {
  const token = headers['x-auth-token'];
  if (token !== undefined) return { kind: 'Token', token };
  const basic = /^Basic +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  if (basic === undefined) return { kind: 'None' };
  const [, user, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(basic, 'base64').toString()) ?? [];
  return {
    kind: 'Basic',
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
  };
}

/** The caller; throws 401, the same whether the user, the password or the token is wrong. */
export function authenticate(service: Service, credentials: Credentials): Who {
  const who = credentials.kind === 'Token' ? byToken(service, credentials) : byPassword(service, credentials);
  if (who) return who;
  throw new HttpRefusal(401, [message('NoValidSession')], { 'www-authenticate': 'Basic realm="Redfish"' });
}

function byToken({ sessions, accounts }: Service, { token }: Credentials): Who | undefined {
  const session = token === undefined ? undefined : sessions.use(token);
  const account = session && accounts.named(session.userName);
  if (!session || !account?.enabled) return undefined;
  const { role, mustChangePassword } = account;
  return { user: session.userName, role, session: session.id, mustChangePassword };
}

function byPassword({ accounts }: Service, { user, password }: Credentials): Who | undefined {
  if (user === undefined || password === undefined) return undefined;
  const account = accounts.login(user, password);
  return account && { user, role: account.role, mustChangePassword: account.mustChangePassword };
}

/**
 * Throws 403 where the caller must first change the password: only reading and changing the own account, and
 * logging out, are left (DSP0266, "Password change required handling").
 */
export function checkPasswordChange(service: Service, who: Who, { method, path }: Ask): void {
  if (!who.mustChangePassword) return;
  const account = service.accounts.named(who.user);
  if (!account) return;
  const own = accountPath(account);
  if (path === own && ['GET', 'HEAD', 'PATCH'].includes(method)) return;
  if (method === 'DELETE' && path === `/redfish/v1/SessionService/Sessions/${who.session}`) return;
  throw new HttpRefusal(403, [message('PasswordChangeRequired', own)]);
}
