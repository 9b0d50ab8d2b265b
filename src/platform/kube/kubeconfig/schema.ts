// The kubeconfig format (clientcmd v1). Tools write null for what they leave empty, so every optional
// field may be null. Entries are checked only when the chosen context names them: as with kubectl, a
// user entry that nobody uses may be broken.

import * as z from 'zod';
import { KubeconfigError } from './error.ts';

export const EXEC_API_VERSIONS = [
  'client.authentication.k8s.io/v1',
  'client.authentication.k8s.io/v1beta1',
] as const;

const text = z.string().nullish();
const flag = z.boolean().nullish();
const entries = z.array(z.looseObject({ name: z.string() })).nullish();

export const configSchema = z.looseObject({
  apiVersion: z
    .literal('v1', { error: (issue) => `${say(issue.input)} is not supported; use "v1"` })
    .nullish(),
  kind: z
    .literal('Config', { error: (issue) => `${say(issue.input)} is not a kubeconfig; use "Config"` })
    .nullish(),
  'current-context': text,
  clusters: entries,
  users: entries,
  contexts: entries,
});

export const contextSchema = z.looseObject({
  cluster: z
    .string({ error: 'missing; name an entry of clusters' })
    .min(1, 'empty; name an entry of clusters'),
  user: text,
  namespace: text,
});

export const clusterSchema = z.looseObject({
  server: z.string({ error: 'missing; write https://host:port' }).min(1, 'empty; write https://host:port'),
  'certificate-authority': text,
  'certificate-authority-data': text,
  'insecure-skip-tls-verify': flag,
  'tls-server-name': text,
  'proxy-url': text,
  'disable-compression': flag,
  extensions: z.array(z.looseObject({ name: z.string(), extension: z.unknown().optional() })).nullish(),
});

export const execSchema = z.looseObject({
  apiVersion: z.enum(EXEC_API_VERSIONS, {
    error: (issue) => `${say(issue.input)} is not supported; use ${EXEC_API_VERSIONS[0]}`,
  }),
  command: z.string({ error: 'missing; name the program to run' }).min(1, 'empty; name the program to run'),
  args: z.array(z.string()).nullish(),
  env: z.array(z.looseObject({ name: z.string(), value: z.string() })).nullish(),
  installHint: text,
  provideClusterInfo: flag,
  interactiveMode: z
    .enum(['Never', 'IfAvailable', 'Always'], {
      error: (issue) => `${say(issue.input)} is unknown; use Never, IfAvailable or Always`,
    })
    .nullish(),
});

export const userSchema = z.looseObject({
  'client-certificate': text,
  'client-certificate-data': text,
  'client-key': text,
  'client-key-data': text,
  token: text,
  tokenFile: text,
  username: text,
  password: text,
  as: text,
  'as-uid': text,
  'as-groups': z.array(z.string()).nullish(),
  'as-user-extra': z.record(z.string(), z.array(z.string())).nullish(),
  exec: execSchema.nullish(),
  'auth-provider': z.unknown().optional(),
});

export type Config = z.infer<typeof configSchema>;
export type Context = z.infer<typeof contextSchema>;
export type Cluster = z.infer<typeof clusterSchema>;
export type User = z.infer<typeof userSchema>;
export type Exec = z.infer<typeof execSchema>;

/** Checks `value`, which stands at `field` of `source`; throws the first thing that is wrong. */
export function check<T>(schema: z.ZodType<T>, value: unknown, source: string, field: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (!issue) throw new KubeconfigError(source, field, 'invalid');
  throw new KubeconfigError(source, fieldOf(field, issue.path), issue.message);
}

function fieldOf(base: string, path: readonly PropertyKey[]): string {
  let field = base;
  for (const part of path) {
    if (typeof part === 'number') field += `[${part}]`;
    else field += field === '' ? String(part) : `.${String(part)}`;
  }
  return field;
}

function say(value: unknown): string {
  return JSON.stringify(value) ?? 'missing: nothing';
}
