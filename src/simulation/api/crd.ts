// A CustomResourceDefinition becomes a kind.

import { CelError } from './cel.ts';
import { isObject, type JsonObject, listAt, objectAt, same, stringAt } from './json.ts';
import { parseJsonPath } from './json-path.ts';
import type { Kind } from './registry.ts';
import { compileSchema } from './schema.ts';
import { shapeOfSchema } from './shape.ts';
import type { Cause } from './status.ts';
import { customColumns } from './table-columns.ts';

const SELECTABLE_FIELDS_MAX = 8;

const fault = (field: string, message: string): Cause => ({ reason: 'FieldValueInvalid', message, field });

/** Names default as in the real server: singular, list kind. */
export function withCrdDefaults(crd: JsonObject): JsonObject {
  const spec = objectAt(crd, 'spec');
  const names = objectAt(spec, 'names');
  const kind = stringAt(names, 'kind') ?? '';
  return {
    ...crd,
    spec: {
      conversion: { strategy: 'None' },
      ...spec,
      names: { singular: kind.toLowerCase(), listKind: `${kind}List`, ...names },
    },
  };
}

/** The kind that a CRD declares, or what is wrong with it. */
export function kindOfCrd(crd: JsonObject): { kind: Kind } | { causes: Cause[] } {
  const spec = objectAt(crd, 'spec');
  const names = objectAt(spec, 'names');
  const group = stringAt(spec, 'group') ?? '';
  const plural = stringAt(names, 'plural') ?? '';
  const causes: Cause[] = [];
  const name = stringAt(crd.metadata, 'name');
  if (name !== `${plural}.${group}`) {
    const words = `Invalid value: ${JSON.stringify(name)}: must be spec.names.plural+"."+spec.group`;
    causes.push(fault('metadata.name', words));
  }
  for (const key of ['plural', 'kind']) {
    if (!stringAt(names, key))
      causes.push({ reason: 'FieldValueRequired', message: 'Required value', field: `spec.names.${key}` });
  }
  const served = listAt(spec, 'versions').filter((version) => isObject(version) && version.served === true);
  const version = served[0];
  if (served.length !== 1 || !isObject(version)) {
    causes.push(fault('spec.versions', 'the embedded API serves CRDs with exactly one served version'));
    return { causes };
  }
  const schema = objectAt(objectAt(version, 'schema'), 'openAPIV3Schema');
  if (schema.type !== 'object') {
    const field = 'spec.versions[0].schema.openAPIV3Schema';
    causes.push({ reason: 'FieldValueRequired', message: 'Required value: schemas are required', field });
  }
  checkStructural(schema, 'spec.versions[0].schema.openAPIV3Schema', causes, true);
  if (causes.length > 0) return { causes };
  try {
    return { kind: build(spec, names, version, schema) };
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    const field = `spec.versions[0].schema.${error.path}`;
    return { causes: [fault(field, `Invalid value: ${error.message}`)] };
  }
}

function build(spec: JsonObject, names: JsonObject, version: JsonObject, schema: JsonObject): Kind {
  const subresources = objectAt(version, 'subresources');
  const kind = String(names.kind);
  return {
    group: String(spec.group),
    version: String(version.name),
    kind,
    plural: String(names.plural),
    namespaced: spec.scope === 'Namespaced',
    singular: stringAt(names, 'singular') ?? kind.toLowerCase(),
    shortNames: listAt(names, 'shortNames').map(String),
    categories: listAt(names, 'categories').map(String),
    status: isObject(subresources.status),
    actions: [],
    nameRule: 'subdomain',
    shape: shapeOfSchema(schema),
    generation: true,
    createOnUpdate: false,
    unconditionalUpdate: false,
    selectable: selectableOf(version),
    columns: customColumns(listAt(version, 'additionalPrinterColumns')),
    schema: compileSchema(schema),
  };
}

function selectableOf(version: JsonObject): Kind['selectable'] {
  const selectable: Record<string, (object: JsonObject) => string> = {};
  for (const field of listAt(version, 'selectableFields').slice(0, SELECTABLE_FIELDS_MAX)) {
    const path = stringAt(field, 'jsonPath') ?? '';
    const read = parseJsonPath(path);
    selectable[path.replace(/^\./, '')] = (object) => {
      const [value] = read(object);
      return value === undefined || value === null ? '' : String(value);
    };
  }
  return selectable;
}

/** What makes a schema structural: types everywhere, none inside allOf, anyOf, oneOf and not. */
function checkStructural(schema: JsonObject, path: string, causes: Cause[], root = false): void {
  const anyType =
    schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (schema.type === undefined && !anyType) {
    causes.push({
      reason: 'FieldValueRequired',
      message: 'Required value: must not be empty for specified object fields',
      field: `${path}.type`,
    });
  }
  if (schema.additionalProperties === false) {
    causes.push({
      reason: 'FieldValueForbidden',
      message: 'Forbidden: additionalProperties cannot be set to false',
      field: `${path}.additionalProperties`,
    });
  }
  if (isObject(schema.properties) && isObject(schema.additionalProperties)) {
    causes.push({
      reason: 'FieldValueForbidden',
      message: 'Forbidden: additionalProperties and properties are mutual exclusive',
      field: `${path}.additionalProperties`,
    });
  }
  for (const word of ['allOf', 'anyOf', 'oneOf']) {
    listAt(schema, word).forEach((branch, i) => {
      checkBranch(branch, schema, `${path}.${word}[${i}]`, causes);
    });
  }
  const properties = objectAt(schema, 'properties');
  for (const key in properties) {
    if (root && key === 'metadata') continue;
    checkStructural(objectAt(properties, key), `${path}.properties[${key}]`, causes);
  }
  if (isObject(schema.additionalProperties))
    checkStructural(schema.additionalProperties, `${path}.additionalProperties`, causes);
  if (isObject(schema.items)) checkStructural(schema.items, `${path}.items`, causes);
  else if (schema.type === 'array') {
    causes.push({
      reason: 'FieldValueRequired',
      message: 'Required value: must be specified',
      field: `${path}.items`,
    });
  }
}

function checkBranch(branch: unknown, parent: JsonObject, path: string, causes: Cause[]): void {
  if (!isObject(branch)) return;
  const intOrString = parent['x-kubernetes-int-or-string'] === true;
  for (const word of ['type', 'default', 'nullable', 'description', 'additionalProperties']) {
    if (branch[word] === undefined || (intOrString && word === 'type')) continue;
    causes.push({
      reason: 'FieldValueForbidden',
      message: 'Forbidden: must be empty to be structural',
      field: `${path}.${word}`,
    });
  }
}

const CONDITION_MESSAGES = [
  ['NamesAccepted', 'NoConflicts', 'no conflicts found'],
  ['Established', 'InitialNamesAccepted', 'the initial names have been accepted'],
] as const;

/** The status of an established CRD. */
export function crdStatus(crd: JsonObject, old: JsonObject | undefined, time: string): JsonObject {
  const spec = objectAt(crd, 'spec');
  const storage = listAt(spec, 'versions').filter((version) => isObject(version) && version.storage === true);
  const known = objectAt(old, 'status');
  const status = {
    conditions: listAt(known, 'conditions').length
      ? known.conditions
      : CONDITION_MESSAGES.map(([type, reason, message]) => ({
          type,
          status: 'True',
          reason,
          message,
          lastTransitionTime: time,
        })),
    acceptedNames: spec.names,
    storedVersions: storage.map((version) => stringAt(version, 'name')),
  };
  return same(known, status) ? known : status;
}
