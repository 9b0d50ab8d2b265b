import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { openContext } from './connect.ts';
import type { Io } from './io.ts';

export function register(program: Command, io: Io): void {
  program
    .command('version')
    .description('Print the versions of Drover, of Node.js and, where one answers, of the cluster.')
    .option('--client', 'ask no cluster')
    .action(async (options: { client?: boolean }, command: Command) => {
      io.out(`Drover   ${droverVersion()}\nNode.js  ${process.version}\n`);
      if (!options.client) io.out(`Cluster  ${await clusterVersion(command, io)}\n`);
    });
}

export function droverVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** People ask for a version when something is broken: a cluster that does not answer is told, and no error. */
async function clusterVersion(command: Command, io: Io): Promise<string> {
  try {
    const { transport, server } = openContext(command, io);
    const { body } = await transport.send({ method: 'GET', path: '/version', timeout_ms: 5_000 });
    transport.close();
    const { gitVersion } = body as { gitVersion?: string };
    return `${gitVersion ?? 'unknown'} at ${server}`;
  } catch (error) {
    return `none: ${error instanceof Error ? error.message : String(error)}`;
  }
}
