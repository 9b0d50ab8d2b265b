import type { Clock } from '../clock/clock.ts';
import { toMicroTime } from '../clock/clock.ts';
import { KubeError } from './errors.ts';
import { apiVersionOf, type KubeObject, pathOf, type Resource } from './objects.ts';
import type { KubeRequest, KubeStream, Transport } from './transport.ts';

/** Objects a page of a list; a page of 500 nodes takes the server 0.1 s. */
export const PAGE_SIZE = 500;
/** Longest wait for one answer. */
const ANSWER_TIMEOUT_MS = 10_000;

export interface Place {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
}

export interface PatchOptions {
  namespace?: string;
  subresource?: string;
  fieldManager: string;
}

/** Requests by verb over any Transport. Throws KubeError when refused, TransportError when unanswered. */
export class KubeClient {
  readonly transport: Transport;
  readonly clock: Clock;

  constructor(transport: Transport, clock: Clock) {
    this.transport = transport;
    this.clock = clock;
  }

  /** The object as it is now (a quorum read), or undefined where there is none. */
  async get<T extends KubeObject>(
    resource: Resource,
    name: string,
    namespace?: string,
  ): Promise<T | undefined> {
    const request: KubeRequest = { method: 'GET', path: pathOf(resource, namespace, name) };
    const response = await this.transport.send({ timeout_ms: ANSWER_TIMEOUT_MS, ...request });
    if (response.status === 404) return undefined;
    return this.#accept<T>(request, response.status, response.headers, response.body);
  }

  /** All objects, read in pages. `resourceVersion` is that of the first page: the list is one snapshot. */
  async list<T extends KubeObject>(
    resource: Resource,
    place: Place = {},
  ): Promise<{ items: T[]; resourceVersion: string }> {
    const items: T[] = [];
    let resourceVersion = '';
    for await (const page of this.pages<T>(resource, place)) {
      for (const item of page.items) items.push(item);
      resourceVersion = page.resourceVersion;
    }
    return { items, resourceVersion };
  }

  /** The same page by page, for who keeps less than the whole objects. */
  async *pages<T extends KubeObject>(
    resource: Resource,
    place: Place = {},
  ): AsyncGenerator<{ items: T[]; resourceVersion: string }> {
    let token = '';
    let resourceVersion = '';
    do {
      const query: Record<string, string> = { limit: String(PAGE_SIZE), ...selectors(place) };
      if (token) query.continue = token;
      const page = await this.request<{
        metadata: { resourceVersion: string; continue?: string };
        items: T[];
      }>({
        method: 'GET',
        path: pathOf(resource, place.namespace),
        query,
      });
      resourceVersion ||= page.metadata.resourceVersion;
      token = page.metadata.continue ?? '';
      // Servers leave kind and apiVersion out of list items.
      const items = page.items.map((item) =>
        item.kind ? item : { ...item, kind: resource.kind, apiVersion: apiVersionOf(resource) },
      );
      yield { items, resourceVersion };
    } while (token);
  }

  create<T extends KubeObject>(resource: Resource, object: T, fieldManager: string): Promise<T> {
    return this.request<T>({
      method: 'POST',
      path: pathOf(resource, object.metadata.namespace),
      query: { fieldManager },
      body: object,
    });
  }

  /** Writes the whole object, or the whole status; fails with Conflict if it changed since it was read. */
  replace<T extends KubeObject>(
    resource: Resource,
    object: T,
    fieldManager: string,
    subresource?: string,
  ): Promise<T> {
    const { name, namespace } = object.metadata;
    return this.request<T>({
      method: 'PUT',
      path: pathOf(resource, namespace, name, subresource),
      query: { fieldManager },
      body: object,
    });
  }

  /** JSON merge patch (RFC 7396). Put `metadata.resourceVersion` in it to make it conditional. */
  mergePatch<T extends KubeObject>(
    resource: Resource,
    name: string,
    patch: unknown,
    options: PatchOptions,
  ): Promise<T> {
    return this.#patch<T>(resource, name, patch, 'application/merge-patch+json', options, {});
  }

  /** Server-side apply of the fields that `object` names. Conflicts are refused unless `force`. */
  apply<T extends KubeObject>(
    resource: Resource,
    object: T,
    options: PatchOptions & { force?: boolean },
  ): Promise<T> {
    const { name, namespace } = object.metadata;
    const place = namespace ? { ...options, namespace } : options;
    const query: Record<string, string> = options.force ? { force: 'true' } : {};
    return this.#patch<T>(resource, name, object, 'application/apply-patch+yaml', place, query);
  }

  async delete(
    resource: Resource,
    name: string,
    options: { namespace?: string; uid?: string; gracePeriodSeconds?: number } = {},
  ): Promise<void> {
    const body: Record<string, unknown> = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: 'Background',
    };
    if (options.uid) body.preconditions = { uid: options.uid };
    if (options.gracePeriodSeconds !== undefined) body.gracePeriodSeconds = options.gracePeriodSeconds;
    await this.request({ method: 'DELETE', path: pathOf(resource, options.namespace, name), body });
  }

  /** Asks for an eviction (`policy/v1`). 429 means that a PodDisruptionBudget says no for now. */
  async evict(namespace: string, name: string): Promise<void> {
    await this.request({
      method: 'POST',
      path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/eviction`,
      body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } },
    });
  }

  watch(
    resource: Resource,
    place: Place,
    query: Record<string, string>,
    signal: AbortSignal,
  ): Promise<KubeStream> {
    return this.transport.stream({
      method: 'GET',
      path: pathOf(resource, place.namespace),
      query: { watch: '1', allowWatchBookmarks: 'true', ...selectors(place), ...query },
      signal,
      timeout_ms: ANSWER_TIMEOUT_MS,
    });
  }

  /** `metav1.MicroTime` of now, for Leases and Events. */
  microTime(): string {
    return toMicroTime(this.clock.now());
  }

  async request<T>(request: KubeRequest): Promise<T> {
    const response = await this.transport.send({ timeout_ms: ANSWER_TIMEOUT_MS, ...request });
    return this.#accept<T>(request, response.status, response.headers, response.body);
  }

  #patch<T>(
    resource: Resource,
    name: string,
    body: unknown,
    contentType: string,
    options: PatchOptions,
    query: Record<string, string>,
  ): Promise<T> {
    return this.request<T>({
      method: 'PATCH',
      path: pathOf(resource, options.namespace, name, options.subresource),
      query: { fieldManager: options.fieldManager, ...query },
      contentType,
      body,
    });
  }

  #accept<T>(
    request: KubeRequest,
    status: number,
    headers: Readonly<Record<string, string>>,
    body: unknown,
  ): T {
    if (status < 400) return body as T;
    const seconds = Number(headers['retry-after']);
    const retryAfter_ms = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
    throw new KubeError(`${request.method} ${request.path}`, status, body, retryAfter_ms);
  }
}

function selectors(place: Place): Record<string, string> {
  const query: Record<string, string> = {};
  if (place.labelSelector) query.labelSelector = place.labelSelector;
  if (place.fieldSelector) query.fieldSelector = place.fieldSelector;
  return query;
}
