// What clients ask before they ask for objects: which kinds there are, and is the server well.

import type { KubeResponse } from '../../platform/kube/transport.ts';
import type { ApiCore } from './core.ts';
import type { JsonObject } from './json.ts';
import { openApiV2, openApiV3, openApiV3Index } from './openapi.ts';
import type { Kind } from './registry.ts';

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

const VERSION = {
  major: '1',
  minor: '37',
  gitVersion: 'v1.37.2+drover-embedded',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '2026-01-01T00:00:00Z',
  goVersion: 'none',
  compiler: 'none',
  platform: 'embedded',
};

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const STATUS_VERBS = ['get', 'patch', 'update'];

export function discover(core: ApiCore, path: string, accept: string | undefined): KubeResponse | undefined {
  const clean = path.replace(/\/+$/, '');
  if (['/readyz', '/livez', '/healthz'].includes(clean)) return text('ok');
  if (clean === '/version') return json(VERSION);
  const kinds = core.registry.all();
  const aggregated = accept?.includes('as=APIGroupDiscoveryList') && accept.includes('application/json');
  if (clean === '/api')
    return aggregated ? discoveryList(kinds.filter((kind) => kind.group === '')) : json(CORE);
  if (clean === '/apis') {
    return aggregated
      ? discoveryList(kinds.filter((kind) => kind.group !== ''))
      : json({ kind: 'APIGroupList', apiVersion: 'v1', groups: groupsOf(kinds).map(groupOf) });
  }
  if (clean === '/openapi/v2') return json(openApiV2());
  if (clean === '/openapi/v3') return json(openApiV3Index(kinds));
  const document = /^\/openapi\/v3\/(?:api\/(v1)|apis\/([^/]+)\/([^/]+))$/.exec(clean);
  if (document) {
    const [, , group = '', version = 'v1'] = document;
    const found = openApiV3(kinds.filter((kind) => kind.group === group && kind.version === version));
    return found && json(found);
  }
  return groupOrVersion(kinds, clean);
}

const CORE = { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };

function groupOrVersion(kinds: readonly Kind[], path: string): KubeResponse | undefined {
  const match = /^\/(?:api\/(v1)|apis\/([^/]+)(?:\/([^/]+))?)$/.exec(path);
  if (!match) return undefined;
  const [, core, group = '', named] = match;
  const version = core ?? named;
  if (version === undefined) {
    const found = groupsOf(kinds).find((each) => each.name === group);
    return found && json({ kind: 'APIGroup', apiVersion: 'v1', ...groupOf(found) });
  }
  const own = kinds.filter((kind) => kind.group === group && kind.version === version);
  if (own.length === 0) return undefined;
  const groupVersion = group ? `${group}/${version}` : version;
  return json({
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion,
    resources: own.flatMap(resourcesOf),
  });
}

interface Group {
  name: string;
  versions: string[];
}

function groupsOf(kinds: readonly Kind[]): Group[] {
  const groups = new Map<string, Set<string>>();
  for (const { group, version } of kinds) {
    if (group === '') continue;
    groups.set(group, (groups.get(group) ?? new Set()).add(version));
  }
  return [...groups].map(([name, versions]) => ({ name, versions: [...versions] }));
}

function groupOf({ name, versions }: Group): JsonObject {
  const entries = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: entries, preferredVersion: entries[0] };
}

function resourcesOf(kind: Kind): JsonObject[] {
  const { plural, singular, namespaced, shortNames, categories } = kind;
  const base = { singularName: singular, namespaced, kind: kind.kind, verbs: VERBS };
  return [
    {
      name: plural,
      ...base,
      ...(shortNames.length ? { shortNames } : {}),
      ...(categories.length ? { categories } : {}),
    },
    ...subresourcesOf(kind).map(({ name, kind: subKind, verbs, group, version }) => ({
      name: `${plural}/${name}`,
      singularName: '',
      namespaced,
      ...(group ? { group, version } : {}),
      kind: subKind,
      verbs,
    })),
  ];
}

interface Subresource {
  name: string;
  kind: string;
  group: string;
  version: string;
  verbs: readonly string[];
}

function subresourcesOf(kind: Kind): Subresource[] {
  const { group, version } = kind;
  const subresources: Subresource[] = kind.actions.map((name) =>
    name === 'eviction'
      ? { name, kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] }
      : { name, kind: 'Binding', group: '', version: 'v1', verbs: ['create'] },
  );
  if (kind.status)
    subresources.push({ name: 'status', kind: kind.kind, group, version, verbs: STATUS_VERBS });
  return subresources;
}

/** Aggregated discovery: one answer for all groups. */
function discoveryList(kinds: readonly Kind[]): KubeResponse {
  const byGroup = Map.groupBy(kinds, (kind) => kind.group);
  const items = [...byGroup].map(([name, own]) => ({
    metadata: { name, creationTimestamp: null },
    versions: [...Map.groupBy(own, (kind) => kind.version)].map(([version, resources]) => ({
      version,
      resources: resources.map(discoveryOf),
      freshness: 'Current',
    })),
  }));
  const body = { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
  return { status: 200, headers: { 'content-type': AGGREGATED }, body };
}

const kindRef = (group: string, version: string, kind: string) => ({ group, version, kind });

function discoveryOf(kind: Kind): JsonObject {
  const { group, version, plural, singular, shortNames, categories } = kind;
  const subresources = subresourcesOf(kind).map((sub) => ({
    subresource: sub.name,
    responseKind: kindRef(sub.group, sub.version, sub.kind),
    verbs: sub.verbs,
  }));
  return {
    resource: plural,
    responseKind: kindRef(group, version, kind.kind),
    scope: kind.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs: VERBS,
    ...(shortNames.length ? { shortNames } : {}),
    ...(categories.length ? { categories } : {}),
    ...(subresources.length ? { subresources } : {}),
  };
}

const json = (body: unknown): KubeResponse => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body,
});
const text = (body: string): KubeResponse => ({
  status: 200,
  headers: { 'content-type': 'text/plain' },
  body,
});
