// What success looks like, by vendor.

import { errorBody, message } from './messages.ts';
import type { Answer, Call, Json } from './route.ts';

/** A change that was made. `resource` is what a PATCH shows of it. */
export function done(call: Call, resource?: Json): Answer {
  if (call.service.vendor.doneAnswers === 'Success') return success(call);
  return resource ? { status: 200, body: resource } : { status: 204 };
}

/** 200 with the message that it worked, in an object named `error`, as iLO does. */
export function success(call: Call): Answer {
  return { status: 200, body: errorBody(call.service.vendor, [message('Success')]) as Json };
}

/** A resource that a POST made. */
export function created(resource: Json, headers: Record<string, string> = {}): Answer {
  return { status: 201, body: resource, headers: { location: String(resource['@odata.id']), ...headers } };
}
