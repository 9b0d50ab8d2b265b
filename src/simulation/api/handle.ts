// One request to one answer. Everything here is synchronous: an in-process call costs microtasks only.

import type { KubeRequest, KubeResponse } from '../../platform/kube/transport.ts';
import type { ApiCore } from './core.ts';
import { deleteOptionsOf, remove } from './delete.ts';
import { discover } from './discovery.ts';
import { bind, evict } from './eviction.ts';
import { list, matcherOf } from './list.ts';
import { patch } from './patch.ts';
import type { Stored } from './registry.ts';
import { type Route, routeOf } from './route.ts';
import { ApiError, badRequest, invalid, methodNotAllowed, notServedHere, success } from './status.ts';
import { type IncludeObject, tableOfList, tableOfOne } from './table.ts';
import { checkedBody, create, found, replace, type WriteOptions } from './write.ts';

type Query = Readonly<Record<string, string>>;

const NO_QUERY: Query = Object.freeze({});
const JSON_HEADERS = Object.freeze({ 'content-type': 'application/json' });
const NO_SUCH_PATH: KubeResponse = {
  status: 404,
  headers: { 'content-type': 'text/plain' },
  body: '404 page not found\n',
};
const MANAGER_LENGTH_MAX = 128;

/** @param manager the client's name, which owns fields unless the request names another. */
export function handle(core: ApiCore, request: KubeRequest, manager: string): KubeResponse {
  try {
    return answer(core, request, manager);
  } catch (error) {
    return refusalOf(error);
  }
}

export function refusalOf(error: unknown): KubeResponse {
  if (!(error instanceof ApiError)) throw error;
  const retry = error.details?.retryAfterSeconds;
  const headers = retry ? { ...JSON_HEADERS, 'retry-after': String(retry) } : JSON_HEADERS;
  return { status: error.code, headers, body: error.toStatus() };
}

function answer(core: ApiCore, request: KubeRequest, user: string): KubeResponse {
  const { path, query = NO_QUERY } = request;
  const route = routeOf(path, core.registry);
  if (!route) {
    const found = request.method === 'GET' ? discover(core, path, request.accept) : undefined;
    // In plain text, as the real server does for what it does not serve.
    return found ?? NO_SUCH_PATH;
  }
  if (isUnservedSubresource(route))
    throw notServedHere(`the subresource ${route.kind.plural}/${route.subresource}`);
  const options: WriteOptions = {
    manager: query.fieldManager ?? user,
    dryRun: query.dryRun === 'All',
    fieldValidation: query.fieldValidation ?? 'Warn',
    warnings: [],
  };
  if (request.method !== 'GET') checkOptions(query, options.manager);
  switch (request.method) {
    case 'GET':
      return read(core, route, query, request.accept);
    case 'POST':
      return post(core, route, request.body, options, request.accept);
    case 'PUT':
      return put(core, route, request.body, options, request.accept);
    case 'PATCH':
      return patchRequest(core, route, request, query, options);
    case 'DELETE':
      return deleteRequest(core, route, request.body, query);
    default:
      throw methodNotAllowed();
  }
}

function checkOptions(query: Query, manager: string): void {
  if (query.dryRun !== undefined && query.dryRun !== 'All') {
    const of = { group: 'meta.k8s.io', kind: 'WriteOptions', plural: '' };
    const message = `Unsupported value: "${query.dryRun}": supported values: "All"`;
    throw invalid(of, '', [{ reason: 'FieldValueNotSupported', message, field: 'dryRun' }]);
  }
  if (manager.length > MANAGER_LENGTH_MAX)
    throw badRequest(`fieldManager may not be longer than ${MANAGER_LENGTH_MAX} bytes`);
}

function isUnservedSubresource({ kind, subresource }: Route): boolean {
  if (subresource === '' || kind.actions.includes(subresource)) return false;
  return !(subresource === 'status' && kind.status);
}

const ok = (object: unknown, status = 200, warnings: readonly string[] = []): KubeResponse => ({
  status,
  headers:
    warnings.length > 0 ? { ...JSON_HEADERS, warning: warnings.map(warningHeader).join(', ') } : JSON_HEADERS,
  body: object,
});

const warningHeader = (text: string) => `299 - ${JSON.stringify(text)}`;

/** Whether `accept` asks for a table first. */
export const wantsTable = (accept: string | undefined): boolean =>
  accept?.split(',').some((each) => each.includes('as=Table') && each.includes('json')) === true;

export const includeOf = (query: Query): IncludeObject => {
  const wanted = query.includeObject;
  return wanted === 'None' || wanted === 'Object' ? wanted : 'Metadata';
};

