// Reads kubeconfig text and picks out of one or several files what a context names.

import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { KubeconfigError } from './error.ts';
import {
  type Cluster,
  type Context,
  check,
  clusterSchema,
  configSchema,
  contextSchema,
  type User,
  userSchema,
} from './schema.ts';

/** One parsed file. */
export interface Source {
  /** The file's path, or what the text came from: for messages. */
  name: string;
  /** Folder that relative paths start from; absent for text that may not name files. */
  folder?: string;
  entries: Record<Section, { name: string; value: unknown }[]>;
  currentContext: string;
}

/** An entry with the place it came from. */
export interface Located<T> {
  value: T;
  name: string;
  source: Source;
  /** `users[2].user`. */
  field: string;
}

export interface Selected {
  context: Located<Context>;
  cluster: Located<Cluster>;
  user?: Located<User>;
}

type Section = 'clusters' | 'users' | 'contexts';

const SINGULAR: Record<Section, string> = { clusters: 'cluster', users: 'user', contexts: 'context' };

export function parseSource(text: string, name: string, folder?: string): Source {
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new KubeconfigError(name, '', `not YAML: ${problem}`, cause);
  }
  if (value !== null && (typeof value !== 'object' || Array.isArray(value))) {
    throw new KubeconfigError(
      name,
      '',
      'not a kubeconfig; write a mapping with clusters, users and contexts',
    );
  }
  const config = check(configSchema, value ?? {}, name, '');
  const section = (of: Section) =>
    (config[of] ?? []).map((entry) => ({ name: entry.name, value: entry[SINGULAR[of]] ?? {} }));
  return {
    name,
    ...(folder !== undefined && { folder }),
    entries: { clusters: section('clusters'), users: section('users'), contexts: section('contexts') },
    currentContext: config['current-context'] ?? '',
  };
}

/** Undefined when the file does not exist. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new KubeconfigError(path, '', cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** kubectl's rule for several files: the first that names a thing decides it, nothing is mixed. */
export function select(sources: readonly Source[], wanted?: string): Selected {
  const files = sources.map((source) => source.name).join(', ');
  const name = wanted || sources.find((source) => source.currentContext !== '')?.currentContext;
  if (!name) throw new KubeconfigError(files, 'current-context', 'not set; set it, or choose with --context');
  const found = find(sources, 'contexts', name);
  if (!found) {
    const known = sources.flatMap((source) => source.entries.contexts.map((entry) => entry.name));
    const choice = known.length > 0 ? `there are: ${known.join(', ')}` : 'there is none';
    throw new KubeconfigError(files, 'contexts', `no context ${JSON.stringify(name)}; ${choice}`);
  }
  const context = located(found, contextSchema);
  const cluster = find(sources, 'clusters', context.value.cluster);
  if (!cluster) throw missing(context, 'cluster', context.value.cluster);
  if (!context.value.user) return { context, cluster: located(cluster, clusterSchema) };
  const user = find(sources, 'users', context.value.user);
  if (!user) throw missing(context, 'user', context.value.user);
  return { context, cluster: located(cluster, clusterSchema), user: located(user, userSchema) };
}

function find(sources: readonly Source[], section: Section, name: string): Located<unknown> | undefined {
  for (const source of sources) {
    const index = source.entries[section].findIndex((entry) => entry.name === name);
    const entry = source.entries[section][index];
    if (entry)
      return { value: entry.value, name, source, field: `${section}[${index}].${SINGULAR[section]}` };
  }
  return undefined;
}

function located<T>(found: Located<unknown>, schema: Parameters<typeof check<T>>[0]): Located<T> {
  return { ...found, value: check(schema, found.value, found.source.name, found.field) };
}

function missing(context: Located<Context>, what: 'cluster' | 'user', name: string): KubeconfigError {
  const problem = `no ${what} ${JSON.stringify(name)} in ${what}s; add it or name another`;
  return new KubeconfigError(context.source.name, `${context.field}.${what}`, problem);
}
