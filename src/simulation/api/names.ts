// The rules for names and labels, and the words of the real server when they are broken.

import { isObject, type JsonObject, listAt, objectAt } from './json.ts';
import type { Cause } from './status.ts';

const NAME_LENGTH_MAX = 253;
const LABEL_LENGTH_MAX = 63;
const ANNOTATIONS_SIZE_MAX = 256 * 1024;

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const QUALIFIED = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

const SUBDOMAIN_WORDS =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const DNS_LABEL_WORDS =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const LABEL_VALUE_WORDS =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const QUALIFIED_WORDS =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

const fault = (field: string, value: unknown, words: string): Cause => ({
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value)}: ${words}`,
  field,
});

/** 'path' lets any name in that can stand in a URL: RBAC objects are named `system:node`. */
export type NameRule = 'subdomain' | 'label' | 'path';

export function checkName(name: string, rule: NameRule): Cause[] {
  const field = 'metadata.name';
  if (rule === 'path') {
    if (name === '.' || name === '..') return [fault(field, name, `may not be '${name}'`)];
    const bad = ['/', '%'].find((mark) => name.includes(mark));
    return bad ? [fault(field, name, `may not contain '${bad}'`)] : [];
  }
  const max = rule === 'label' ? LABEL_LENGTH_MAX : NAME_LENGTH_MAX;
  if (name.length > max) return [fault(field, name, `must be no more than ${max} characters`)];
  if (rule === 'label') return DNS_LABEL.test(name) ? [] : [fault(field, name, DNS_LABEL_WORDS)];
  return SUBDOMAIN.test(name) ? [] : [fault(field, name, SUBDOMAIN_WORDS)];
}

/** What is wrong with a label value, in words; undefined when it is right. */
export function labelValueFault(value: string): string | undefined {
  if (value.length > LABEL_LENGTH_MAX) return `must be no more than ${LABEL_LENGTH_MAX} bytes`;
  return LABEL_VALUE.test(value) ? undefined : LABEL_VALUE_WORDS;
}

/** The same for a label or annotation key: `[prefix/]name`. */
export function qualifiedNameFault(key: string): string | undefined {
  const parts = key.split('/');
  if (parts.length > 2) return QUALIFIED_WORDS;
  const name = parts.at(-1) as string;
  if (name === '') return `name part must be non-empty`;
  if (name.length > LABEL_LENGTH_MAX) return `name part must be no more than ${LABEL_LENGTH_MAX} bytes`;
  if (!QUALIFIED.test(name)) return QUALIFIED_WORDS;
  const prefix = parts.length === 2 ? parts[0] : undefined;
  if (prefix === undefined) return undefined;
  if (prefix === '') return 'prefix part must be non-empty';
  return SUBDOMAIN.test(prefix) ? undefined : `prefix part ${SUBDOMAIN_WORDS}`;
}

/** Checks labels, annotations, finalizers and owner references; skips what the old metadata had already. */
export function checkMetadata(meta: JsonObject, old: JsonObject | undefined): Cause[] {
  const causes: Cause[] = [];
  if (meta.labels !== old?.labels) checkLabels(objectAt(meta, 'labels'), causes);
  if (meta.annotations !== old?.annotations) checkAnnotations(objectAt(meta, 'annotations'), causes);
  if (meta.ownerReferences !== old?.ownerReferences) checkOwners(listAt(meta, 'ownerReferences'), causes);
  if (meta.finalizers !== old?.finalizers) {
    for (const finalizer of listAt(meta, 'finalizers')) {
      const words = qualifiedNameFault(String(finalizer));
      if (words) causes.push(fault('metadata.finalizers', finalizer, words));
    }
  }
  return causes;
}

function checkLabels(labels: JsonObject, causes: Cause[]): void {
  for (const key in labels) {
    const keyWords = qualifiedNameFault(key);
    if (keyWords) causes.push(fault('metadata.labels', key, keyWords));
    const words = labelValueFault(String(labels[key]));
    if (words) causes.push(fault('metadata.labels', labels[key], words));
  }
}

function checkAnnotations(annotations: JsonObject, causes: Cause[]): void {
  let size_bytes = 0;
  for (const key in annotations) {
    const words = qualifiedNameFault(key.toLowerCase());
    if (words) causes.push(fault('metadata.annotations', key, words));
    size_bytes += key.length + String(annotations[key]).length;
  }
  if (size_bytes <= ANNOTATIONS_SIZE_MAX) return;
  causes.push({
    reason: 'FieldValueTooLong',
    message: `Too long: may not be more than ${ANNOTATIONS_SIZE_MAX} bytes`,
    field: 'metadata.annotations',
  });
}

function checkOwners(owners: readonly unknown[], causes: Cause[]): void {
  owners.forEach((owner, index) => {
    for (const key of ['apiVersion', 'kind', 'name', 'uid']) {
      if (isObject(owner) && typeof owner[key] === 'string' && owner[key] !== '') continue;
      causes.push(fault(`metadata.ownerReferences[${index}].${key}`, '', 'must not be empty'));
    }
  });
}
