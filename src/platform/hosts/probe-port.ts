// One port, one connection. It never logs in, and never ends a TLS handshake: a whole one costs 0.5 ms of
// CPU, its first bytes 0.09 ms, and 50,000 kubelets each 10 s would take more than two cores. The price is one
// line a probe in the kubelet's log ("TLS handshake error") and in sshd's ("connection closed [preauth]").
//
// A host that hangs still takes connections, until the backlog of its listener (128 for sshd) is full of our
// probes: so what is Silent at first may be Timeout some minutes later.
import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { Clock } from '../clock/clock.ts';
import type { Answer } from './prober.ts';

/** Two SYNs fit in (0 s and 1 s), so that one lost packet is no Timeout. */
export const CONNECT_MS_MAX = 3_000;
/** sshd speaks within some ms of its fork; 3 s is a host that swaps. */
export const ANSWER_MS_MAX = 3_000;
/** sshd may say other lines before its banner (RFC 4253 4.2): this much is read of them. */
const BANNER_BYTES_MAX = 8 * 1024;

export interface PortProbe {
  clock: Clock;
  /** `host:port` or `[v6]:port`. */
  address: string;
  /** What we say first; any word then answers it. Without one we wait for a banner of sshd. */
  greeting: Buffer | undefined;
  connect_ms: number;
  answer_ms: number;
}

/**
 * Resolves when the socket is closed. Undefined: we could not ask.
 * @param enders holds, while it is under way, how to end it without an answer.
 */
export function probePort(probe: PortProbe, enders: Set<() => void>): Promise<Answer | undefined> {
  const { clock, greeting, connect_ms, answer_ms } = probe;
  const place = parseAddress(probe.address);
  if (!place) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    // One address a machine: racing several would say of each less than the limits promise.
    const socket = connect({ ...place, autoSelectFamily: false });
    let stage: 'Naming' | 'Connecting' | 'Connected' = 'Naming';
    let isAtOnce = true;
    let heard = '';
    let answer: Answer | undefined;
    let timer = clock.timer(connect_ms, () => onLate('Connecting'));
    const settle = (value: Answer | undefined) => {
      if (!enders.delete(end)) return;
      answer = value;
      timer.cancel();
      closeAtOnce(socket);
    };
    const end = () => settle(undefined);
    enders.add(end);

    /** A loop of ours that stood still meets the timer first and the answer after it: look at the sockets once more. */
    function onLate(during: 'Connecting' | 'Connected') {
      setImmediate(() => {
        if (stage === 'Naming') return settle(undefined);
        if (stage !== during) return;
        if (stage === 'Connecting') return settle('Timeout');
        // Whatever speaks does not hang: something else than sshd listens there.
        settle(heard === '' ? 'Silent' : 'Refused');
      });
    }
    socket.once('connectionAttempt', () => {
      stage = 'Connecting';
      // What the system call itself refuses is told in the tick between these two; what comes later came by wire.
      process.nextTick(() =>
        process.nextTick(() => {
          isAtOnce = false;
        }),
      );
    });
    socket.once('connect', () => {
      stage = 'Connected';
      timer.cancel();
      timer = clock.timer(answer_ms, () => onLate('Connected'));
      if (greeting) socket.write(greeting);
    });
    socket.on('data', (bytes: Buffer) => {
      heard += bytes.toString('latin1');
      if (greeting || /^SSH-/m.test(heard)) settle('Answers');
      else if (heard.length > BANNER_BYTES_MAX) settle('Refused');
    });
    // Hung up on without a word, by a process that lives: too many logins at once, or a rule against us.
    socket.once('end', () => settle('Refused'));
    socket.once('error', (error: NodeJS.ErrnoException) => settle(answerOfError(error.code, isAtOnce)));
    socket.once('close', () => {
      settle(undefined);
      resolve(answer);
    });
  });
}

/** A reset leaves no TIME_WAIT behind: 10,000 connections a second would keep 600,000 of them. */
function closeAtOnce(socket: Socket): void {
  if (socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
}

/**
 * What a failed connection says of the host; undefined where it says something of us.
 * @param isAtOnce the system call itself failed: nothing was sent. "Unreachable" is then our own lack of a
 * route, else the word of a router on the way, or of a neighbour that answers no ARP.
 */
export function answerOfError(code: string | undefined, isAtOnce: boolean): Answer | undefined {
  switch (code) {
    case 'ECONNREFUSED':
    case 'ECONNRESET':
    case 'EPIPE':
      return 'Refused';
    case 'ETIMEDOUT':
      return 'Timeout';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
      return isAtOnce ? undefined : 'Timeout';
    // EMFILE, ENFILE, ENOBUFS, EADDRNOTAVAIL, ENETDOWN, EPERM (our own packet filter), ENOTFOUND …
    default:
      return undefined;
  }
}

export function parseAddress(address: string): { host: string; port: number } | undefined {
  const [, v6, name, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5})$/.exec(address) ?? [];
  const host = v6 ?? name;
  const port = Number(digits);
  return host !== undefined && port >= 1 && port <= 65_535 ? { host, port } : undefined;
}

let hello: Promise<Buffer> | undefined;

/** The first bytes that Node's own TLS sends; the same for all, since no handshake goes on from them. */
export function clientHello(): Promise<Buffer> {
  hello ??= new Promise((resolve) => {
    const socket = new Duplex({
      read() {},
      write(bytes: Buffer, _encoding, done) {
        resolve(bytes);
        done();
      },
    });
    // The usual hybrid key share would make it 1,568 bytes: two packets.
    connectTls({ socket, rejectUnauthorized: false, ecdhCurve: 'X25519:P-256' }).on('error', () => {});
  });
  return hello;
}
