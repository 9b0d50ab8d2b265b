// The service account that Kubernetes gives to a Pod.

import { join } from 'node:path';
import { KubeconfigError } from './error.ts';
import { parseSource, readIfThere, type Selected, select } from './read.ts';

export const SERVICE_ACCOUNT_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Undefined outside of a Pod. Said as a kubeconfig, so that everything else is the same. */
export function inCluster(
  env: Readonly<Record<string, string | undefined>>,
  folder: string = SERVICE_ACCOUNT_FOLDER,
): Selected | undefined {
  const host = env.KUBERNETES_SERVICE_HOST;
  const port = env.KUBERNETES_SERVICE_PORT;
  if (!host || !port) return undefined;
  if (readIfThere(join(folder, 'token')) === undefined) {
    throw new KubeconfigError(
      'in-cluster',
      '',
      `no ${join(folder, 'token')}; let the Pod mount its service account token`,
    );
  }
  const name = 'in-cluster';
  const config = {
    'current-context': name,
    clusters: [
      {
        name,
        cluster: {
          server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
          'certificate-authority': 'ca.crt',
        },
      },
    ],
    users: [{ name, user: { tokenFile: 'token' } }],
    contexts: [
      {
        name,
        context: { cluster: name, user: name, namespace: readIfThere(join(folder, 'namespace'))?.trim() },
      },
    ],
  };
  return select([parseSource(JSON.stringify(config), name, folder)]);
}
