// From a kubeconfig (files, text of a Secret, or a Pod's service account) to a Transport.

import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { Clock } from '../clock/clock.ts';
import { checkedProxyUrl, httpsTransport } from './https.ts';
import { credentialsOf, impersonationOf } from './kubeconfig/credentials.ts';
import { KubeconfigError } from './kubeconfig/error.ts';
import { inCluster } from './kubeconfig/in-cluster.ts';
import { fail, pemReader } from './kubeconfig/material.ts';
import {
  type Located,
  parseSource,
  readIfThere,
  type Selected,
  type Source,
  select,
} from './kubeconfig/read.ts';
import type { Cluster } from './kubeconfig/schema.ts';
import type { Transport } from './transport.ts';

export { KubeconfigError } from './kubeconfig/error.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** A cluster as one context of a kubeconfig describes it. */
export interface KubeconfigContext {
  /** The context's name; `in-cluster` for a Pod's service account. */
  name: string;
  server: string;
  /** The user entry's name; empty for an anonymous one. */
  user: string;
  namespace: string;
  transport: Transport;
}

interface CommonOptions {
  clock: Clock;
  /** Default: the current context. */
  context?: string;
  userAgent?: string;
}

export interface LoadOptions extends CommonOptions {
  /** `--kubeconfig`: this file alone. Default: the files of KUBECONFIG, ~/.kube/config, the Pod's account. */
  path?: string;
  /** KUBECONFIG, HOME and the Pod's variables are read from here, and exec plugins get it. */
  env: Env;
  /** Where a Pod's service account is mounted. */
  serviceAccountFolder?: string;
}

export interface TextOptions extends CommonOptions {
  /** What the text came from, for messages: `Secret drover/prod`. */
  source: string;
}

/** Throws KubeconfigError, which names file and field. */
export function loadKubeconfig(options: LoadOptions): KubeconfigContext {
  const sources = options.path ? [explicitFile(options.path)] : defaultFiles(options.env);
  if (sources.length > 0) return open(select(sources, options.context), options, options.env);
  const pod = inCluster(options.env, options.serviceAccountFolder);
  if (pod && !options.context) return open(pod, options, options.env);
  const tried = defaultPaths(options.env).join(', ');
  throw new KubeconfigError(tried, '', 'no such file; set KUBECONFIG, or give --kubeconfig');
}

/** Text from elsewhere may not name files or programs: a Secret must not make us read or run things. */
export function kubeconfigFromText(text: string, options: TextOptions): KubeconfigContext {
  return open(select([parseSource(text, options.source)], options.context), options, {});
}

function explicitFile(path: string): Source {
  const text = readIfThere(path);
  if (text === undefined) throw new KubeconfigError(path, '', 'no such file');
  return parseSource(text, path, dirname(resolve(path)));
}

function defaultFiles(env: Env): Source[] {
  const sources: Source[] = [];
  for (const path of defaultPaths(env)) {
    const text = readIfThere(path);
    if (text !== undefined && text.trim() !== '')
      sources.push(parseSource(text, path, dirname(resolve(path))));
  }
  return sources;
}

function defaultPaths(env: Env): string[] {
  const listed = (env.KUBECONFIG ?? '').split(delimiter).filter((path) => path !== '');
  return listed.length > 0 ? [...new Set(listed)] : [join(env.HOME || homedir(), '.kube', 'config')];
}

function open({ context, cluster, user }: Selected, options: CommonOptions, env: Env): KubeconfigContext {
  const { clock, userAgent } = options;
  const { value } = cluster;
  checkServer(cluster);
  const ca = authorityOf(cluster, clock);
  const credentials = user && credentialsOf(user, { cluster: value, ...(ca && { ca }), env, clock });
  const transport = httpsTransport({
    server: value.server,
    clock,
    ...(credentials && { credentials }),
    ...(ca && { ca }),
    ...(value['tls-server-name'] && { tlsServerName: value['tls-server-name'] }),
    ...(value['insecure-skip-tls-verify'] && { insecureSkipTlsVerify: true }),
    ...(value['proxy-url'] && { proxyUrl: value['proxy-url'] }),
    ...(value['disable-compression'] && { compression: false }),
    ...(userAgent && { userAgent }),
    ...(user && { headers: impersonationOf(user) }),
  });
  return {
    name: context.name,
    server: value.server,
    user: user?.name ?? '',
    namespace: context.value.namespace || 'default',
    transport,
  };
}

function checkServer(cluster: Located<Cluster>): void {
  const { server, 'proxy-url': proxyUrl } = cluster.value;
  const url = URL.parse(server);
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    fail(cluster, 'server', `${JSON.stringify(server)} is not a URL; write https://host:port`);
  }
  if (!proxyUrl) return;
  if (url.protocol === 'http:') fail(cluster, 'proxy-url', 'needs an https:// server');
  try {
    checkedProxyUrl(proxyUrl);
  } catch (cause) {
    fail(cluster, 'proxy-url', cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function authorityOf(cluster: Located<Cluster>, clock: Clock): string | undefined {
  const ca = pemReader(cluster, 'certificate-authority', clock)?.(false);
  if (!ca) return undefined;
  if (cluster.value['insecure-skip-tls-verify']) {
    fail(
      cluster,
      'insecure-skip-tls-verify',
      'true, while there is a certificate authority; leave one of them out',
    );
  }
  try {
    createSecureContext({ ca });
  } catch (cause) {
    fail(cluster, 'certificate-authority-data', 'not a certificate in PEM', cause);
  }
  return ca;
}
