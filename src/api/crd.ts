import { z } from 'zod';
import { apiVersionOf } from '../platform/kube/objects.ts';
import { GROUP, type Kind, VERSION } from './kind.ts';

type Schema = Record<string, unknown>;

/** What zod adds and the API server refuses or misreads in a structural schema. */
const DROPPED_KEYS = new Set(['$schema', 'additionalProperties:false']);

/** Formats that the API server checks itself: zod's patterns for them are 400 characters of noise. */
const DATES: ReadonlySet<unknown> = new Set(['date', 'date-time']);

/**
 * An OpenAPI v3 structural schema of a zod type, as CRDs want it.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
export function structuralSchema(type: z.ZodType): Schema {
  return clean(
    z.toJSONSchema(type, { target: 'openapi-3.0', io: 'input', unrepresentable: 'throw' }),
  ) as Schema;
}

function clean(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(clean);
  if (typeof value !== 'object' || value === null) return value;
  const out: Schema = {};
  for (const [key, child] of Object.entries(value)) {
    if (DROPPED_KEYS.has(key) || DROPPED_KEYS.has(`${key}:${child}`)) continue;
    if (key === 'pattern' && DATES.has((value as Schema).format)) continue;
    // zod bounds integers to ±2^53, which CRDs take as is, but nobody wrote.
    if ((key === 'maximum' || key === 'minimum') && Math.abs(child as number) === Number.MAX_SAFE_INTEGER)
      continue;
    out[key] = clean(child);
  }
  return out;
}

/** The CustomResourceDefinition (`apiextensions.k8s.io/v1`) of a kind. */
export function crdOf(kind: Kind) {
  const { resource } = kind;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${resource.plural}.${GROUP}`,
      labels: { 'app.kubernetes.io/part-of': 'drover', ...kind.labels },
    },
    spec: {
      group: GROUP,
      scope: resource.namespaced ? 'Namespaced' : 'Cluster',
      names: {
        kind: resource.kind,
        listKind: `${resource.kind}List`,
        plural: resource.plural,
        singular: resource.kind.toLowerCase(),
        shortNames: kind.shortNames,
        categories: ['drover'],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: kind.columns,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description: kind.description,
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: { type: 'object' },
                spec: structuralSchema(kind.spec),
                status: structuralSchema(kind.status),
              },
            },
          },
        },
      ],
    },
  };
}

/** `drover.dev/v1alpha1` and the kind's name, for objects that we make. */
export function typeMetaOf(kind: Kind) {
  return { apiVersion: apiVersionOf(kind.resource), kind: kind.resource.kind };
}
