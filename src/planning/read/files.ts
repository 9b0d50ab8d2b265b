// MachineClasses and WorkloadProfiles as people keep them: YAML of several documents, JSON, lists of either.
import { type Document, isSeq, LineCounter, parseAllDocuments } from 'yaml';
import { objectName } from '../../api/fields.ts';
import { machineClassKind } from '../../api/machine-class.ts';
import { workloadProfileKind } from '../../api/workload-profile.ts';
import { apiVersionOf, type KubeObject } from '../../platform/kube/objects.ts';
import { OFFERS_MAX, PlanError, WORKLOADS_MAX } from '../model.ts';
import type { Written } from './written.ts';

/** 10,000 profiles of three containers are 8 MB, and take 7 s as YAML. */
export const TEXT_LENGTH_MAX = 16 << 20;
export const OBJECTS_MAX = WORKLOADS_MAX + OFFERS_MAX;

const RESOURCES = [machineClassKind.resource, workloadProfileKind.resource];
const KINDS = RESOURCES.map(({ kind }) => kind);
const LISTS = ['List', ...KINDS.map((kind) => `${kind}List`)];

/** Objects of both kinds, not yet checked but for their names. Throws a PlanError that names document and line. */
export function objectsIn(text: string, file: string): Written[] {
  if (text.length > TEXT_LENGTH_MAX)
    throw new PlanError(`${file}: ${text.length} characters; ${TEXT_LENGTH_MAX} at most are read`);
  const values = jsonIn(text) ?? yamlIn(text, file);
  if (values.length === 0)
    throw new PlanError(`${file}: there is nothing in it; ${KINDS.join(' or ')} is wanted`);
  const objects = values.flatMap(itemsOf);
  if (objects.length > OBJECTS_MAX)
    throw new PlanError(`${file}: ${objects.length} objects; ${OBJECTS_MAX} at most can be planned with`);
  return objects.map(({ from, line, value }) => ({
    from: `${file}, ${from}`,
    object: objectOf(value, `${file}, ${from}${line ? `, line ${line}` : ''}`),
  }));
}

interface Value {
  /** `document 3`, `document 1, item 7`. */
  from: string;
  value: unknown;
  /** Where the value begins, and its items; JSON has no lines. */
  line?: number;
  itemLines?: readonly number[];
}

/** A file of one JSON value, in a tenth of the time that YAML takes. undefined: it is something else. */
function jsonIn(text: string): Value[] | undefined {
  if (!/^\s*\{/.test(text)) return undefined;
  try {
    return [{ from: 'document 1', value: JSON.parse(text) }];
  } catch {
    return undefined;
  }
}

function yamlIn(text: string, file: string): Value[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  if (!Array.isArray(documents)) return [];
  return (documents as Document.Parsed[]).flatMap((document, at): Value[] => {
    const from = `document ${at + 1}`;
    const [error] = document.errors;
    if (error) {
      const { line, col } = lines.linePos(error.pos[0]);
      throw new PlanError(`${file}, ${from}, line ${line}, column ${col}: ${error.message}`);
    }
    const lineOf = (node: unknown) =>
      lines.linePos((node as { range?: [number] } | null)?.range?.[0] ?? 0).line;
    const items = document.getIn(['items'], true);
    const value = contentOf(document, `${file}, ${from}`);
    if (value === null) return [];
    return [
      {
        from,
        value,
        line: lineOf(document.contents),
        ...(isSeq(items) && { itemLines: items.items.map(lineOf) }),
      },
    ];
  });
}

function contentOf(document: Document.Parsed, from: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    // An alias that names nothing, or too many of them: a file that would grow without end.
    throw new PlanError(`${from}: ${(error as Error).message}`);
  }
}

function itemsOf(whole: Value): Value[] {
  const { from, value, itemLines } = whole;
  if (!isMap(value) || !LISTS.includes(String(value.kind)) || !Array.isArray(value.items)) return [whole];
  return value.items.map((item: unknown, at) => {
    const line = itemLines?.[at];
    return { from: `${from}, item ${at + 1}`, value: item, ...(line && { line }) };
  });
}

function objectOf(value: unknown, place: string): KubeObject {
  if (!isMap(value))
    throw new PlanError(`${place}: is no object; apiVersion, kind, metadata and spec are wanted`);
  const { apiVersion, kind, metadata } = value;
  const name = isMap(metadata) ? metadata.name : undefined;
  const resource = RESOURCES.find((each) => each.kind === kind);
  if (!resource)
    throw new PlanError(
      kind === undefined
        ? `${place}: kind is missing; write ${KINDS.join(' or ')}`
        : `${place}: ${shown(kind)}${name === undefined ? '' : `/${shown(name)}`} is not planned with; only ${KINDS.join(' and ')} are`,
    );
  if (apiVersion !== apiVersionOf(resource))
    throw new PlanError(
      `${place}: apiVersion: ${apiVersion === undefined ? 'is missing' : `"${shown(apiVersion)}" is not that of ${resource.kind}`}; write ${apiVersionOf(resource)}`,
    );
  if (!objectName().safeParse(name).success)
    throw new PlanError(
      `${place}: metadata.name: ${name === undefined ? 'is missing' : `"${shown(name)}" is no name`}; write lower-case letters, digits, - and .`,
    );
  return value as unknown as KubeObject;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
