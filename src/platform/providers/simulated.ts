// Reaches a simulated fleet in another process: the same faces that real machines show, over HTTP on loopback.
import { request } from 'node:http';
import { z } from 'zod';
import { HOST_FAILURES, HostError, type HostFailure } from '../hosts/host.ts';
import { messageOf } from '../kube/errors.ts';
import type { Limiter } from '../limits.ts';
import type { Outside } from '../outside.ts';
import { ABILITIES, type Abilities, FAILURES, ProviderError } from './provider.ts';

const TIMEOUT_MS = 10_000;
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

const failure = z.object({
  failure: z.enum(FAILURES),
  message: z.string().max(4096),
  host: z.enum(Object.keys(HOST_FAILURES) as [HostFailure, ...HostFailure[]]).optional(),
});
const reading = z.object({
  power: z.enum(['On', 'Off', 'Unknown']),
  console: z.array(z.string().max(1024)).max(100),
  maintenance: z.string().max(256).optional(),
  announced: z.string().max(256).optional(),
  health: z.string().max(1024).optional(),
  can: z.record(z.enum(ABILITIES), z.union([z.literal(true), z.string().max(256)])),
});
const power = reading.shape.power;
const lines = z.array(z.string().max(4096)).max(10_000);
const listed = z.object({
  machines: z.array(
    z.object({
      id: z.string().max(253),
      name: z.string().max(253),
      model: z.string().max(63),
      zone: z.string().max(63),
      power,
    }),
  ),
  next: z.string().max(253).nullable(),
});
const events = z.array(
  z.object({
    id: z.string().max(253),
    machine: z.string().max(253),
    type: z.string().max(64),
    does: z.enum(['Reboot', 'Stop', 'Redeploy', 'Release', 'Other']),
    state: z.enum(['Inquiring', 'Scheduled', 'Executing']),
    reason: z.string().max(256),
    notBefore: z.string().max(64).optional(),
    canAccept: z.boolean(),
  }),
);
const entries = z.array(
  z.object({
    id: z.string().max(64),
    at: z.string().max(64).optional(),
    severity: z.enum(['OK', 'Warning', 'Critical']),
    sensor: z.string().max(128),
    message: z.string().max(1024),
  }),
);
const answer = z.enum(['Answers', 'Silent', 'Refused', 'Timeout']);
const probes = z.array(z.object({ ssh: answer, kubelet: answer }).nullable());

/** @param endpoint as in MachineProvider.spec.simulated.endpoint: `http://127.0.0.1:PORT` */
export function simulatedOutside(endpoint: string, limit: Limiter): Outside {
  const post = (path: string, body: unknown, signal?: AbortSignal) =>
    postTo(`${endpoint.replace(/\/$/, '')}/v1/${path}`, body, signal);
  const call = (path: string, body: unknown, signal?: AbortSignal) =>
    limit(() => post(path, body, signal), signal);
  return {
    provider: {
      describe: async (id, signal) => {
        const { can, ...read } = reading.parse(await call('describe', { id }, signal));
        return { ...read, can: can as Abilities };
      },
      act: async (id, act, key, signal) => void (await call('act', { id, act, key }, signal)),
      list: async function* (signal) {
        for (let after: string | null = ''; after !== null; ) {
          const page: z.output<typeof listed> = listed.parse(await call('list', { after }, signal));
          yield page.machines;
          after = page.next;
        }
      },
      eventLog: async (id, signal) => entries.parse(await call('event-log', { id }, signal)),
      console: async (id, signal) => lines.parse(await call('console', { id }, signal)),
      maintenance: {
        open: async (signal) => events.parse(await call('events', {}, signal)),
        accept: async (event, signal) => void (await call('accept', { event }, signal)),
      },
      close: async () => {},
    },
    hosts: {
      run: async ({ id }, name, params, signal) => {
        const answer = await post('run', { id, action: name, params }, signal).catch((error: unknown) => {
          throw error instanceof HostError ? error : new HostError(messageOf(error), 'Unreachable');
        });
        return revived(answer) as never;
      },
    },
    prober: {
      probe: async (targets, signal) => {
        const found = probes.parse(await post('probe', { ids: targets.map((target) => target.id) }, signal));
        return found.map((probe) => probe ?? undefined);
      },
    },
  };
}

/** Bytes of a file travel as Node writes a Buffer into JSON. */
function revived(answer: unknown): unknown {
  const { success, data } = withBytes.safeParse(answer);
  return success ? { ...data, bytes: Buffer.from(data.bytes.data) } : answer;
}

const withBytes = z.looseObject({
  bytes: z.object({ type: z.literal('Buffer'), data: z.array(z.int().min(0).max(255)) }),
});

function postTo(url: string, body: unknown, signal?: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    // Of a question it does not matter whether it arrived; an act that never left has not happened.
    const isAct = url.endsWith('/act');
    const lost = (error: NodeJS.ErrnoException) =>
      reject(
        new ProviderError(
          isAct && error.code !== 'ECONNREFUSED' ? 'Unknown' : 'TryAgain',
          `${url}: ${error.message}`,
        ),
      );
    const options = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      timeout: TIMEOUT_MS,
      ...(signal && { signal }),
    };
    const sent = request(url, options, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > ANSWER_BYTES_MAX)
          response.destroy(new Error(`answer larger than ${ANSWER_BYTES_MAX} bytes`));
        else chunks.push(chunk);
      });
      response.on('error', lost);
      response.on('end', () => {
        try {
          const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8') || 'null');
          if (response.statusCode === 200) return resolve(value);
          const said = failure.parse(value);
          if (said.host) return reject(new HostError(said.message, said.host));
          reject(new ProviderError(said.failure, said.message));
        } catch (error) {
          lost(error as Error);
        }
      });
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    sent.on('error', lost);
    sent.end(JSON.stringify(body));
  });
}
