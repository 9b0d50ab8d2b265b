import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { toMilliseconds } from '../api/fields.ts';
import { HOUR, idFrom, SECOND } from '../platform/clock/clock.ts';
import { seededRandom } from '../platform/clock/random.ts';
import { scaledClock } from '../platform/clock/scaled.ts';
import { openHistory } from '../platform/history/sql-history.ts';
import { noLog } from '../platform/telemetry/log.ts';
import { type FleetCloud, fleetCloud } from '../simulation/ecs/fleet-cloud.ts';
import { canStrike, FAULT_KINDS, type FaultKind, strike } from '../simulation/fleet/faults.ts';
import type { SimulatedMachine } from '../simulation/fleet/machine.ts';
import { serveFleet } from '../simulation/fleet/server.ts';
import { renderScreen, screenFacts } from '../simulation/screen.ts';
import { World } from '../simulation/world.ts';
import { CliError, EXIT, type Io } from './io.ts';

interface Options {
  machines: string;
  faults: string;
  speed: string;
  seed: string;
  provider: 'simulated' | 'ecs';
  port: string;
  for?: string;
}

/** A frame this often; a person reads no faster. */
const FRAME_MS = 500;
/** Lines of a run without a terminal come this often at most. */
const SUMMARY_MS = 60 * SECOND;
const RECENT_MAX = 8;
const KINDS: readonly FaultKind[] = [
  'kubelet',
  'crash-dump',
  'crash',
  'hang',
  'runtime',
  'kubelet',
  'power-loss',
  'cable',
  'rack-switch',
  'disk-full',
  'maintenance',
];

/** An instance loses no power by itself; a panic that leaves no dump is seen on a console, which ECS does not show. */
const CLOUD_KINDS: readonly FaultKind[] = [
  'kubelet',
  'crash-dump',
  'hang',
  'runtime',
  'maintenance',
  'disk-full',
];

export function register(program: Command, io: Io): void {
  program
    .command('start')
    .description('Try Drover: a simulated fleet, its API server and Drover itself, in one process.')
    .option('--machines <n>', 'machines, in 3 zones with racks of 20', '1000')
    .option('--faults <n>', 'faults in an hour of fleet time; 0 for none', '60')
    .option('--speed <n>', 'how many times faster than real time the fleet lives', '6')
    .option('--seed <n>', 'what the faults are drawn from', '1')
    .addOption(
      new Option('--provider <kind>', 'whose machines they are: their own, or instances of a stand-in of ECS')
        .choices(['simulated', 'ecs'])
        .default('simulated'),
    )
    .option('--port <n>', 'port of the API for kubectl; 0 takes a free one', '0')
    .option('--for <duration>', 'end by itself after so much fleet time: 10m')
    .addHelpText(
      'after',
      `\nFaults:\n${Object.entries(FAULT_KINDS)
        .map(([kind, text]) => `  ${kind.padEnd(12)} ${text}`)
        .join('\n')}`,
    )
    .action((options: Options) => run(options, io));
}

