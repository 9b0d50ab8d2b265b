// Lists: whole, in pages of one consistent version, and as the start of a watch.

import { apiVersionOf } from '../../platform/kube/objects.ts';
import type { JsonObject } from './json.ts';
import type { Kind, Stored } from './registry.ts';
import { parseFieldSelector, parseLabelSelector } from './selectors.ts';
import { ApiError, badRequest, expired, invalid } from './status.ts';
import type { Collection, Store } from './store.ts';
import type { Matcher } from './watch.ts';

export type Query = Readonly<Record<string, string>>;

export interface List extends JsonObject {
  readonly metadata: JsonObject;
  readonly items: readonly Stored[];
}

const EMPTY_LABELS = {};
const COMPACTED =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.';

/** What labelSelector, fieldSelector and a name ask for; undefined: everything. */
export function matcherOf(
  kind: Kind,
  query: Query | undefined,
  name: string | undefined,
): Matcher | undefined {
  const tests: Matcher[] = [];
  if (name !== undefined) tests.push((object) => object.metadata.name === name);
  const labels = parseLabelSelector(query?.labelSelector);
  if (labels) tests.push((object) => labels(object.metadata.labels ?? EMPTY_LABELS));
  for (const { path, value, not } of parseFieldSelector(query?.fieldSelector)) {
    const read = fieldReader(kind, path);
    tests.push((object) => (read(object) === value) !== not);
  }
  if (tests.length < 2) return tests[0];
  return (object) => tests.every((test) => test(object));
}

function fieldReader(kind: Kind, path: string): (object: Stored) => string {
  if (path === 'metadata.name') return (object) => object.metadata.name;
  if (path === 'metadata.namespace') return (object) => object.metadata.namespace ?? '';
  const read = kind.selectable[path];
  if (read) return read;
  throw badRequest(`field label not supported: ${path}`);
}

export function listOptionsFault(field: string, words: string): ApiError {
  const of = { group: 'meta.k8s.io', kind: 'ListOptions', plural: 'listoptions' };
  return invalid(of, '', [{ reason: 'FieldValueForbidden', message: `Forbidden: ${words}`, field }]);
}

export function versionOf(text: string | undefined): number {
  if (!text) return 0;
  if (!/^\d+$/.test(text))
    throw badRequest(
      `invalid resource version "${text}": strconv.ParseUint: parsing "${text}": invalid syntax`,
    );
  return Number(text);
}

export function checkNotInFuture(wanted: number, current: number): void {
  if (wanted <= current) return;
  const message = `Too large resource version: ${wanted}, current: ${current}`;
  throw new ApiError(504, 'Timeout', message, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}

interface Token {
  /** 0: the snapshot is lost, go on with what is there now. */
  rv: number;
  /** Namespace and name of the last object told. */
  after: string;
}

const writeToken = (token: Token) => Buffer.from(JSON.stringify(token)).toString('base64url');

function readToken(text: string): Token {
  try {
    const token: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (typeof token === 'object' && token !== null && 'rv' in token && 'after' in token)
      return token as Token;
  } catch {
    // Falls through to the refusal.
  }
  throw badRequest('continue key is not valid: illegal base64 data');
}

const keyOf = (object: Stored) => `${object.metadata.namespace ?? ''}/${object.metadata.name}`;

export function list(
  store: Store,
  collection: Collection,
  namespace: string | undefined,
  name: string | undefined,
  query: Query,
): List {
  const { kind } = collection;
  const matches = matcherOf(kind, query, name);
  const limit = query.limit ? Number(query.limit) : 0;
  const match = query.resourceVersionMatch;
  if (match && !query.resourceVersion)
    throw listOptionsFault(
      'resourceVersionMatch',
      'resourceVersionMatch is forbidden unless resourceVersion is provided',
    );
  if (match && match !== 'Exact' && match !== 'NotOlderThan')
    throw listOptionsFault('resourceVersionMatch', `unknown value "${match}"`);
  const wanted = versionOf(query.resourceVersion);
  checkNotInFuture(wanted, store.rv);
  if (query.continue) {
    if (wanted > 0) throw badRequest('specifying resource version is not allowed when using continue');
    return goOn(store, collection, namespace, matches, limit, readToken(query.continue));
  }
  // A page of an exact version with limit is exact as well; without, "not older" is the newest.
  const exact = wanted > 0 && (match === 'Exact' || (limit > 0 && match !== 'NotOlderThan'));
  if (!exact) return page(kind, collection.inOrder(namespace), matches, limit, store.rv, '');
  return page(kind, objectsAt(collection, wanted, namespace), matches, limit, wanted, '');
}

function goOn(
  store: Store,
  collection: Collection,
  namespace: string | undefined,
  matches: Matcher | undefined,
  limit: number,
  token: Token,
): List {
  const { kind } = collection;
  if (token.rv === 0) return page(kind, collection.inOrder(namespace), matches, limit, store.rv, token.after);
  return page(
    kind,
    objectsAt(collection, token.rv, namespace, token.after),
    matches,
    limit,
    token.rv,
    token.after,
  );
}

function page(
  kind: Kind,
  objects: Iterable<Stored>,
  matches: Matcher | undefined,
  limit: number,
  rv: number,
  after: string,
): List {
  const items: Stored[] = [];
  let remaining = 0;
  for (const object of objects) {
    if (after !== '' && keyOf(object) <= after) continue;
    if (matches && !matches(object)) continue;
    if (limit > 0 && items.length >= limit) remaining++;
    else items.push(object);
  }
  const metadata: Record<string, unknown> = { resourceVersion: String(rv) };
  const last = items.at(-1);
  if (remaining > 0 && last) {
    metadata.continue = writeToken({ rv, after: keyOf(last) });
    // With a selector the real server does not know the count either.
    if (!matches) metadata.remainingItemCount = remaining;
  }
  return { kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind), metadata, items };
}

/** The collection as it was at `rv`: the present with the changes since undone. */
function objectsAt(
  collection: Collection,
  rv: number,
  namespace: string | undefined,
  after = '',
): Iterable<Stored> {
  const { history } = collection;
  if (rv < history.floor) throw expired(COMPACTED, after ? { continue: writeToken({ rv: 0, after }) } : {});
  const changes = history.since(rv);
  if (changes.length === 0) return collection.inOrder(namespace);
  const objects = new Map<string, Stored>();
  for (const object of collection.inOrder(namespace)) objects.set(keyOf(object), object);
  for (const change of changes.reverse()) {
    if (namespace !== undefined && change.object.metadata.namespace !== namespace) continue;
    const key = keyOf(change.object);
    if (change.previous) objects.set(key, change.previous);
    else objects.delete(key);
  }
  return [...objects].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
}
