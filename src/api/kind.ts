import type { z } from 'zod';
import type { ObjectMeta, Resource } from '../platform/kube/objects.ts';

export const GROUP = 'drover.dev';
export const VERSION = 'v1alpha1';

export interface Column {
  name: string;
  type: 'string' | 'integer' | 'date' | 'boolean';
  jsonPath: string;
  /** 1 shows the column with `-o wide` only. */
  priority?: 1;
  description?: string;
}

/** One of our resources: everything that the CRD, the types and the reference page are made from. */
export interface Kind<Spec extends z.ZodType = z.ZodType, Status extends z.ZodType = z.ZodType> {
  resource: Resource;
  shortNames: string[];
  /** One or two sentences for `kubectl explain` and the reference page. */
  description: string;
  spec: Spec;
  status: Status;
  columns: Column[];
  /** Labels of its CRD that another's controllers look for. */
  labels?: Readonly<Record<string, string>>;
}

export interface Typed<Spec, Status> {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  spec: Spec;
  status?: Status;
}

/** The object type of a kind, after defaults. */
export type ObjectOf<K extends Kind> = Typed<z.output<K['spec']>, z.output<K['status']>>;

/** Cluster-scoped, as all our kinds are but those whose contract is another's. */
export function resourceOf(kind: string, plural: string, namespaced = false): Resource {
  return { group: GROUP, version: VERSION, kind, plural, namespaced };
}

export const AGE: Column = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };
