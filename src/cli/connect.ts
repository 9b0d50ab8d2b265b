import type { Command } from 'commander';
import { KubeClient } from '../platform/kube/client.ts';
import { KubeError } from '../platform/kube/errors.ts';
import { type KubeconfigContext, loadKubeconfig } from '../platform/kube/kubeconfig.ts';
import { TransportError } from '../platform/kube/transport.ts';
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

/** Calls `work` with a client of that cluster, and closes it after. */
export async function withClient<T>(
  command: Command,
  io: Io,
  work: (client: KubeClient) => Promise<T>,
): Promise<T> {
  const { transport, server } = openContext(command, io);
  try {
    return await work(new KubeClient(transport, io.clock));
  } catch (error) {
    throw kubectlError(error, server);
  } finally {
    transport.close();
  }
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
