import type { Incident } from '../../api/incident.ts';
import type { Typed } from '../../api/kind.ts';
import type { NodeOperation } from '../../api/node-operation.ts';
import { cleanText, cleanTime, cleanValue, JSON_CHARS_MAX, NAME_CHARS_MAX } from './clean.ts';
import type { Decision } from './history.ts';
import type { DecisionRow, IncidentRow, OperationRow } from './schema.ts';

const name = (value: string | undefined) => cleanText(value ?? '', NAME_CHARS_MAX);
const nameOrNull = (value: string | undefined) => (value ? name(value) : null);

export function decisionRow(writer: number, number: number, decision: Decision): DecisionRow {
  return {
    writer,
    number,
    at: cleanTime(decision.at) ?? new Date(0),
    actor: name(decision.actor),
    kind: name(decision.kind),
    cluster: name(decision.cluster),
    machine: name(decision.machine),
    subject: name(decision.subject),
    reason: name(decision.reason),
    message: cleanText(decision.message),
    evidence: decision.evidence ? JSON.stringify(cleanValue(decision.evidence)) : null,
    until: cleanTime(decision.until),
  };
}

export function incidentRow(incident: Incident): IncidentRow {
  const { metadata, spec, status = {} } = incident;
  return {
    uid: name(metadata.uid),
    version: versionOf(incident),
    name: name(metadata.name),
    cluster: name(spec.cluster),
    machine: name(spec.machine),
    node: name(spec.node),
    cause: nameOrNull(status.diagnosis?.cause),
    domain: nameOrNull(status.diagnosis?.domain),
    stage: nameOrNull(status.stage),
    created_at: cleanTime(metadata.creationTimestamp) ?? cleanTime(status.detectedAt) ?? new Date(0),
    first_symptom_at: cleanTime(status.firstSymptomAt),
    detected_at: cleanTime(status.detectedAt),
    located_at: cleanTime(status.locatedAt),
    healed_at: cleanTime(status.healedAt),
    escalated_at: cleanTime(status.escalatedAt),
    ended_at: cleanTime(status.endedAt),
    object: objectJson(incident),
  };
}

export function operationRow(operation: NodeOperation): OperationRow {
  const { metadata, spec, status = {} } = operation;
  return {
    uid: name(metadata.uid),
    version: versionOf(operation),
    name: name(metadata.name),
    cluster: name(spec.cluster),
    machine: name(spec.machine),
    node: name(spec.node),
    type: name(spec.type),
    asked_by_kind: name(spec.reason.kind),
    asked_by_name: name(spec.reason.name),
    state: nameOrNull(status.state),
    created_at: cleanTime(metadata.creationTimestamp) ?? cleanTime(status.admittedAt) ?? new Date(0),
    admitted_at: cleanTime(status.admittedAt),
    ended_at: cleanTime(status.endedAt),
    boot_id_before: nameOrNull(status.evidence?.bootIDBefore),
    boot_id_after: nameOrNull(status.evidence?.bootIDAfter),
    object: objectJson(operation),
  };
}

/** Digits; what is none counts as older than everything. */
export function versionOf(object: { metadata: { resourceVersion?: string } }): string {
  const version = object.metadata.resourceVersion ?? '';
  return /^[0-9]{1,64}$/.test(version) ? version : '0';
}

/** Without who owns which field, which nobody reads; an object beyond all bounds keeps only its names. */
function objectJson({ apiVersion, kind, metadata, spec, status }: Typed<unknown, unknown>): string {
  const { managedFields: _, ...kept } = metadata;
  const text = JSON.stringify(cleanValue({ apiVersion, kind, metadata: kept, spec, status }));
  if (text.length <= JSON_CHARS_MAX) return text;
  const { name: own, uid, resourceVersion, creationTimestamp } = metadata;
  const names = { name: own, uid, resourceVersion, creationTimestamp };
  const annotations = {
    'drover.dev/left-out': `it is longer than the ${JSON_CHARS_MAX} characters that history keeps`,
  };
  const bare = { apiVersion, kind, metadata: { ...names, annotations }, spec };
  const shorter = JSON.stringify(cleanValue(bare));
  return shorter.length <= JSON_CHARS_MAX ? shorter : JSON.stringify(cleanValue({ ...bare, spec: {} }));
}
