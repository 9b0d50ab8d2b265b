// Where in an S3-compatible store evidence is kept, read from one setting and the environment.

export interface S3Place {
  bucket: string;
  /** Without a slash at its end where it is not empty. */
  prefix: string;
  /** Of the bucket, without a slash at its end. */
  url: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
}

type Env = Readonly<Record<string, string | undefined>>;

export const S3_FORM = 's3://bucket/prefix?endpoint=https://host&region=name';

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const PREFIX = /^[\w.-]+(?:\/[\w.-]+)*$/;
const REGION = /^[a-z0-9-]{1,40}$/;
const SETTINGS = ['endpoint', 'region', 'style'];
const REGION_DEFAULT = 'us-east-1';

/** @throws Error that says what in the setting, or in the environment, is to be mended */
export function s3PlaceOf(setting: string, env: Env): S3Place {
  const wrong = (why: string) => new Error(`evidence "${setting}": ${why}; write it as ${S3_FORM}`);
  const url = URL.parse(setting);
  if (url?.protocol !== 's3:') throw wrong('not an s3:// address');
  // Shown as it is in logs and on command lines.
  if (url.username !== '' || url.password !== '')
    throw new Error(
      'evidence s3://…: keys belong into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, not here',
    );
  const bucket = url.hostname;
  if (!BUCKET.test(bucket) || url.port !== '')
    throw wrong(`"${url.host}" is no name of a bucket (3 to 63 of a-z, 0-9, dot and hyphen)`);
  const prefix = url.pathname.replace(/^\/|\/$/g, '');
  if (prefix !== '' && (!PREFIX.test(prefix) || prefix.length > 200))
    throw wrong(`prefix "${prefix}" may hold letters, digits, and . _ - between single slashes`);
  for (const name of url.searchParams.keys())
    if (!SETTINGS.includes(name)) throw wrong(`"${name}" is not known; there are ${SETTINGS.join(', ')}`);
  const region = url.searchParams.get('region') || env.AWS_REGION || env.AWS_DEFAULT_REGION || REGION_DEFAULT;
  if (!REGION.test(region)) throw wrong(`region "${region}" is no name of a region`);
  const endpoint = endpointOf(url.searchParams.get('endpoint'), region, wrong);
  const style = url.searchParams.get('style') ?? styleOf(endpoint.given, bucket);
  if (style !== 'path' && style !== 'host') throw wrong(`style "${style}" is neither path nor host`);
  return {
    bucket,
    prefix,
    url: style === 'path' ? `${endpoint.origin}/${bucket}` : hostUrl(endpoint.origin, bucket),
    region,
    credentials: credentialsOf(env),
  };
}

function endpointOf(
  given: string | null,
  region: string,
  wrong: (why: string) => Error,
): { origin: string; given: boolean } {
  if (given === null) return { origin: `https://s3.${region}.amazonaws.com`, given: false };
  const url = URL.parse(given);
  if (!url || !['http:', 'https:'].includes(url.protocol))
    throw wrong(`endpoint "${given}" is no http:// or https:// address`);
  if (url.pathname !== '/' || url.search !== '' || url.username !== '' || url.password !== '')
    throw wrong(`endpoint "${given}" may name only a host and a port`);
  return { origin: url.origin, given: true };
}

/** A certificate of `*.host` does not cover a name with dots; a server of one's own seldom has such names at all. */
function styleOf(hasEndpoint: boolean, bucket: string): 'path' | 'host' {
  return hasEndpoint || bucket.includes('.') ? 'path' : 'host';
}

function hostUrl(origin: string, bucket: string): string {
  const { protocol, host } = new URL(origin);
  return `${protocol}//${bucket}.${host}`;
}

function credentialsOf(env: Env): S3Place['credentials'] {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = env;
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) {
    const missing = Object.entries({ AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY }).filter(
      ([, value]) => !value,
    );
    throw new Error(
      `evidence in S3 needs its keys: set ${missing.map(([name]) => name).join(' and ')} in the environment`,
    );
  }
  return {
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }),
  };
}
