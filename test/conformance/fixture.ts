// What every part of the suite uses: a client with short verbs, and a custom resource of its own.

import assert from 'node:assert/strict';
import type { KubeRequest, KubeResponse, KubeStream, Transport } from '../../src/platform/kube/transport.ts';

export const GROUP = 'conformance.drover.dev';
export const API_VERSION = `${GROUP}/v1`;
const READ_TIMEOUT_MS = 10_000;

// biome-ignore lint/suspicious/noExplicitAny: tests look into JSON of any form
export type Json = any;

export const MERGE = 'application/merge-patch+json';
export const JSON_PATCH = 'application/json-patch+json';
export const STRATEGIC = 'application/strategic-merge-patch+json';
export const APPLY = 'application/apply-patch+yaml';
export const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

type Query = Record<string, string>;

export interface Answer {
  status: number;
  body: Json;
  headers: KubeResponse['headers'];
}

export class Client {
  readonly transport: Transport;
  readonly namespace: string;

  constructor(transport: Transport, namespace: string) {
    this.transport = transport;
    this.namespace = namespace;
  }

  async send(request: KubeRequest): Promise<Answer> {
    const { status, headers, body } = await this.transport.send({ timeout_ms: READ_TIMEOUT_MS, ...request });
    return { status, headers, body };
  }

  get(path: string, query?: Query, accept?: string): Promise<Answer> {
    return this.send({ method: 'GET', path, ...(query && { query }), ...(accept && { accept }) });
  }

  post(path: string, body: unknown, query?: Query): Promise<Answer> {
    return this.send({ method: 'POST', path, body, ...(query && { query }) });
  }

  put(path: string, body: unknown, query?: Query): Promise<Answer> {
    return this.send({ method: 'PUT', path, body, ...(query && { query }) });
  }

  patch(path: string, contentType: string, body: unknown, query?: Query): Promise<Answer> {
    return this.send({ method: 'PATCH', path, contentType, body, ...(query && { query }) });
  }

  apply(path: string, body: unknown, fieldManager: string, query: Query = {}): Promise<Answer> {
    return this.patch(path, APPLY, body, { fieldManager, ...query });
  }

  delete(path: string, body?: unknown, query?: Query): Promise<Answer> {
    return this.send({
      method: 'DELETE',
      path,
      ...(body !== undefined && { body }),
      ...(query && { query }),
    });
  }

  async watch(path: string, query: Query = {}, accept?: string): Promise<Watch> {
    const control = new AbortController();
    const stream = await this.transport.stream({
      method: 'GET',
      path,
      query: { watch: 'true', ...query },
      signal: control.signal,
      ...(accept && { accept }),
    });
    return new Watch(stream, control);
  }

  /** Path in the namespace of this run. */
  in(plural: string, name?: string, group = 'api/v1'): string {
    return `/${group.includes('/') ? group : `apis/${group}`}/namespaces/${this.namespace}/${plural}${name ? `/${name}` : ''}`;
  }

  configMaps = (name?: string) => this.in('configmaps', name);
  pods = (name?: string) => this.in('pods', name);
  widgets = (name?: string) => this.in('widgets', name, `apis/${API_VERSION}`);
}

export class Watch {
  readonly stream: KubeStream;
  readonly #control: AbortController;
  readonly #events: AsyncIterator<Json>;

  constructor(stream: KubeStream, control: AbortController) {
    this.stream = stream;
    this.#control = control;
    this.#events = stream.events[Symbol.asyncIterator]();
  }

  /** The next event; fails when none comes in time. */
  async next(): Promise<Json> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('no watch event came in time')), READ_TIMEOUT_MS);
    });
    try {
      const { value, done } = await Promise.race([this.#events.next(), late]);
      return done ? 'end' : value;
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#control.abort();
  }
}

export function ok({ status, body }: Answer, expected = 200): Json {
  assert.equal(
    status,
    expected,
    `expected ${expected}, got ${status}: ${JSON.stringify(body)?.slice(0, 600)}`,
  );
  return body;
}

export function refused({ status, body }: Answer, code: number, reason: string): Json {
  assert.equal(status, code, `expected ${code}, got ${status}: ${JSON.stringify(body)?.slice(0, 600)}`);
  assert.equal(body.kind, 'Status');
  assert.equal(body.status, 'Failure');
  assert.equal(body.reason, reason);
  assert.equal(body.code, code);
  return body;
}

export const configMap = (
  name: string,
  data: Record<string, string> = {},
  labels: Record<string, string> = {},
) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  // An empty map is a field of its own to server-side apply: leave it out.
  metadata: Object.keys(labels).length > 0 ? { name, labels } : { name },
  data,
});

export const pod = (name: string, labels: Record<string, string> = {}, spec: Json = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels },
  spec: { containers: [{ name: 'main', image: 'example.invalid/none' }], ...spec },
});

export const widget = (name: string, spec: Json = {}, metadata: Json = {}) => ({
  apiVersion: API_VERSION,
  kind: 'Widget',
  metadata: { name, ...metadata },
  spec: { type: 'Small', ...spec },
});

const SPEC_SCHEMA = {
  type: 'object',
  required: ['type'],
  properties: {
    type: { type: 'string', maxLength: 10, enum: ['Small', 'Large'] },
    replicas: { type: 'integer', minimum: 0, maximum: 10, default: 1 },
    title: { type: 'string', maxLength: 10, pattern: '^[a-z]*$' },
    since: { type: 'string', format: 'date-time' },
    serial: {
      type: 'string',
      maxLength: 20,
      'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'serial cannot change' }],
    },
    low: { type: 'integer' },
    high: { type: 'integer' },
    ports: {
      type: 'array',
      maxItems: 3,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: {
        type: 'object',
        required: ['name'],
        properties: {
          name: { type: 'string', maxLength: 20 },
          port: { type: 'integer' },
          note: { type: 'string' },
        },
      },
    },
    order: { type: 'array', items: { type: 'string' } },
    tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    nested: { type: 'object', properties: { depth: { type: 'integer', default: 7 } } },
  },
  'x-kubernetes-validations': [
    {
      rule: '!has(self.low) || !has(self.high) || self.low <= self.high',
      messageExpression: "'low is above high of ' + self.type",
      message: 'low is above high',
      fieldPath: '.low',
    },
  ],
};

export const WIDGET_CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `widgets.${GROUP}` },
  spec: {
    group: GROUP,
    scope: 'Namespaced',
    names: {
      plural: 'widgets',
      singular: 'widget',
      kind: 'Widget',
      listKind: 'WidgetList',
      shortNames: ['wdg'],
    },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        selectableFields: [{ jsonPath: '.spec.type' }],
        additionalPrinterColumns: [
          { name: 'Type', type: 'string', jsonPath: '.spec.type' },
          { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas', priority: 1 },
          { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            required: ['spec'],
            properties: {
              spec: SPEC_SCHEMA,
              status: {
                type: 'object',
                properties: {
                  seen: { type: 'integer' },
                  conditions: {
                    type: 'array',
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['type'],
                    items: {
                      type: 'object',
                      required: ['type', 'status'],
                      properties: { type: { type: 'string' }, status: { type: 'string' } },
                    },
                  },
                },
              },
            },
          },
        },
      },
    ],
  },
};
