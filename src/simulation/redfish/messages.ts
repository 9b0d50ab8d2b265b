// Messages of the Base registry (DSP8011) that this service says, and what an error looks like.

import type { Vendor } from './vendors.ts';

/** Text with %1 … for arguments, severity, resolution. */
const BASE = {
  Success: ['The request completed successfully.', 'OK', 'None.'],
  GeneralError: ['A general error has occurred. See ExtendedInfo for more information.', 'Critical', 'None.'],
  InternalError: [
    'The request failed due to an internal service error. The service is still operational.',
    'Critical',
    'Resubmit the request.',
  ],
  MalformedJSON: [
    'The request body submitted was malformed JSON and could not be parsed by the receiving service.',
    'Critical',
    'Ensure that the request body is valid JSON and resubmit the request.',
  ],
  UnrecognizedRequestBody: [
    'The service detected a malformed request body that it was unable to interpret.',
    'Warning',
    'Correct the request body and resubmit the request.',
  ],
  InvalidURI: ['The URI %1 was not found.', 'Critical', 'Provide a valid URI and resubmit the request.'],
  OperationNotAllowed: ['The HTTP method is not allowed on this resource.', 'Critical', 'None.'],
  NoValidSession: [
    'There is no valid session established with the implementation.',
    'Critical',
    'Establish a session before attempting any operations.',
  ],
  InsufficientPrivilege: [
    'There are insufficient privileges for the account or credentials associated with the current session to perform the requested operation.',
    'Critical',
    'Either abandon the operation or change the associated access rights and resubmit the request.',
  ],
  PasswordChangeRequired: [
    "The password provided for this account must be changed before access is granted. PATCH the 'Password' property for this account located at the target URI '%1' to complete this process.",
    'Critical',
    'Change the password for this account using a PATCH to the Password property at the URI provided.',
  ],
  PropertyUnknown: [
    'The property %1 is not in the list of valid properties for the resource.',
    'Warning',
    'Remove the unknown property from the request body and resubmit the request.',
  ],
  PropertyNotWritable: [
    'The property %1 is a read-only property and cannot be assigned a value.',
    'Warning',
    'Remove the property from the request body and resubmit the request.',
  ],
  PropertyMissing: [
    'The property %1 is a required property and must be included in the request.',
    'Warning',
    'Ensure that the property is in the request body and resubmit the request.',
  ],
  PropertyValueTypeError: [
    'The value %1 for the property %2 is not a type that the property can accept.',
    'Warning',
    'Correct the value for the property in the request body and resubmit the request.',
  ],
  PropertyValueNotInList: [
    'The value %1 for the property %2 is not in the list of acceptable values.',
    'Warning',
    'Choose a value from the enumeration list that the implementation can support and resubmit the request.',
  ],
  PropertyValueFormatError: [
    'The value %1 for the property %2 is not in a format that the property can accept.',
    'Warning',
    'Correct the value for the property in the request body and resubmit the request.',
  ],
  ActionParameterMissing: [
    'The action %1 requires the parameter %2 to be present in the request body.',
    'Critical',
    'Supply the action with the required parameter in the request body and resubmit the request.',
  ],
  ActionParameterUnknown: [
    'The action %1 was submitted with the invalid parameter %2.',
    'Warning',
    'Correct the invalid parameter and resubmit the request.',
  ],
  ActionParameterValueNotInList: [
    'The value %1 for the parameter %2 in the action %3 is not in the list of acceptable values.',
    'Warning',
    'Choose a value from the enumeration list that the implementation can support and resubmit the request.',
  ],
  NoOperation: [
    'The request body submitted contain no data to act upon and no changes to the resource took place.',
    'Warning',
    'Add properties in the JSON object and resubmit the request.',
  ],
  ResourceAlreadyExists: [
    'The requested resource of type %1 with the property %2 with the value %3 already exists.',
    'Critical',
    'Do not repeat the create operation as the resource has already been created.',
  ],
  PreconditionFailed: [
    'The ETag supplied did not match the current ETag of the resource.',
    'Critical',
    'Try the operation again using the appropriate ETag.',
  ],
  PreconditionRequired: [
    'A precondition header or annotation is required to change this resource.',
    'Critical',
    'Try the operation again using an If-Match or If-None-Match header and appropriate ETag.',
  ],
  HeaderInvalid: ['Header %1 is invalid.', 'Critical', 'Resubmit the request with a valid request header.'],
  HeaderMissing: [
    'Header %1 is missing in the request.',
    'Critical',
    'Resubmit the request with the required request header.',
  ],
  QueryNotSupported: [
    'Querying is not supported by the implementation.',
    'Warning',
    'Remove the query parameters and resubmit the request.',
  ],
  QueryNotSupportedOnResource: [
    'Querying is not supported on the requested resource.',
    'Warning',
    'Remove the query parameters and resubmit the request.',
  ],
  QueryParameterValueTypeError: [
    'The value %1 for the query parameter %2 is not a type that the parameter can accept.',
    'Warning',
    'Correct the value for the query parameter in the request and resubmit the request.',
  ],
  PayloadTooLarge: [
    'The supplied payload is too large.',
    'Critical',
    'Reduce the size of the payload and resubmit the request.',
  ],
  CreateLimitReachedForResource: [
    'The create operation failed because the resource has reached the limit of possible resources.',
    'Critical',
    'Either delete resources and resubmit the request if the operation failed or do not resubmit the request.',
  ],
} as const satisfies Record<string, readonly [string, 'OK' | 'Warning' | 'Critical', string]>;

