// What a resource family offers the service: routes, with what each method needs and does.

import type { ServerResponse } from 'node:http';
import type { Faults } from './faults.ts';
import { notFound } from './messages.ts';
import type { Privilege, Who } from './roles.ts';
import type { Service } from './service.ts';

export type Json = Record<string, unknown>;

/** A request, with nothing of HTTP's machinery. */
export interface Ask {
  method: string;
  /** Decoded, without query and without a slash at its end. */
  path: string;
  query: URLSearchParams;
  headers: Readonly<Record<string, string | undefined>>;
  text: string;
}

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  /** A resource or error, or text of another media type (then `content-type` is among the headers). */
  body?: Json | string;
  /** Takes the connection over, once the headers are out. */
  stream?: (response: ServerResponse) => void;
}

export interface Call {
  service: Service;
  ask: Ask;
  params: Readonly<Record<string, string>>;
  /** Undefined only where the route is open. */
  who: Who | undefined;
  /** Parsed; {} where there was none. */
  body: Json;
  faults: Faults;
}

export interface Write {
  /** One of them is enough; empty: the handler looks itself. */
  needs: readonly Privilege[];
  do(call: Call): Answer | Promise<Answer>;
}

export interface Route {
  /** With names in braces: `/redfish/v1/Systems/{system}`. */
  path: string;
  /** Methods for which nobody has to log in. */
  open?: readonly string[];
  /** The resource's representation; throws notFound. */
  read?(call: Call): Json;
  /** Instead of `read`, for what is no resource. */
  get?(call: Call): Answer | Promise<Answer>;
  /** Names with $ in its query that it looks at itself. */
  queries?: readonly string[];
  /** Changes that the representation does not show, and the ETag must. */
  revision?(call: Call): string;
  /** Whether these are members to page through. */
  isCollection?: boolean;
  post?: Write;
  patch?: Write;
  delete?: Write;
}

export interface Found {
  route: Route;
  params: Record<string, string>;
}

/** The route of a path; where several fit, the first. */
export function findRoute(routes: readonly Route[], path: string): Found | undefined {
  const segments = path.split('/');
  for (const route of routes) {
    const params = match(route.path.split('/'), segments);
    if (params) return { route, params };
  }
  return undefined;
}

function match(pattern: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, part] of pattern.entries()) {
    const segment = segments[i] ?? '';
    if (part.startsWith('{')) params[part.slice(1, -1)] = segment;
    else if (part !== segment) return undefined;
  }
  return params;
}

/** The methods of a route, as in `Allow`. */
export function allowed(route: Route): string[] {
  const methods = [];
  if (route.read || route.get) methods.push('GET', 'HEAD');
  if (route.post) methods.push('POST');
  if (route.patch) methods.push('PATCH');
  if (route.delete) methods.push('DELETE');
  return methods;
}

/** The caller, where the route is not open. */
export function callerOf(call: Call): Who {
  if (!call.who) throw new Error(`${call.ask.path} was called without a login`);
  return call.who;
}

/** The value, or 404. */
export function orNotFound<T>(value: T | undefined, call: Call): T {
  if (value === undefined) throw notFound(call.ask.path);
  return value;
}
