// Buys 5,000 instances from the ECS stand-in while calls are throttled, answers are lost, and types sell out and come
// back, by a process that is killed -9 ten times on the way. Prints what it took, and what leaked or came twice.
// Types of fewer than 100 vCPUs are bought by auto-provisioning groups, for up to 10,000 vCPUs in a call.
//   node scripts/ecs-scale-out.ts [--machines 5000] [--kills 10] [--seed 1] [--speed 20] [--vcpus 128]
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { machineProviderKind } from '../src/api/machine-provider.ts';
import { type Clock, HOUR, MINUTE, SECOND, sleepWith } from '../src/platform/clock/clock.ts';
import { seededRandom } from '../src/platform/clock/random.ts';
import { systemClock } from '../src/platform/clock/system.ts';
import { FileLedger } from '../src/platform/providers/ledger.ts';
import type { Market } from '../src/platform/providers/provider.ts';
import { type Bought, purchase } from '../src/platform/providers/purchase.ts';
import { Outsides } from '../src/platform/providers/registry.ts';
import { type EcsService, serveEcs } from '../src/simulation/ecs/index.ts';
import { make } from '../src/test-builders.ts';

const REGION = 'cn-beijing';
const ZONES = ['a', 'b', 'c'].map((zone) => `${REGION}-${zone}`);
const TYPES = ['ecs.ebmg7.32xlarge', 'ecs.ebmc7.32xlarge'];
const SOURCES = TYPES.flatMap((type) => ZONES.map((zone) => ({ type, zone })));
const KEY = { accessKeyId: 'AKID', accessKeySecret: 'secret' };
const ORDERING = ['RunInstances', 'CreateAutoProvisioningGroup'];
/** A tenth of what accounts usually have. */
const ORDERS_PER_MINUTE = 20;
const LOST_EVERY = 7;

/** The same time in every process that is given the same origin. */
function sharedClock(origin: number, speed: number): Clock {
  const clock: Clock = {
    now: () => origin + (systemClock.now() - origin) * speed,
    timer: (delay_ms, wake) => systemClock.timer(delay_ms / speed, wake),
    sleep: (delay_ms, signal) => sleepWith(clock, delay_ms, signal),
    random: systemClock.random,
    id: systemClock.id,
  };
  return clock;
}

/** The process that is killed. */
async function buy(
  endpoint: string,
  origin: number,
  speed: number,
  path: string,
  count: number,
): Promise<void> {
  const clock = sharedClock(origin, speed);
  const launch = { imageId: 'img-1', vSwitches: ZONES.map((zone) => ({ zone, id: `vsw-${zone}` })) };
  const secretRef = { namespace: 'drover', name: 'ecs' };
  const ecs = { regionId: REGION, endpoint: `http://${endpoint}`, credentials: { secretRef }, launch };
  const limits = { callsPerSecond: 100, concurrentCalls: 16 };
  const object = make(machineProviderKind, 'ecs', { ecs, limits });
  const { provider } = new Outsides({ clock, secrets: async () => KEY }).get(object);
  await using ledger = await FileLedger.open(path);
  const labels = { 'drover.dev/pool': 'promotion' };
  const wish = { id: 'scale-out', count, from: SOURCES, name: 'promo-', labels, until: origin + 4 * HOUR };
  const market = provider.market as Market;
  const bought = await purchase(wish, { market, ledger, clock });
  process.send?.(bought);
}