function one(core: ApiCore, route: Route, object: Stored, accept: string | undefined, query: Query): unknown {
  return wantsTable(accept) ? tableOfOne(route.kind, object, includeOf(query), core.clock.now()) : object;
}

function read(core: ApiCore, route: Route, query: Query, accept: string | undefined): KubeResponse {
  const collection = core.store.collection(route.kind);
  if (route.name !== undefined) {
    if (route.subresource !== '' && route.subresource !== 'status') throw methodNotAllowed();
    const { object } = found(collection, route.namespace, route.name);
    return ok(one(core, route, object, accept, query));
  }
  const result = list(core.store, collection, route.namespace, undefined, query);
  if (!wantsTable(accept)) return ok(result);
  return ok(tableOfList(route.kind, result, includeOf(query), core.clock.now()));
}

function post(
  core: ApiCore,
  route: Route,
  body: unknown,
  options: WriteOptions,
  accept: string | undefined,
): KubeResponse {
  const { kind, namespace, name, subresource } = route;
  if (name !== undefined) {
    if (!kind.actions.includes(subresource)) throw methodNotAllowed();
    const collection = core.store.collection(kind);
    const entry = found(collection, namespace, name);
    const act = subresource === 'eviction' ? evict : bind;
    return ok(act(core, collection, entry, body, options), 201);
  }
  if (kind.namespaced && namespace === undefined) throw methodNotAllowed();
  const object = create(core, kind, namespace, body, options);
  return ok(one(core, route, object, accept, NO_QUERY), 201, options.warnings);
}

function put(
  core: ApiCore,
  route: Route,
  body: unknown,
  options: WriteOptions,
  accept: string | undefined,
): KubeResponse {
  const { kind, namespace, name, subresource } = route;
  if (name === undefined || (subresource !== '' && subresource !== 'status')) throw methodNotAllowed();
  const collection = core.store.collection(kind);
  const given = checkedBody(kind, namespace, body);
  const entry = collection.find(namespace ?? '', name);
  if (!entry && kind.createOnUpdate && subresource === '') {
    const object = create(core, kind, namespace, given, options);
    return ok(one(core, route, object, accept, NO_QUERY), 201, options.warnings);
  }
  const target = { collection, entry: entry ?? found(collection, namespace, name), subresource, body: given };
  const object = replace(core, target, options);
  return ok(one(core, route, object, accept, NO_QUERY), 200, options.warnings);
}

function patchRequest(
  core: ApiCore,
  route: Route,
  request: KubeRequest,
  query: Query,
  options: WriteOptions,
): KubeResponse {
  const { kind, namespace, name, subresource } = route;
  if (name === undefined || (subresource !== '' && subresource !== 'status')) throw methodNotAllowed();
  const contentType = (request.contentType ?? '').split(';')[0]?.trim() ?? '';
  const target = { kind, namespace, name, subresource };
  const { object, created } = patch(core, target, contentType, request.body, query, options);
  return ok(one(core, route, object, request.accept, query), created ? 201 : 200, options.warnings);
}

function deleteRequest(core: ApiCore, route: Route, body: unknown, query: Query): KubeResponse {
  const { kind, namespace, name, subresource } = route;
  const collection = core.store.collection(kind);
  const options = deleteOptionsOf(query, body);
  if (name === undefined) return deleteCollection(core, route, query, options);
  if (subresource !== '') throw methodNotAllowed();
  const entry = found(collection, namespace, name);
  const { object, gone } = remove(core, collection, entry, options);
  if (!gone || kind.plural === 'pods') return ok(object);
  return ok(
    success({
      name,
      ...(kind.group ? { group: kind.group } : {}),
      kind: kind.plural,
      uid: object.metadata.uid,
    }),
  );
}

function deleteCollection(
  core: ApiCore,
  route: Route,
  query: Query,
  options: ReturnType<typeof deleteOptionsOf>,
): KubeResponse {
  const { kind, namespace } = route;
  if (kind.namespaced && namespace === undefined) throw methodNotAllowed();
  const collection = core.store.collection(kind);
  const matches = matcherOf(kind, query, undefined);
  const chosen = [...collection.inOrder(namespace)].filter((object) => !matches || matches(object));
  for (const object of chosen) {
    const entry = collection.find(namespace ?? '', object.metadata.name);
    if (entry) remove(core, collection, entry, options);
  }
  return ok({
    kind: `${kind.kind}List`,
    apiVersion: chosen[0]?.apiVersion ?? 'v1',
    metadata: { resourceVersion: String(core.store.rv) },
    items: chosen,
  });
}
