// What ssh's own words mean. They are those of OpenSSH 7 to 10; what is not among them is told as it is.
import type { HostFailure } from '../host.ts';

const SAID_CHARS_MAX = 300;

/** In this order: ssh often says the same thing twice, first the cause and then what it did. */
const WORDS: readonly { words: RegExp; failure: HostFailure }[] = [
  { words: /Certificate invalid: (?:expired|not yet valid)/i, failure: 'CertificateExpired' },
  { words: /REMOTE HOST IDENTIFICATION HAS CHANGED|Host key for \S+ has changed/, failure: 'HostKeyChanged' },
  { words: /REVOKED HOST KEY|has been revoked/, failure: 'HostKeyChanged' },
  {
    words: /No \S+ host key is known for|Certificate invalid: |Host key verification failed/,
    failure: 'HostKeyUnknown',
  },
  {
    words:
      /Permission denied \(|Too many authentication failures|Load key .*: |invalid format|signing failed/,
    failure: 'BadCredentials',
  },
  {
    words: /(?:banner exchange|Connection to \S+ port \d+ timed out|not responding)/,
    failure: 'Silent',
  },
  {
    words:
      /connect to (?:host|address) .* port|Could not resolve hostname|channel \d+: open failed|stdio forwarding failed|Unable to negotiate|no matching \S+(?: \S+)* found|Connection (?:closed|reset) by|kex_exchange_identification/,
    failure: 'Unreachable',
  },
];

export interface Said {
  failure: HostFailure;
  /** The line that says it. */
  message: string;
}

/** Of a call whose script did not begin. */
export function failureIn(log: string): Said | undefined {
  const lines = log.split('\n').map((line) => line.trim());
  for (const { words, failure } of WORDS) {
    const line = lines.find((one) => words.test(one));
    if (line) return { failure, message: line.replaceAll('@', '').trim().slice(0, SAID_CHARS_MAX) };
  }
  return undefined;
}

/** ssh says so once, at LogLevel VERBOSE. A connection that is used again has no login. */
export function isLoggedIn(log: string): boolean {
  return /^Authenticated to /m.test(log);
}

const USUAL = /^(?:Authenticated to|Transferred: |Bytes per second: )/;

/** The last thing it complained of, for messages. */
export function lastWords(log: string): string {
  const lines = log.split('\n').filter((line) => line.trim() !== '' && !USUAL.test(line));
  return (lines.at(-1) ?? '').trim().slice(0, SAID_CHARS_MAX);
}
