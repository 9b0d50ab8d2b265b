import { type Clock, SECOND } from '../clock/clock.ts';
import type { KubeClient } from './client.ts';
import { type KubeObject, SECRETS } from './objects.ts';

export interface SecretRef {
  namespace: string;
  name: string;
}

/** The values of a Secret by key. Throws what is wrong where there is none, or it can't be read. */
export type SecretReader = (ref: SecretRef) => Promise<Readonly<Record<string, string>>>;

/** A renewed Secret is in use after this long. */
export const SECRET_AGE_MS_MAX = 30 * SECOND;

/** Reads Secrets of the home cluster, each at most once in SECRET_AGE_MS_MAX: thousands of BMCs share one. */
export function secretReader(client: KubeClient, clock: Clock): SecretReader {
  const read = new Map<string, { at: number; values: Promise<Readonly<Record<string, string>>> }>();
  return (ref) => {
    const key = `${ref.namespace}/${ref.name}`;
    const known = read.get(key);
    if (known && clock.now() - known.at < SECRET_AGE_MS_MAX) return known.values;
    const values = readSecret(client, ref);
    read.set(key, { at: clock.now(), values });
    values.catch(() => read.delete(key));
    return values;
  };
}

/** Now, from the API server. */
export async function readSecret(
  client: KubeClient,
  { namespace, name }: SecretRef,
): Promise<Record<string, string>> {
  const secret = await client.get<KubeObject & { data?: Record<string, string> }>(SECRETS, name, namespace);
  if (!secret) throw new Error(`there is no Secret ${namespace}/${name}`);
  const values = Object.entries(secret.data ?? {});
  return Object.fromEntries(
    values.map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
  );
}