export type BaseKey = keyof typeof BASE;

export interface Message {
  /** A key of the Base registry, or registry and key where it is the vendor's own. */
  id: string;
  text: string;
  args: readonly string[];
  severity: 'OK' | 'Warning' | 'Critical';
  resolution: string;
  /** JSON pointer of the property that it is about. */
  about?: string;
}

export function message(key: BaseKey, ...args: string[]): Message {
  const [text, severity, resolution] = BASE[key];
  const filled = text.replace(/%(\d)/g, (_, n: string) => args[Number(n) - 1] ?? '');
  return { id: key, text: filled, args, severity, resolution };
}

/** The same, about a property. */
export function messageAbout(property: string, key: BaseKey, ...args: string[]): Message {
  return { ...message(key, ...args), about: `#/${property.replaceAll('.', '/')}` };
}

/** What a request is answered when it is not done. */
export class HttpRefusal extends Error {
  readonly status: number;
  readonly messages: readonly Message[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, messages: readonly Message[], headers: Record<string, string> = {}) {
    super(messages.map(({ text }) => text).join(' '));
    this.status = status;
    this.messages = messages;
    this.headers = headers;
  }
}

export function notFound(path: string): HttpRefusal {
  return new HttpRefusal(404, [message('InvalidURI', path)]);
}

/** A member of `@Message.ExtendedInfo`, as the vendor writes it. */
export function infoOf(vendor: Vendor, { id, text, args, severity, resolution, about }: Message): object {
  const MessageId = id.includes('.') ? id : `${vendor.baseRegistry}.${id}`;
  const short = { MessageId, ...(args.length > 0 ? { MessageArgs: args } : {}) };
  if (vendor.errors === 'IdsOnly') return short;
  return {
    '@odata.type': '#Message.v1_1_1.Message',
    ...short,
    Message: text,
    MessageSeverity: severity,
    Resolution: resolution,
    ...(about === undefined ? {} : { RelatedProperties: [about] }),
  };
}

/** The body of an error, and of a success of those who write it so. */
export function errorBody(vendor: Vendor, messages: readonly Message[], infoAtTop = false): object {
  const info = messages.map((each) => infoOf(vendor, each));
  const only = messages.length === 1 ? messages[0] : undefined;
  const isOurs = vendor.errors === 'Full' && only !== undefined && !only.id.includes('.');
  const error = {
    code: isOurs ? `${vendor.baseRegistry}.${only.id}` : vendor.errorCode,
    message:
      vendor.errors === 'IdsOnly' ? 'See @Message.ExtendedInfo for more information.' : textOf(messages),
  };
  if (infoAtTop) return { error, '@Message.ExtendedInfo': info };
  return { error: { ...error, '@Message.ExtendedInfo': info } };
}

function textOf(messages: readonly Message[]): string {
  const [first] = messages;
  return messages.length === 1 && first ? first.text : BASE.GeneralError[0];
}
