import { hostname } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { KINDS } from '../api/index.ts';
import { GROUP, VERSION } from '../api/kind.ts';
import { NetconsoleRings, type NetconsoleServer, serveNetconsole } from '../crash/collect/netconsole.ts';
import { CRASHES_KEPT_MS } from '../crash/controller.ts';
import { HISTORY_HOURS } from '../crash/surges.ts';
import { Drover } from '../drover.ts';
import { NAMESPACE } from '../fleet/install.ts';
import { DAY, HOUR } from '../platform/clock/clock.ts';
import { openHistory, type SqlHistory } from '../platform/history/sql-history.ts';
import type { KubeClient } from '../platform/kube/client.ts';
import { messageOf } from '../platform/kube/errors.ts';
import { kubeconfigFromText } from '../platform/kube/kubeconfig.ts';
import { lineLog } from '../platform/telemetry/log.ts';
import { serveTelemetry, type TelemetryServer } from '../platform/telemetry/server.ts';
import { droverMetrics, notReady } from '../telemetry.ts';
import { NOT_INSTALLED, openContext, withClient } from './connect.ts';
import { blobsOf, EVIDENCE_HELP } from './crash/store.ts';
import { countOption, durationOption } from './durations.ts';
import { CliError, type Io } from './io.ts';

interface RunOptions {
  identity?: string;
  namespace: string;
  data?: string;
  evidence?: string;
  crashRetention: number;
  metricsPort: number;
  metricsHost: string;
  netconsolePort?: number;
  netconsoleHost: string;
}

export function register(program: Command, io: Io): void {
  program
    .command('run')
    .description(
      'Run Drover against the cluster until SIGTERM or SIGINT. Several may run: one leads, the others wait.',
    )
    .option('--identity <name>', 'holder of the lease; host name and a random part by default')
    .option('--namespace <name>', 'where the lease lives', NAMESPACE)
    .option(
      '--data <dir>',
      'keep the history in this folder; $DATABASE_URL names a PostgreSQL instead; in memory by default',
    )
    .option('--evidence <place>', EVIDENCE_HELP)
    .addOption(
      new Option(
        '--crash-retention <duration>',
        'crash records and their evidence are deleted after this time',
      )
        .argParser(retentionOption)
        .default(CRASHES_KEPT_MS, `${CRASHES_KEPT_MS / DAY}d`),
    )
    .option(
      '--metrics-port <port>',
      '/metrics, /healthz and /readyz; 0 takes a free one',
      countOption(0, 65535),
      9464,
    )
    .option('--metrics-host <address>', 'address that they are served on', '127.0.0.1')
    .option(
      '--netconsole-port <port>',
      'take in what machines send over netconsole on this UDP port, 6666 mostly; off by default',
      countOption(0, 65535),
    )
    .option('--netconsole-host <address>', 'address that netconsole is taken in on', '0.0.0.0')
    .action((options: RunOptions, command: Command) => run(command, io, options));
}

/** Surges are told from what was usual in the weeks before. */
function retentionOption(value: string): number {
  const least = HISTORY_HOURS * HOUR;
  const kept_ms = durationOption(value);
  if (kept_ms >= least) return kept_ms;
  throw new InvalidArgumentError(
    `write at least ${least / DAY}d: surges are judged by that much of the past`,
  );
}

async function run(command: Command, io: Io, options: RunOptions): Promise<void> {
  const { clock } = io;
  await withClient(command, io, checkInstalled);
  const stop = io.stopSignal();
  const log = lineLog(clock, (line) => io.out(`${line}\n`));
  const { transport, server } = openContext(command, io);
  const url = io.env.DATABASE_URL;
  const blobs = options.data || options.evidence ? blobsOf(options, io) : undefined;
  const history = await openHistory({
    clock,
    log,
    ...(url && { url }),
    ...(options.data && { dir: options.data }),
  });
  const rings = new NetconsoleRings(
    (address) => drover.isMachine(address),
    () => clock.now(),
  );
  const identity = options.identity ?? `${hostname().toLowerCase().slice(0, 200)}-${clock.id(5)}`;
  const drover = new Drover({
    clock,
    transport,
    identity,
    namespace: options.namespace,
    history,
    log,
    crashes: {
      records: () => history.crashes(),
      ...(blobs && { blobs }),
      keep_ms: options.crashRetention,
      netconsole: (address, since) => rings.linesOf(address, since),
    },
    connect: (text) =>
      kubeconfigFromText(text, { clock, source: 'the Cluster’s Secret', userAgent: 'drover' }).transport,
  });
  let telemetry: TelemetryServer | undefined;
  let netconsole: NetconsoleServer | undefined;
  try {
    netconsole = await openNetconsole(rings, options);
    telemetry = await openTelemetry(drover, history, options);
    const metrics = `http://${options.metricsHost}:${telemetry.port}/metrics`;
    log.info('started', {
      identity,
      server,
      pid: process.pid,
      metrics,
      history: history.status().store,
      ...(netconsole && { netconsole: netconsole.port }),
    });
    await drover.run(stop);
  } finally {
    await netconsole?.close();
    await telemetry?.close();
    await history.close();
  }
  log.info('ended', { identity, why: stop.reason instanceof Error ? stop.reason.message : 'done' });
}

async function openTelemetry(
  drover: Drover,
  history: SqlHistory,
  { metricsPort, metricsHost }: RunOptions,
): Promise<TelemetryServer> {
  const metrics = droverMetrics(drover, history);
  try {
    return await serveTelemetry({
      port: metricsPort,
      host: metricsHost,
      metrics,
      // What goes wrong for good ends the process by itself; what comes from outside no restart mends.
      healthz: () => undefined,
      readyz: () => notReady(drover),
    });
  } catch (error) {
    const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
    throw isTaken
      ? new CliError(
          `error: port ${metricsPort} of ${metricsHost} is taken: give another --metrics-port, or 0 for a free one`,
        )
      : error;
  }
}

async function openNetconsole(
  rings: NetconsoleRings,
  { netconsolePort: port, netconsoleHost: host }: RunOptions,
): Promise<NetconsoleServer | undefined> {
  if (port === undefined) return undefined;
  try {
    return await serveNetconsole(rings, { host, port });
  } catch (error) {
    throw new CliError(`error: netconsole on ${host}:${port}: ${messageOf(error)}`);
  }
}

/** Without its resources every loop would fail for ever: better one clear word at the start. */
async function checkInstalled(client: KubeClient): Promise<void> {
  const { status, body } = await client.transport.send({
    method: 'GET',
    path: `/apis/${GROUP}/${VERSION}`,
    timeout_ms: 10_000,
  });
  const served = new Set(
    status === 200 ? (body as { resources: { name: string }[] }).resources.map(({ name }) => name) : [],
  );
  const missing = KINDS.map(({ resource }) => resource.plural).filter((plural) => !served.has(plural));
  if (missing.length === 0) return;
  const which = missing.length < KINDS.length ? ` (missing: ${missing.join(', ')})` : '';
  throw new CliError(`error: ${NOT_INSTALLED}${which}`);
}