async function run(options: Options, io: Io): Promise<void> {
  const machines = whole('--machines', options.machines, 1, 20_000);
  const perHour = whole('--faults', options.faults, 0, 10_000);
  const speed = whole('--speed', options.speed, 1, 20);
  const random = seededRandom(whole('--seed', options.seed, 0, 2 ** 32 - 1));
  const port = whole('--port', options.port, 0, 65_535);
  const lasts_ms = options.for ? toMilliseconds(options.for) : Number.POSITIVE_INFINITY;
  const signal = io.stopSignal();
  const clock = scaledClock(io.clock, speed, random, (length) => idFrom(random, length));

  const history = await openHistory({ clock, log: noLog });
  const world = new World({ clock, machines });
  const faces = await serveFleet(world.fleet, { port: 0 });
  const cloud = options.provider === 'ecs' ? await fleetCloud(world.fleet, clock) : undefined;
  await world.open(faces.endpoint, cloud);
  const served = await world.api.serve({ port });
  const kubeconfig = join(mkdtempSync(join(tmpdir(), 'drover-')), 'kubeconfig');
  writeFileSync(kubeconfig, served.kubeconfig, { mode: 0o600 });
  const replica = world.start({ identity: 'drover-demo', history });
  const { drover } = replica;
  io.out(
    `${machines} simulated machines. In another terminal: kubectl --kubeconfig ${kubeconfig} get nodes,machines,incidents\n`,
  );

  const startedAt = clock.now();
  const recent: string[] = [];
  let struck = 0;
  drover.journal.subscribe(({ at, machine, kind, message }) => {
    recent.unshift(`${new Date(at).toISOString().slice(11, 19)} ${machine} ${message}`);
    recent.length = Math.min(recent.length, RECENT_MAX);
    if (!io.terminal && kind !== 'Refusal') io.out(`${recent[0]}\n`);
  });
  const end = new AbortController();
  signal.addEventListener('abort', () => end.abort(), { once: true });
  const kinds = cloud ? CLOUD_KINDS : KINDS;
  if (perHour > 0)
    void strikeNowAndThen(world, random, { perHour, kinds, cloud }, end.signal, () => struck++);

  let summaryAt = clock.now();
  while (!signal.aborted && clock.now() - startedAt < lasts_ms) {
    const facts = screenFacts(world, drover, recent, startedAt, speed);
    if (io.terminal)
      io.out(
        `\x1b[H\x1b[2J${renderScreen(facts, io.terminal.columns)}\n\nkubectl --kubeconfig ${kubeconfig} …   Ctrl-C ends it\n`,
      );
    else if (clock.now() - summaryAt >= SUMMARY_MS) {
      summaryAt = clock.now();
      io.out(
        `fleet: ${facts.ready} of ${machines} ready, ${facts.incidents.length} incidents open, ${facts.operations.length} operations, ${facts.healed} healed\n`,
      );
    }
    await io.clock.sleep(FRAME_MS, signal).catch(() => undefined);
  }
  end.abort();
  const facts = screenFacts(world, drover, recent, startedAt, speed);
  await replica.stop();
  await served.close();
  await faces.close();
  await cloud?.[Symbol.asyncDispose]();
  world.close();
  await history.close();
  io.out(
    `${io.terminal ? '\n' : ''}${struck} faults, ${facts.healed} healed, ${facts.recovered} recovered by themselves, ${facts.incidents.length} still open, ${facts.escalated} with a person\n`,
  );
}

async function strikeNowAndThen(
  world: World,
  random: () => number,
  { perHour, kinds, cloud }: { perHour: number; kinds: readonly FaultKind[]; cloud: FleetCloud | undefined },
  signal: AbortSignal,
  onStrike: () => void,
): Promise<void> {
  const { clock, fleet } = world;
  const names = [...fleet.machines.keys()];
  // The first one soon, and a short one, so that whoever looks sees a whole story within a minute.
  await clock.sleep(25 * SECOND, signal).catch(() => undefined);
  for (let count = 0; !signal.aborted; count++) {
    const name = names[Math.floor(random() * names.length)] as string;
    const kind = count === 0 ? 'kubelet' : (kinds[Math.floor(random() * kinds.length)] as FaultKind);
    if (canStrike(fleet, fleet.get(name))) {
      if (cloud && kind === 'maintenance') announce(cloud, fleet.get(name));
      else strike(fleet, kind, name);
      onStrike();
    }
    await clock.sleep((3_600_000 / perHour) * (0.5 + random()), signal).catch(() => undefined);
  }
}

/** ECS tells of it by its own API. */
function announce({ ecs, owner }: FleetCloud, machine: SimulatedMachine): void {
  const instance = owner.idOf(machine);
  ecs.announce({
    instance,
    type: 'SystemMaintenance.Reboot',
    state: 'Scheduled',
    notBefore: ecs.cloud.clock.now() + HOUR,
  });
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && text.trim() !== '' && value >= least && value <= most) return value;
  throw new CliError(`${name}: "${text}" is not a whole number from ${least} to ${most}`, EXIT.usage);
}