async function main({
  count,
  kills,
  seed,
  speed,
  vcpus,
}: Record<'count' | 'kills' | 'seed' | 'speed' | 'vcpus', number>): Promise<void> {
  const random = seededRandom(seed);
  const origin = systemClock.now();
  const clock = sharedClock(origin, speed);
  const types = TYPES.map((name) => ({
    name,
    vcpus,
    memory_gib: 512,
    enis: 32,
    disks: 17,
    pps: 24e6,
    bandwidth_kbps: 64e6,
  }));
  await using ecs = await serveEcs({
    clock,
    region: REGION,
    zones: ZONES,
    types,
    accounts: [KEY],
    limits: Object.fromEntries(ORDERING.map((action) => [action, ORDERS_PER_MINUTE])),
    durations: { order_ms: 2 * SECOND },
  });
  let orders = 0;
  ecs.faults = {
    lostAnswers: true,
    only: (action) => ORDERING.includes(action) && ++orders % LOST_EVERY === 0,
  };
  for (const { zone, type } of SOURCES) ecs.setStock(zone, type, Math.ceil(count / 12));
  const refill = setInterval(() => {
    const { zone, type } = SOURCES[Math.floor(random() * SOURCES.length)] as (typeof SOURCES)[number];
    ecs.setStock(zone, type, ecs.cloud.stock(zone, type) + Math.ceil((random() * count) / 25));
  }, MINUTE / speed);

  const ledger = join(mkdtempSync(join(tmpdir(), 'drover-scale-out-')), 'ledger.jsonl');
  const start = () => spawnBuyer([ecs.endpoint, String(origin), String(speed), ledger, String(count)]);
  let killed = 0;
  let buyer = start();
  for (; killed < kills; killed++) {
    // Somewhere on its way: while it starts, asks, is being answered, or waits.
    const orderCalls = () => ecs.calls.filter(({ action }) => ORDERING.includes(action)).length;
    const after = orderCalls() + Math.floor(random() * 6);
    while (orderCalls() < after && buyer.child.exitCode === null) await systemClock.sleep(5);
    await systemClock.sleep(300 + random() * 900);
    if (buyer.child.exitCode !== null) break;
    buyer.child.kill('SIGKILL');
    await once(buyer.child, 'close');
    buyer = start();
  }
  const bought = await buyer.result;
  clearInterval(refill);
  report(ecs, bought, {
    count,
    killed,
    seed,
    took_ms: clock.now() - origin,
    real_ms: systemClock.now() - origin,
  });
}

function spawnBuyer(args: readonly string[]): { child: ChildProcess; result: Promise<Bought> } {
  const child = spawn(process.execPath, [import.meta.filename, 'buy', ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const result = Promise.withResolvers<Bought>();
  child.once('message', (bought) => result.resolve(bought as Bought));
  child.once('close', (code) => result.reject(new Error(`the buyer ended with ${code}`)));
  // Of one that is killed nobody waits for the result.
  result.promise.catch(() => {});
  return { child, result: result.promise };
}

interface Run {
  count: number;
  killed: number;
  seed: number;
  took_ms: number;
  real_ms: number;
}

function report(ecs: EcsService, bought: Bought, { count, killed, seed, took_ms, real_ms }: Run): void {
  const calls: Record<string, Record<string, number>> = {};
  for (const { action, answer } of ecs.calls) {
    const answers = calls[action] ?? {};
    answers[answer] = (answers[answer] ?? 0) + 1;
    calls[action] = answers;
  }
  const had = new Set(bought.ids);
  const there = ecs.instances().map(({ id }) => id);
  const leaked = there.filter((id) => !had.has(id)).length;
  const duplicates = bought.ids.length - had.size + Math.max(0, there.length - count);
  const invented = bought.ids.filter((id) => !ecs.cloud.instances.has(id)).length;
  for (const [action, answers] of Object.entries(calls))
    console.log(`${action.padEnd(24)} ${JSON.stringify(answers)}`);
  const result = {
    wished: count,
    had: bought.ids.length,
    there: there.length,
    leaked,
    duplicates,
    invented,
    unanswered: bought.unanswered,
    killed,
    seed,
    minutes: Number((took_ms / MINUTE).toFixed(1)),
    realSeconds: Number((real_ms / SECOND).toFixed(1)),
    standInMegabytes: Math.round(process.memoryUsage().rss / 2 ** 20),
    ...(bought.because && { because: bought.because.message }),
  };
  console.log(JSON.stringify(result, null, 2));
  if (leaked + duplicates + invented + bought.unanswered > 0 || bought.ids.length !== count)
    process.exitCode = 1;
}

if (process.argv[2] === 'buy') {
  const [endpoint = '', origin = '', speed = '', path = '', count = ''] = process.argv.slice(3);
  await buy(endpoint, Number(origin), Number(speed), path, Number(count));
} else {
  const { values } = parseArgs({
    options: {
      machines: { type: 'string', default: '5000' },
      kills: { type: 'string', default: '10' },
      seed: { type: 'string', default: '1' },
      /** So many times as fast as the real clock. */
      speed: { type: 'string', default: '20' },
      /** Of a machine. */
      vcpus: { type: 'string', default: '128' },
    },
  });
  await main({
    count: Number(values.machines),
    kills: Number(values.kills),
    seed: Number(values.seed),
    speed: Number(values.speed),
    vcpus: Number(values.vcpus),
  });
}
