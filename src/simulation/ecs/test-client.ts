// A client for tests of the stand-in that is not the SDK: it signs by hand, as the API's documentation says.
import { createHash, createHmac } from 'node:crypto';
import { systemClock } from '../../platform/clock/system.ts';

export interface Answer {
  status: number;
  body: Record<string, unknown>;
}

const enc = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
const sha = (text: string) => createHash('sha256').update(text).digest('hex');

/** @param headers instead of those that it would send: a nonce, a date */
export async function ask(
  endpoint: string,
  action: string,
  parameters: Readonly<Record<string, string>> = {},
  headers: Readonly<Record<string, string>> = {},
  [id, secret] = ['AKID', 'secret'],
): Promise<Answer> {
  const signed: Record<string, string> = {
    host: endpoint,
    'x-acs-action': action,
    'x-acs-version': '2014-05-26',
    'x-acs-date': `${new Date(systemClock.now()).toISOString().slice(0, 19)}Z`,
    'x-acs-signature-nonce': systemClock.id(32),
    'x-acs-content-sha256': sha(''),
    ...headers,
  };
  const names = Object.keys(signed).sort();
  const query = Object.entries(parameters)
    .map(([key, value]) => `${enc(key)}=${enc(value)}`)
    .sort()
    .join('&');
  const lines = names.map((name) => `${name}:${signed[name]}\n`).join('');
  const canonical = ['POST', '/', query, lines, names.join(';'), sha('')].join('\n');
  const signature = createHmac('sha256', secret as string)
    .update(`ACS3-HMAC-SHA256\n${sha(canonical)}`)
    .digest('hex');
  const authorization = `ACS3-HMAC-SHA256 Credential=${id},SignedHeaders=${names.join(';')},Signature=${signature}`;
  const { host: _, ...sent } = signed;
  const response = await fetch(`http://${endpoint}/?${query}`, {
    method: 'POST',
    headers: { ...sent, authorization },
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
