// One request from its values to the values of its answer.

import { accountRoutes } from './accounts.ts';
import { authenticate, checkPasswordChange, credentialsOf } from './authenticate.ts';
import { chassisRoutes } from './chassis.ts';
import { checkIfMatch, isUnchanged, opaqueTag, written } from './etags.ts';
import { eventRoutes, SSE_PATH } from './events.ts';
import type { Faults } from './faults.ts';
import { logRoutes } from './logs.ts';
import { managerRoutes } from './managers.ts';
import { errorBody, HttpRefusal, message, notFound } from './messages.ts';
import { checkQuery, MEMBERS_ON_PAGE_MAX, page } from './page.ts';
import { may, roleRoutes, type Who } from './roles.ts';
import { rootRoutes } from './root.ts';
import {
  type Answer,
  type Ask,
  allowed,
  type Call,
  findRoute,
  type Json,
  type Route,
  type Write,
} from './route.ts';
import { describedBy } from './schemas.ts';
import type { Service } from './service.ts';
import { sessionRoutes } from './sessions.ts';
import { systemRoutes } from './systems.ts';
import { taskRoutes } from './tasks.ts';
import { updateRoutes } from './update.ts';

export const ROUTES: readonly Route[] = [
  ...rootRoutes,
  ...sessionRoutes,
  ...accountRoutes,
  ...roleRoutes,
  ...systemRoutes,
  ...chassisRoutes,
  ...managerRoutes,
  ...logRoutes,
  ...updateRoutes,
  ...taskRoutes,
  ...eventRoutes,
];

const METHODS = ['GET', 'HEAD', 'POST', 'PATCH', 'PUT', 'DELETE'];

/** Answers anything; only a bug throws. */
export async function handle(service: Service, ask: Ask, faults: Faults): Promise<Answer> {
  const found = findRoute(ROUTES, ask.path);
  const allow = found && allowed(found.route).join(', ');
  try {
    const answer = await perform(service, ask, faults);
    return finish(answer, allow);
  } catch (error) {
    if (!(error instanceof HttpRefusal)) throw error;
    const body = errorBody(service.vendor, error.messages, faults.extendedInfoAtTop) as Json;
    const headers = { ...error.headers, ...(error.status === 405 && allow ? { allow } : {}) };
    return { status: error.status, headers, body };
  }
}

async function perform(service: Service, ask: Ask, faults: Faults): Promise<Answer> {
  const version = ask.headers['odata-version'];
  if (version !== undefined && version !== '4.0') {
    throw new HttpRefusal(412, [message('HeaderInvalid', 'OData-Version')]);
  }
  const found = findRoute(ROUTES, ask.path);
  const isOpen = found?.route.open?.includes(ask.method) ?? false;
  const who = isOpen ? undefined : authenticate(service, credentialsOf(ask.headers));
  if (who) checkPasswordChange(service, who, ask);
  if (!found) throw notFound(ask.path);
  const { route, params } = found;
  if (!METHODS.includes(ask.method)) throw new HttpRefusal(501, [message('OperationNotAllowed')]);
  if (!allowed(route).includes(ask.method)) throw new HttpRefusal(405, [message('OperationNotAllowed')]);
  const call: Call = { service, ask, params, who, faults, body: {} };
  if (ask.method === 'GET' || ask.method === 'HEAD') return read(route, call);
  return write(route, call);
}

function read(route: Route, call: Call): Answer | Promise<Answer> {
  const { ask, service, faults } = call;
  checkAccept(ask);
  checkQuery(ask, route);
  if (route.get) return route.get(call);
  const resource = route.read?.(call) ?? {};
  const tag = written(opaqueTag(resource, route.revision?.(call)), service.vendor, faults);
  if (isUnchanged(ask.headers['if-none-match'], tag)) return { status: 304, headers: { etag: tag } };
  const isEntries = resource['@odata.type'] === '#LogEntryCollection.LogEntryCollection';
  const pageSize = isEntries ? service.vendor.sel.entriesOnPage_max : MEMBERS_ON_PAGE_MAX;
  const body = route.isCollection ? page(resource, ask, pageSize) : resource;
  return { status: 200, headers: { etag: tag }, body: { ...body, '@odata.etag': tag } };
}

/** `*` and media types with parameters are fine. */
function checkAccept({ path, headers: { accept } }: Ask): void {
  if (accept === undefined) return;
  const wanted = mediaTypeOf(path);
  const ranges = accept.split(',').map((range) => range.split(';')[0]?.trim().toLowerCase());
  const [family] = wanted.split('/');
  if (ranges.some((range) => range === wanted || range === '*/*' || range === `${family}/*`)) return;
  throw new HttpRefusal(406, [message('HeaderInvalid', 'Accept')]);
}

function mediaTypeOf(path: string): string {
  if (path === SSE_PATH) return 'text/event-stream';
  return path.endsWith('$metadata') ? 'application/xml' : 'application/json';
}

async function write(route: Route, call: Call): Promise<Answer> {
  const { ask, service, faults } = call;
  const { method } = ask;
  const action: Write | undefined =
    method === 'POST' ? route.post : method === 'PATCH' ? route.patch : route.delete;
  if (!action) throw new HttpRefusal(405, [message('OperationNotAllowed')]);
  if (call.who) checkPrivilege(call.who, action);
  if (method !== 'DELETE') call.body = bodyOf(ask);
  const resource = route.read && method !== 'POST' ? route.read(call) : undefined;
  const ifMatch = ask.headers['if-match'];
  if (resource && (method === 'PATCH' || ifMatch !== undefined)) {
    checkIfMatch(ifMatch, opaqueTag(resource, route.revision?.(call)), service.vendor, faults);
  }
  const answer = await action.do(call);
  if (method !== 'PATCH' || answer.status !== 200 || !route.read || !isResource(answer.body)) return answer;
  const tag = written(opaqueTag(route.read(call), route.revision?.(call)), service.vendor, faults);
  return {
    ...answer,
    headers: { ...answer.headers, etag: tag },
    body: { ...answer.body, '@odata.etag': tag },
  };
}

function isResource(body: Answer['body']): body is Json {
  return typeof body === 'object' && '@odata.id' in body;
}

function checkPrivilege(who: Who, { needs }: Write): void {
  if (needs.length === 0 || needs.some((privilege) => may(who, privilege))) return;
  throw new HttpRefusal(403, [message('InsufficientPrivilege')]);
}

function bodyOf({ headers, text, method }: Ask): Json {
  // An action without parameters may come without a body.
  if (text === '' && method === 'POST') return {};
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') throw new HttpRefusal(415, [message('HeaderInvalid', 'Content-Type')]);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new HttpRefusal(400, [message('MalformedJSON')]);
  }
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Json;
  throw new HttpRefusal(400, [message('UnrecognizedRequestBody')]);
}

function finish(answer: Answer, allow: string | undefined): Answer {
  const link = typeof answer.body === 'object' ? describedBy(answer.body['@odata.type']) : undefined;
  return {
    ...answer,
    headers: { ...(allow ? { allow } : {}), ...(link ? { link } : {}), ...answer.headers },
  };
}
