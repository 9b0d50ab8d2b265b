// OpenAPI documents for kubectl: enough to let it leave validation to the server, and to explain
// custom resources. Built-in kinds are described as objects of any form.

import { apiVersionOf } from '../../platform/kube/objects.ts';
import type { JsonObject } from './json.ts';
import { objectAt } from './json.ts';
import type { Kind } from './registry.ts';

const INFO = { title: 'Drover embedded Kubernetes API', version: 'v1.37.2' };

export const openApiV2 = (): JsonObject => ({ swagger: '2.0', info: INFO, paths: {}, definitions: {} });

const documentPath = (kind: Kind) =>
  kind.group ? `apis/${kind.group}/${kind.version}` : `api/${kind.version}`;

export function openApiV3Index(kinds: readonly Kind[]): JsonObject {
  const names = [...new Set(kinds.map(documentPath))];
  return {
    paths: Object.fromEntries(names.map((name) => [name, { serverRelativeURL: `/openapi/v3/${name}` }])),
  };
}

export function openApiV3(kinds: readonly Kind[]): JsonObject | undefined {
  if (kinds.length === 0) return undefined;
  return {
    openapi: '3.0.0',
    info: INFO,
    paths: Object.assign({}, ...kinds.map(pathsOf)),
    components: { schemas: Object.fromEntries(kinds.map((kind) => [schemaName(kind), schemaOf(kind)])) },
  };
}

const schemaName = (kind: Kind) =>
  `${(kind.group || 'core').split('.').reverse().join('.')}.${kind.version}.${kind.kind}`;

const gvk = ({ group, version, kind }: Kind) => ({ group, version, kind });

function schemaOf(kind: Kind): JsonObject {
  const root = kind.schema?.root ?? { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const properties = {
    apiVersion: { type: 'string', description: 'APIVersion defines the versioned schema of this object.' },
    kind: { type: 'string', description: 'Kind is the REST resource this object represents.' },
    ...objectAt(root, 'properties'),
    metadata: { type: 'object', description: "Standard object's metadata." },
  };
  return { ...root, properties, 'x-kubernetes-group-version-kind': [gvk(kind)] };
}

const QUERY_PARAMETERS = ['dryRun', 'fieldManager', 'fieldValidation', 'force'].map((name) => ({
  name,
  in: 'query',
  schema: { type: 'string' },
}));

/** kubectl looks here whether a PATCH takes `fieldValidation`; if so it does not validate by itself. */
function pathsOf(kind: Kind): JsonObject {
  const scope = kind.namespaced ? '/namespaces/{namespace}' : '';
  const collection = `/${documentPath(kind)}${scope}/${kind.plural}`;
  const media = { schema: { $ref: `#/components/schemas/${schemaName(kind)}` } };
  const responses = { 200: { description: 'OK', content: { 'application/json': media } } };
  const operation = (action: string, parameters: readonly JsonObject[] = []) => ({
    operationId: `${action}${kind.kind}${apiVersionOf(kind)}`,
    parameters,
    responses,
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': gvk(kind),
  });
  const content = { 'application/merge-patch+json': { schema: { type: 'object' } } };
  return {
    [collection]: { get: operation('list'), post: operation('post', QUERY_PARAMETERS) },
    [`${collection}/{name}`]: {
      get: operation('get'),
      put: operation('put', QUERY_PARAMETERS),
      patch: { ...operation('patch', QUERY_PARAMETERS), requestBody: { content } },
      delete: operation('delete'),
    },
  };
}
