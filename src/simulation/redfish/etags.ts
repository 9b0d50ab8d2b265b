// Entity tags, and the conditions that requests put on them.

import { createHash } from 'node:crypto';
import type { Faults } from './faults.ts';
import { HttpRefusal, message } from './messages.ts';
import type { Json } from './route.ts';
import type { Vendor } from './vendors.ts';

/** Digits of a tag. */
const TAG_DIGITS = 16;
/** What changes with every reading, and would make each tag stale at once. */
const VOLATILE = new Set(['@odata.etag', 'DateTime']);

/** The opaque part of a tag: the same for the same content. */
export function opaqueTag(resource: Json, revision = ''): string {
  const text = JSON.stringify(resource, (key, value: unknown) => (VOLATILE.has(key) ? undefined : value));
  return createHash('sha256').update(revision).update(text).digest('hex').slice(0, TAG_DIGITS);
}

/** As the header has it. */
export function written(opaque: string, { etags }: Vendor, faults: Faults): string {
  if (faults.etags === 'Doubled') return `""${opaque}""`;
  return etags.weak || faults.etags === 'WeakRefused' ? `W/"${opaque}"` : `"${opaque}"`;
}

/** Throws 412 or 428 where a change must not be made. */
export function checkIfMatch(
  ifMatch: string | undefined,
  opaque: string,
  vendor: Vendor,
  faults: Faults,
): void {
  if (ifMatch === undefined) {
    if (vendor.etags.ifMatch === 'Optional') return;
    throw new HttpRefusal(428, [message('PreconditionRequired')]);
  }
  if (!ifMatch.split(',').some((each) => matches(each.trim(), opaque, faults))) {
    throw new HttpRefusal(412, [message('PreconditionFailed')]);
  }
}

function matches(given: string, opaque: string, { etags }: Faults): boolean {
  switch (etags) {
    case 'Refused':
      return false;
    case 'Doubled':
      return given === `""${opaque}""`;
    case 'Unquoted':
      return given === opaque;
    case 'WeakRefused':
      return given === `"${opaque}"`;
    case undefined:
      return given === '*' || given.replace(/^W\//, '') === `"${opaque}"`;
  }
}

/** Whether the reader has it already. */
export function isUnchanged(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const plain = (each: string) => each.trim().replace(/^W\//, '');
  return ifNoneMatch.split(',').some((each) => each.trim() === '*' || plain(each) === plain(tag));
}
