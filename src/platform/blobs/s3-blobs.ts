// Evidence in an S3-compatible store. Three plain requests, signed by aws4fetch (Signature Version 4).
import { createHash } from 'node:crypto';
import { type Clock, MINUTE, SECOND } from '../clock/clock.ts';
import { BlobMissing, type Blobs } from './blobs.ts';
import { checkKey, PACKED_BYTES_MAX, packed, unpacked } from './packed.ts';
import { answerOf, explained, type S3Answer } from './s3-errors.ts';
import type { S3Place } from './s3-place.ts';

/** One try, with its whole body: 64 MB at 1 MB/s. */
export const TRY_MS_MAX = MINUTE;
export const TRIES_MAX = 3;
/** Before the second try; doubles with each, and is drawn between none and all of it. */
export const WAIT_MS = SECOND;
/** An error's text; more is not read. */
const ERROR_BYTES_MAX = 64 << 10;

type Method = 'GET' | 'PUT' | 'DELETE';

interface Answer {
  status: number;
  headers: Headers;
  body: Buffer;
}

export class S3Blobs implements Blobs {
  readonly #place: S3Place;
  readonly #clock: Clock;

  constructor(place: S3Place, clock: Clock) {
    this.#place = place;
    this.#clock = clock;
  }

  async put(bytes: Uint8Array): Promise<string> {
    const { key, body } = await packed(bytes);
    const answer = await this.#send('PUT', key, body);
    if (answer.status !== 200) throw this.#explained(answer, 'keeping evidence');
    return key;
  }

  async get(key: string): Promise<Buffer> {
    const answer = await this.#send('GET', checkKey(key));
    if (answer.status === 200) return unpacked(key, answer.body);
    if (reasonOf(answer).code === 'NoSuchKey') throw new BlobMissing(`no evidence ${key}`);
    throw this.#explained(answer, 'fetching evidence');
  }

  async delete(key: string): Promise<void> {
    const answer = await this.#send('DELETE', checkKey(key));
    if ([200, 202, 204].includes(answer.status) || reasonOf(answer).code === 'NoSuchKey') return;
    throw this.#explained(answer, 'deleting evidence');
  }

  /** All three may be repeated without harm. */
  async #send(method: Method, key: string, body?: Buffer<ArrayBuffer>): Promise<Answer> {
    const { prefix, url } = this.#place;
    const target = `${url}/${prefix === '' ? '' : `${prefix}/`}${key}`;
    for (let tried = 1; ; tried++) {
      let failure: unknown;
      try {
        const answer = await this.#try(method, target, body);
        if (tried === TRIES_MAX || (answer.status !== 429 && answer.status < 500)) return answer;
      } catch (error) {
        failure = error;
      }
      if (tried === TRIES_MAX) throw unreachable(url, failure);
      await this.#clock.sleep(WAIT_MS * 2 ** (tried - 1) * this.#clock.random());
    }
  }

  async #try(method: Method, target: string, body: Buffer<ArrayBuffer> | undefined): Promise<Answer> {
    const late = new AbortController();
    const timer = this.#clock.timer(TRY_MS_MAX, () =>
      late.abort(new Error(`no answer within ${TRY_MS_MAX / SECOND} s`)),
    );
    try {
      const response = await fetch(target, {
        method,
        headers: await this.#signed(method, target, body),
        ...(body && { body }),
        redirect: 'manual',
        signal: late.signal,
      });
      const { status, headers } = response;
      return {
        status,
        headers,
        body: await bodyOf(response, status === 200 ? PACKED_BYTES_MAX : ERROR_BYTES_MAX),
      };
    } finally {
      timer.cancel();
    }
  }

  async #signed(method: Method, url: string, body: Buffer<ArrayBuffer> | undefined): Promise<Headers> {
    const { AwsV4Signer } = await import('aws4fetch');
    const { region, credentials } = this.#place;
    const sha256 = createHash('sha256')
      .update(body ?? '')
      .digest('hex');
    const signer = new AwsV4Signer({
      ...credentials,
      method,
      url,
      headers: { 'X-Amz-Content-Sha256': sha256 },
      service: 's3',
      region,
      datetime: new Date(this.#clock.now()).toISOString().replace(/[:-]|\.\d{3}/g, ''),
    });
    return (await signer.sign()).headers;
  }

  #explained(answer: Answer, what: string): Error {
    return explained(reasonOf(answer), what, this.#place, this.#clock.now());
  }
}

function reasonOf({ status, headers, body }: Answer): S3Answer {
  return answerOf(status, headers, body.toString('utf8'));
}

/** A success that is too long is an error; an error that is too long is cut. */
async function bodyOf(response: Response, bytesMax: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > bytesMax && response.ok) throw new Error(`an answer of more than ${bytesMax} bytes`);
    if (size > bytesMax) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function unreachable(url: string, failure: unknown): Error {
  const { message, cause } = failure as Error;
  const why = cause instanceof Error && cause.message !== '' ? cause.message : message;
  return new Error(`the store of evidence does not answer at ${url}: ${why} (tried ${TRIES_MAX} times)`, {
    cause: failure,
  });
}
