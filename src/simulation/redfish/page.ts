// Paging of collections by $skip, $top and Members@odata.nextLink.

import { HttpRefusal, message } from './messages.ts';
import type { Ask, Json, Route } from './route.ts';

/** Of a page, where the client asked for no fewer. */
export const MEMBERS_ON_PAGE_MAX = 1000;

/** The page that was asked for; throws 400 for numbers that are none. */
export function page(resource: Json, { path, query }: Ask, pageSize: number): Json {
  const members = resource.Members;
  if (!Array.isArray(members)) return resource;
  const skip = numberOf(query, '$skip') ?? 0;
  const top = numberOf(query, '$top');
  const shown = Math.min(top ?? pageSize, pageSize);
  const rest = members.length - skip - shown;
  // A client that asked for so many and got them needs no way on.
  const hasMore = rest > 0 && (top === undefined || top > shown);
  return {
    ...resource,
    Members: members.slice(skip, skip + shown),
    ...(hasMore ? { 'Members@odata.nextLink': nextLink(path, skip + shown, top && top - shown) } : {}),
  };
}

function nextLink(path: string, skip: number, top: number | undefined): string {
  return `${path}?$skip=${skip}${top ? `&$top=${top}` : ''}`;
}

function numberOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new HttpRefusal(400, [message('QueryParameterValueTypeError', text, name)]);
}

/** Throws where the query asks for what we don't do. Names without $ are ignored, as the specification has it. */
export function checkQuery({ query }: Ask, { isCollection, queries }: Route): void {
  for (const name of query.keys()) {
    if (!name.startsWith('$') || queries?.includes(name)) continue;
    if (name !== '$skip' && name !== '$top') throw new HttpRefusal(501, [message('QueryNotSupported')]);
    if (!isCollection) throw new HttpRefusal(400, [message('QueryNotSupportedOnResource')]);
  }
}
