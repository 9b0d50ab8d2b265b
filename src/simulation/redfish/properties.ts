// Bodies of requests: reading what was sent by name, and saying what is wrong with it.

import { done } from './done.ts';
import { HttpRefusal, infoOf, type Message, message, messageAbout } from './messages.ts';
import type { Answer, Call, Json } from './route.ts';

type Kind = 'string' | 'boolean' | 'number' | readonly string[];

export interface Field {
  /** The JSON type, or the values that there are. */
  kind: Kind;
  required?: boolean;
}

/** What is wrong with a value; undefined: nothing. */
export function complaint(name: string, value: unknown, kind: Kind): Message | undefined {
  const shown = typeof value === 'string' ? value : JSON.stringify(value);
  const isList = typeof kind === 'object';
  if (typeof value !== (isList ? 'string' : kind))
    return messageAbout(name, 'PropertyValueTypeError', shown, name);
  if (isList && !kind.includes(String(value)))
    return messageAbout(name, 'PropertyValueNotInList', shown, name);
  return undefined;
}

/** The properties of a POST that creates; throws 400 with all that is wrong. Unknown ones are ignored. */
export function take(body: Json, fields: Record<string, Field>): Json {
  const wrong: Message[] = [];
  for (const [name, { kind, required }] of Object.entries(fields)) {
    const value = body[name];
    if (value === undefined) {
      if (required) wrong.push(messageAbout(name, 'PropertyMissing', name));
    } else {
      const message = complaint(name, value, kind);
      if (message) wrong.push(message);
    }
  }
  if (wrong.length > 0) throw new HttpRefusal(400, wrong);
  return Object.fromEntries(Object.keys(fields).map((name) => [name, body[name]]));
}

/** A property that PATCH may set. `check` returns what is wrong with the value, `set` cannot fail. */
export interface Settable {
  check(value: unknown, name: string): Message | undefined;
  set(value: unknown): void;
}
export interface SettableObject {
  inside: Readonly<Record<string, Settable>>;
}

export function settable<T>(kind: Kind, set: (value: T) => void): Settable {
  return { check: (value, name) => complaint(name, value, kind), set: (value) => set(value as T) };
}

interface Plan {
  sets: (() => void)[];
  wrong: Message[];
  ignored: Message[];
}

/**
 * Does a PATCH. As the specification asks: what cannot be written is left out and said so, with 200 when the
 * rest was done and 400 when there was no rest; a wrong value stops all of it.
 */
export function patch(
  call: Call,
  resource: () => Json,
  fields: Readonly<Record<string, Settable | SettableObject>>,
): Answer {
  const plan: Plan = { sets: [], wrong: [], ignored: [] };
  const before = resource();
  for (const [name, value] of Object.entries(call.body)) {
    if (name.includes('@')) continue;
    const field = own(fields, name);
    if (field && 'inside' in field) planObject(plan, name, value, field, before[name]);
    else planOne(plan, name, value, field, before);
  }
  if (plan.wrong.length > 0) throw new HttpRefusal(400, [...plan.wrong, ...plan.ignored]);
  if (plan.sets.length === 0) {
    throw new HttpRefusal(400, plan.ignored.length > 0 ? plan.ignored : [message('NoOperation')]);
  }
  for (const set of plan.sets) set();
  const { service } = call;
  if (plan.ignored.length === 0) return done(call, resource());
  const info = plan.ignored.map((each) => infoOf(service.vendor, each));
  return { status: 200, body: { ...resource(), '@Message.ExtendedInfo': info } };
}

/** A body may name `constructor`. */
function own<T>(fields: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

function planOne(plan: Plan, name: string, value: unknown, field: Settable | undefined, before: Json): void {
  const short = name.slice(name.lastIndexOf('.') + 1);
  if (!field) {
    const key = Object.hasOwn(before, short) ? 'PropertyNotWritable' : 'PropertyUnknown';
    plan.ignored.push(messageAbout(name, key, short));
    return;
  }
  const wrong = field.check(value, short);
  if (wrong) plan.wrong.push(wrong);
  else plan.sets.push(() => field.set(value));
}

function planObject(plan: Plan, name: string, value: unknown, field: SettableObject, before: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    plan.wrong.push(messageAbout(name, 'PropertyValueTypeError', JSON.stringify(value), name));
    return;
  }
  const old = (typeof before === 'object' && before !== null ? before : {}) as Json;
  for (const [key, inner] of Object.entries(value)) {
    planOne(plan, `${name}.${key}`, inner, own(field.inside, key), old);
  }
}

/** Elements of an array PATCH: null takes one away, {} leaves it, beyond the end of the body they are cut. */
export function patchArray<T>(old: readonly T[], asked: readonly (T | null | object)[]): T[] {
  return asked.flatMap((element, i) => {
    if (element === null) return [];
    if (typeof element === 'object') return old[i] === undefined ? [] : [old[i]];
    return [element as T];
  });
}
