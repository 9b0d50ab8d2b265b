import type { Command } from 'commander';
import type { Clock } from '../platform/clock/clock.ts';
import { KubeClient } from '../platform/kube/client.ts';
import { KubeError } from '../platform/kube/errors.ts';
import { type KubeconfigContext, loadKubeconfig } from '../platform/kube/kubeconfig.ts';
import { type Transport, TransportError } from '../platform/kube/transport.ts';
import { CliError, type Io } from './io.ts';

interface Globals {
  kubeconfig?: string;
  context?: string;
}

export const NOT_INSTALLED = "Drover's resources are not on this cluster: run 'drover install' first";

/** The cluster that `--kubeconfig` and `--context` mean. */
export function openContext(command: Command, io: Io): KubeconfigContext {
  const { kubeconfig, context } = command.optsWithGlobals<Globals>();
  return loadKubeconfig({
    clock: io.clock,
    env: io.env,
    userAgent: 'drover',
    ...(kubeconfig !== undefined && { path: kubeconfig }),
    ...(context !== undefined && { context }),
  });
}

/**
 * Calls `work` with a client of that cluster, and closes it after. `now` is the server's time, by the Date of
 * its last answer: ages are told by the clock that stamped them, which a laptop's need not be.
 */
export async function withClient<T>(
  command: Command,
  io: Io,
  work: (client: KubeClient, now: () => number) => Promise<T>,
): Promise<T> {
  const { transport, server } = openContext(command, io);
  let told: number | undefined;
  const waits = patient(transport, io.clock);
  const dated: Transport = {
    ...waits,
    send: async (request) => {
      const response = await waits.send(request);
      const date = Date.parse(response.headers.date ?? '');
      if (Number.isFinite(date)) told = date;
      return response;
    },
  };
  try {
    return await work(new KubeClient(dated, io.clock), () => told ?? io.clock.now());
  } catch (error) {
    throw kubectlError(error, server);
  } finally {
    transport.close();
  }
}

/** As kubectl: a server that asks for a second's patience gets it. A new CRD does that while it starts. */
const TRIES_MAX = 10;
const RETRY_AFTER_MS_MAX = 10_000;

function patient(transport: Transport, clock: Clock): Transport {
  return {
    send: async (request) => {
      for (let tries = 1; ; tries++) {
        const response = await transport.send(request);
        const seconds = Number(response.headers['retry-after'] ?? Number.NaN);
        if (response.status !== 429 || !(seconds >= 0) || tries >= TRIES_MAX) return response;
        await clock.sleep(Math.min(seconds * 1000, RETRY_AFTER_MS_MAX), request.signal);
      }
    },
    stream: (request) => transport.stream(request),
    close: () => transport.close(),
  };
}

/** The words that kubectl has for it. */
function kubectlError(error: unknown, server: string): unknown {
  if (error instanceof KubeError)
    return new CliError(`Error from server (${error.reason}): ${saidBy(error)}`);
  if (error instanceof TransportError)
    return new CliError(`Unable to connect to the server ${server}: ${error.message}`);
  return error;
}

/** The server's own words, without our request before them. */
export function saidBy(error: KubeError): string {
  return error.message.replace(/^[A-Z]+ \S+: /, '');
}

/** The path itself is unknown to the server, not an object below it: there is no such kind. */
export function isNoSuchKind(error: unknown): boolean {
  return (
    error instanceof KubeError &&
    error.status === 404 &&
    /could not find the requested resource|page not found/.test(error.message)
  );
}
