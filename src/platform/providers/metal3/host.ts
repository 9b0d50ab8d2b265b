// BareMetalHost of Metal3 (metal3.io/v1alpha1), as far as Drover reads it.
import { z } from 'zod';
import type { KubeObject, Resource } from '../../kube/objects.ts';
import { type Listed, type Power, ProviderError } from '../provider.ts';

export const BARE_METAL_HOSTS: Resource = {
  group: 'metal3.io',
  version: 'v1alpha1',
  kind: 'BareMetalHost',
  plural: 'baremetalhosts',
  namespaced: true,
};

/** One reboot; the operator takes the annotation away when it has done it. */
export const REBOOT = 'reboot.metal3.io';
/** The host stays off until this is taken away by who set it. */
export const HOLD_OFF = 'reboot.metal3.io/drover';
export const PAUSED = 'baremetalhost.metal3.io/paused';
export const DETACHED = 'baremetalhost.metal3.io/detached';

const host = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    annotations: z.record(z.string(), z.string()).default({}),
    creationTimestamp: z.string().optional(),
  }),
  spec: z
    .object({
      online: z.boolean().default(false),
      consumerRef: z
        .object({ kind: z.string(), name: z.string(), namespace: z.string().optional() })
        .optional(),
    })
    .default({ online: false }),
  status: z
    .object({
      poweredOn: z.boolean().optional(),
      operationalStatus: z.string().default(''),
      errorType: z.string().default(''),
      errorMessage: z.string().default(''),
      provisioning: z.object({ state: z.string().default('') }).optional(),
      hardware: z
        .object({
          systemVendor: z
            .object({ productName: z.string().optional(), serialNumber: z.string().optional() })
            .optional(),
          nics: z.array(z.object({ ip: z.string().optional() })).optional(),
        })
        .optional(),
    })
    .optional(),
});
export type BareMetalHost = z.output<typeof host>;

/** Throws ProviderError Broken on what is none. */
export function hostOf(object: KubeObject): BareMetalHost {
  const { success, data, error } = host.safeParse(object);
  if (success) return data;
  throw new ProviderError(
    'Broken',
    `BareMetalHost ${object.metadata.name} is not readable: ${z.prettifyError(error)}`,
  );
}

/** `namespace/name`. Throws ProviderError NotFound on what is neither. */
export function placeOf(id: string): { namespace: string; name: string } {
  const [, namespace, name] = /^([a-z0-9][-a-z0-9]*)\/([a-z0-9][-a-z0-9.]*)$/.exec(id) ?? [];
  if (namespace && name) return { namespace, name };
  throw new ProviderError(
    'NotFound',
    `the machine's id "${id}" names no BareMetalHost: write namespace/name`,
  );
}

/** What its operator last read. While it cannot reach the BMC that is old, and no word at all. */
export function powerOf({ status }: BareMetalHost): Power {
  if (status?.poweredOn === undefined || STALE.has(status.errorType)) return 'Unknown';
  return status.poweredOn ? 'On' : 'Off';
}

const STALE: ReadonlySet<string> = new Set(['registration error', 'power management error']);

/** Why its operator would not act on it now; undefined where it would. */
export function untouchable({ metadata, status }: BareMetalHost): string | undefined {
  const { annotations, namespace, name } = metadata;
  const who = `BareMetalHost ${namespace}/${name}`;
  if (PAUSED in annotations) return `${who} is paused (${PAUSED}): its operator does nothing to it`;
  if (DETACHED in annotations) return `${who} is detached (${DETACHED}): its operator does nothing to it`;
  const state = status?.provisioning?.state ?? '';
  if (state !== '' && !STEADY.has(state)) return `${who} is ${state}: it is left alone until that has ended`;
  return undefined;
}

/** States in which a host is in use; in all others its operator is at work on it. */
const STEADY: ReadonlySet<string> = new Set([
  'provisioned',
  'externally provisioned',
  'available',
  'unmanaged',
]);

export function healthOf({ status }: BareMetalHost): string | undefined {
  if (status?.operationalStatus !== 'error') return undefined;
  return `${status.errorType}: ${status.errorMessage}`.slice(0, 500);
}

export function listedOf(one: BareMetalHost): Listed {
  const { metadata, status } = one;
  const { systemVendor, nics } = status?.hardware ?? {};
  const address = nics?.find(({ ip }) => ip)?.ip;
  return {
    id: `${metadata.namespace}/${metadata.name}`,
    name: metadata.name,
    power: powerOf(one),
    ...(systemVendor?.productName && {
      model: systemVendor.productName.replace(/[^\w.-]+/g, '-').slice(0, 63),
    }),
    ...(systemVendor?.serialNumber && { serial: systemVendor.serialNumber }),
    ...(address && { address }),
    ...(metadata.creationTimestamp && { createdAt: Date.parse(metadata.creationTimestamp) }),
  };
}
