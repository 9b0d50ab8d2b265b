// Redfish resources as they come: looked at field by field, since no two vendors fill in the same ones.
import { ProviderError } from '../provider.ts';

export type Resource = Readonly<Record<string, unknown>>;

/** Throws ProviderError Broken where it is no JSON object. */
export function resourceOf(body: unknown, what: string): Resource {
  if (isResource(body)) return body;
  throw new ProviderError(
    'Broken',
    `${what}: an object was expected, not ${body === undefined ? 'nothing' : typeof body}`,
  );
}

export function isResource(value: unknown): value is Resource {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `{ name: { "@odata.id": path } }` → path. */
export function linkOf(holder: unknown, name: string): string | undefined {
  if (!isResource(holder)) return undefined;
  const value = holder[name];
  const path = name === '@odata.id' ? value : isResource(value) ? value['@odata.id'] : undefined;
  return isPath(path) ? path : undefined;
}

/** Paths of a collection's members, of a list of links. */
export function linksOf(list: unknown): string[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((each) => linkOf(each, '@odata.id') ?? []);
}

export function textOf(resource: Resource, name: string): string | undefined {
  const value = resource[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A BMC names paths of its own only: anything else would send our token elsewhere. */
function isPath(value: unknown): value is string {
  return typeof value === 'string' && /^\/(?!\/)[!-~]*$/.test(value);
}
