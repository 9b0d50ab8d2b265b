// What machines send with netconsole while they die: the kernel's last words, over UDP, when nothing else of the
// machine works any more. Format: https://docs.kernel.org/networking/netconsole.html
import { createSocket, type Socket } from 'node:dgram';

/** Kept of one machine: more than a panic with the stacks of all CPUs. */
export const RING_BYTES_MAX = 256 * 1024;
/** Kept of all machines; the ones that have been silent for longest make room. */
export const RINGS_BYTES_MAX = 512 << 20;
/** An address that is nobody's machine is not kept at all; of those that are, at most so many. */
export const RINGS_MAX = 100_000;
/** One datagram of netconsole has 1,000 bytes at most. */
const DATAGRAM_BYTES_MAX = 4096;
/** Parts of one message that are waited for. */
const FRAGMENTS_MAX = 64;

interface Ring {
  lines: string[];
  /** When each line came. */
  times: number[];
  bytes: number;
  /** Parts of a message that was too long for one datagram, by its sequence number. */
  parts: Map<string, { head: string; text: string }>;
}

export class NetconsoleRings {
  readonly #knows: (address: string) => boolean;
  readonly #now: () => number;
  readonly #rings = new Map<string, Ring>();
  #bytes = 0;
  /** Datagrams that were given up: too long, or from nobody we know. */
  dropped = 0;
  received = 0;

  /** @param knows whether an address is one of our machines' */
  constructor(knows: (address: string) => boolean = () => true, now: () => number = () => 0) {
    this.#knows = knows;
    this.#now = now;
  }

  get bytes(): number {
    return this.#bytes;
  }

  take(address: string, datagram: Uint8Array): void {
    this.received++;
    if (datagram.length > DATAGRAM_BYTES_MAX || !this.#knows(address)) {
      this.dropped++;
      return;
    }
    const ring = this.#ringOf(address);
    const text = Buffer.from(datagram).toString('latin1').replace(/\0+$/, '');
    for (const line of linesOf(text, ring)) this.#add(ring, line);
    this.#makeRoom();
  }

  /** The last lines of this address, oldest first; of those only what came since then (epoch milliseconds). */
  linesOf(address: string, since = 0): readonly string[] {
    const { lines = [], times = [] } = this.#rings.get(address) ?? {};
    const from = times.findIndex((at) => at >= since);
    return since === 0 ? lines : from < 0 ? [] : lines.slice(from);
  }

  /** What has been read into a record is not needed any more. */
  forget(address: string): void {
    const ring = this.#rings.get(address);
    if (!ring) return;
    this.#bytes -= ring.bytes;
    this.#rings.delete(address);
  }

  /** Taken out and put in again: the map's order is that of the last word. */
  #ringOf(address: string): Ring {
    const ring = this.#rings.get(address) ?? { lines: [], times: [], bytes: 0, parts: new Map() };
    this.#rings.delete(address);
    this.#rings.set(address, ring);
    return ring;
  }

  #add(ring: Ring, line: string): void {
    ring.lines.push(line);
    ring.times.push(this.#now());
    ring.bytes += line.length;
    this.#bytes += line.length;
    let gone = 0;
    while (ring.bytes > RING_BYTES_MAX && gone < ring.lines.length - 1) {
      const old = (ring.lines[gone++] as string).length;
      ring.bytes -= old;
      this.#bytes -= old;
    }
    if (gone === 0) return;
    ring.lines.splice(0, gone);
    ring.times.splice(0, gone);
  }

  #makeRoom(): void {
    for (const address of this.#rings.keys()) {
      if (this.#bytes <= RINGS_BYTES_MAX && this.#rings.size <= RINGS_MAX) return;
      this.forget(address);
    }
  }
}

/**
 * Extended: `6,416,1758426,-,caller=T12,ncfrag=0/33;text` becomes `[    1.758426][   T12] text`, and its parts one
 * line. Basic: the text as it is.
 */
function linesOf(text: string, ring: Ring): string[] {
  const head = /^(\d{1,3}),(\d{1,20}),(\d{1,20}),[^;\n]{0,200};/.exec(text);
  if (!head) return text.split('\n').filter((line) => line !== '');
  const body = text.slice(head[0].length);
  const caller = /,caller=([TC]\d{1,10})/.exec(head[0])?.[1];
  const seconds = (Number(head[3]) / 1e6).toFixed(6).padStart(12);
  const lead = `[${seconds}]${caller ? `[${caller.padStart(6)}]` : ''} `;
  const part = /,ncfrag=(\d{1,6})\/(\d{1,6})/.exec(head[0]);
  if (!part) return [lead + firstLine(body)];
  return joined(ring, head[2] as string, lead, body, { from: Number(part[1]), of: Number(part[2]) });
}

/** A continuation with a dictionary of the device follows in lines that begin with a blank. */
function firstLine(body: string): string {
  const end = body.indexOf('\n');
  return end < 0 ? body : body.slice(0, end);
}

function joined(
  ring: Ring,
  sequence: string,
  lead: string,
  body: string,
  { from, of }: { from: number; of: number },
): string[] {
  const held = from === 0 ? { head: lead, text: '' } : ring.parts.get(sequence);
  // The first part was lost: what is left still tells something.
  if (!held || held.text.length !== from) return [lead + firstLine(body)];
  held.text += body;
  if (held.text.length < of) {
    ring.parts.set(sequence, held);
    const oldest = ring.parts.keys().next().value;
    if (ring.parts.size > FRAGMENTS_MAX && oldest !== undefined) ring.parts.delete(oldest);
    return [];
  }
  ring.parts.delete(sequence);
  return [held.head + firstLine(held.text)];
}

export interface NetconsoleServer {
  port: number;
  close(): Promise<void>;
}

/** Listens on UDP; port 0 takes a free one, 6666 is netconsole's own. Throws when the port is taken. */
export async function serveNetconsole(
  rings: NetconsoleRings,
  { host, port }: { host: string; port: number },
): Promise<NetconsoleServer> {
  const socket: Socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  // A burst of panics comes in milliseconds: the kernel holds it for us.
  socket.on('message', (datagram, { address }) => rings.take(address.replace(/^::ffff:/, ''), datagram));
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, host, () => {
      socket.off('error', reject);
      socket.on('error', () => {});
      resolve();
    });
  });
  try {
    socket.setRecvBufferSize(8 << 20);
  } catch {
    // A container may not raise it; the usual size does for all but the worst bursts.
  }
  return {
    port: socket.address().port,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
