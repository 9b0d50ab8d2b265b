// A year of a fleet of 50,000 machines with 40 planted stories and 40 decoys, judged as the running Drover does it:
// surges are looked for twice a day from what came before only, and each one is explained by correlation. Prints
// which stories were found, how soon, with which explanation, and what was raised for nothing.
//
//   node scripts/crash-year.ts [--seed 1]

import { correlate } from '../src/crash/correlate/index.ts';
import { columnsOf } from '../src/crash/report/columns.ts';
import { HISTORY_HOURS, type Surge, surgesOf } from '../src/crash/surges.ts';
import { drawGamma, drawPoisson } from '../src/crash/trend/trials.ts';
import { DAY, HOUR } from '../src/platform/clock/clock.ts';
import { seededRandom } from '../src/platform/clock/random.ts';
import type { CrashRecord } from '../src/platform/history/crash-record.ts';
import type { FleetDay } from '../src/platform/history/crashes.ts';

const seed = Number(process.argv[process.argv.indexOf('--seed') + 1]) || 1;
const random = seededRandom(seed);
const START = Date.UTC(2026, 0, 1);
const DAYS = 365;
const MACHINES = 50_000;
/** Stories begin when there is a history to tell them from. */
const FIRST_STORY_DAY = 40;
const STORY_EVERY_DAYS = 8;
const BASE_RATE = 0.0002;

type Attributes = Record<string, string>;
interface Machine {
  name: string;
  /** Day on which it came. */
  from: number;
  attributes: Attributes;
}
interface Story {
  name: string;
  when: Attributes;
  /** Other attributes that mean the same. */
  from: number;
  days: number;
  signature: string;
  /** Crashes on this day of the story. */
  rate(day: number): number;
}

const below = (count: number) => Math.floor(random() * count);
const pick = <T>(from: readonly T[]): T => from[below(from.length)] as T;

const machines: Machine[] = [];
const MODELS = ['ebmc5', 'ebmc6', 'ebmc7', 'ebmg6', 'ebmg7', 'ebmi3', 'ebmr6', 'ebmr7'];
/** Half of the fleet comes in the middle of the year: a decoy of its own. */
for (let at = 0; at < MACHINES * 1.5; at++) {
  const rack = Math.floor(at / 50);
  const model = MODELS[Math.floor(random() ** 1.5 * MODELS.length)] as string;
  const attributes = {
    region: `r${rack % 3}`,
    zone: `z${rack % 9}`,
    rack: `rack${rack}`,
    model,
    cpu: `cpu-of-${model}`,
    bios: `${model}-bios${below(3)}`,
    nic: `nic${below(4)}`,
    workload: pick(['core', 'ingress', 'cache', 'db', 'offline', 'middleware']),
    batch: random() < 0.2 ? `dimm${below(20)}` : 'other',
    kernel: pick(['4.19.91-22', '4.19.91-26', '5.10.134-13']),
  };
  machines.push({ name: `m${at}`, from: at < MACHINES ? 0 : 180, attributes });
}

const stories: Story[] = [];
const at = () => FIRST_STORY_DAY + stories.length * STORY_EVERY_DAYS;
const steady = (perDay: number) => () => perDay;
for (let round = 0; round < 4; round++) {
  const model = MODELS[round] as string;
  const add = (name: string, when: Attributes, days: number, rate: Story['rate']) =>
    stories.push({ name, when, from: at(), days, signature: `c-story${stories.length}`, rate });
  add(
    'a bad kernel on one model',
    { kernel: pick(['4.19.91-22', '4.19.91-26', '5.10.134-13']), model },
    7,
    steady(9),
  );
  add('a bad batch of memory', { batch: `dimm${round * 3}` }, 7, steady(5));
  add('a rack with bad power', { rack: `rack${below(900)}` }, 2, (day) => (day === 0 ? 25 : 6));
  add('a rollout that crashes 1 in 200', { kernel: `5.10.134-2${round}` }, 5, (day) => (day < 3 ? 20 : 0));
  add('confounded: a model is its CPU', { model: MODELS[4 + round] as string }, 7, steady(8));
  add('a slow rise', { model }, 21, (day) => Math.min(9, day * 0.5));
  add('weekends only', { workload: pick(['core', 'ingress', 'cache']) }, 16, (day) =>
    isWeekend(at0 + day) ? 14 : 0,
  );
  add('a zone that is too warm', { zone: `z${below(9)}` }, 7, steady(9));
  add('firmware of a card', { nic: `nic${round}`, model }, 7, steady(8));
  add('a BIOS version', { bios: `${MODELS[(round + 2) % 8]}-bios1` }, 7, steady(7));
}
let at0 = 0;
function isWeekend(day: number): boolean {
  return [0, 6].includes(new Date(START + day * DAY).getUTCDay());
}

// The fourth kind rolls a kernel out: a fifth of the fleet has it from then on, and it is only new for 1 in 200.
for (const story of stories.filter(({ name }) => name.startsWith('a rollout'))) {
  for (const machine of machines) if (random() < 0.1) (machine as Machine & { to?: Story }).to = story;
}
const kernelOn = (machine: Machine, day: number): string => {
  const to = (machine as Machine & { to?: Story }).to;
  return to && day >= to.from ? (to.when.kernel as string) : (machine.attributes.kernel as string);
};
const attributesOn = (machine: Machine, day: number): Attributes => ({
  ...machine.attributes,
  kernel: kernelOn(machine, day),
});

const records: CrashRecord[] = [];
function crash(machine: Machine, time: number, signature: string, planned = false): void {
  const happenedAt = new Date(time).toISOString();
  records.push({
    id: `${records.length}`,
    cluster: 'home',
    machine: machine.name,
    happenedAt,
    timeFrom: 'incident',
    seenAt: happenedAt,
    attributes: attributesOn(machine, Math.floor((time - START) / DAY)),
    signature,
    title: signature,
    class: 'panic',
    severity: 'fatal',
    cause: planned ? 'planned' : 'kernel',
    because: '',
    frames: [],
    corrupted: false,
    confidence: 0.9,
    hardware: [],
    evidence: [],
    excerpt: '',
  });
}

const present = (day: number) => (day < 180 ? MACHINES : machines.length);
for (let day = 0; day < DAYS; day++) {
  const season = 1 + 0.2 * Math.sin((2 * Math.PI * day) / DAYS);
  const level =
    present(day) * BASE_RATE * (isWeekend(day) ? 0.75 : 1) * season * (drawGamma(random, 20) / 20);
  for (let n = drawPoisson(random, level); n > 0; n--) {
    // A model that was always three times worse explains nothing.
    let machine = machines[below(present(day))] as Machine;
    if (machine.attributes.model !== 'ebmi3' && random() < 0.2)
      machine = machines[below(present(day))] as Machine;
    crash(machine, START + (day + random()) * DAY, `c-${Math.floor(random() ** 2 * 60)}`);
  }
  for (const story of stories) {
    if (day < story.from || day >= story.from + story.days) continue;
    at0 = story.from;
    const fits = machines.filter(
      (machine, index) =>
        index < present(day) &&
        Object.entries(story.when).every(([key, value]) => attributesOn(machine, day)[key] === value),
    );
    for (let n = drawPoisson(random, story.rate(day - story.from)); n > 0; n--)
      crash(pick(fits), START + (day + random()) * DAY, story.signature);
  }
}
// Decoys: restarts that were planned, by hundreds; machines that crash again and again; and, above, a fleet that
// grows by half, a new kernel that is harmless, weekends, a season, a model that was always worse.
const decoys: string[] = [
  'a fleet that grows by half',
  'a season',
  'weekends',
  'a model that was always worse',
];
for (let n = 0; n < 20; n++) {
  const day = 45 + n * 15;
  for (let each = 0; each < 300; each++)
    crash(machines[below(MACHINES)] as Machine, START + (day + random()) * DAY, 'c-planned', true);
  decoys.push(`300 planned restarts on day ${day}`);
}
for (let n = 0; n < 16; n++) {
  const machine = machines[below(MACHINES)] as Machine;
  for (let each = 0; each < 3; each++)
    crash(machine, START + (50 + n * 19 + random()) * DAY, `c-${below(60)}`);
  decoys.push(`${machine.name} crashes three times on day ${50 + n * 19}`);
}
records.sort((a, b) => a.happenedAt.localeCompare(b.happenedAt));

/** The fleet on the days on which it changes; between them it is as on the day before. */
function fleetOn(day: number): FleetDay[] {
  const kinds = new Map<string, FleetDay>();
  const date = new Date(START + day * DAY).toISOString().slice(0, 10);
  for (const machine of machines.slice(0, present(day))) {
    const attributes = attributesOn(machine, day);
    const key = Object.values(attributes).join('|');
    const kind = kinds.get(key);
    if (kind) kind.machines++;
    else kinds.set(key, { day: date, attributes, machines: 1 });
  }
  return [...kinds.values()];
}
const changes = [
  0,
  180,
  ...stories.filter(({ name }) => name.startsWith('a rollout')).map(({ from }) => from),
].sort((a, b) => a - b);
const fleets = new Map(changes.map((day) => [day, fleetOn(day)]));
const fleetBefore = (day: number) => changes.filter((change) => change <= day).at(-1) as number;

interface Raised extends Surge {
  seenDay: number;
}
const raised: Raised[] = [];
/** When each was seen last: one that comes and goes is one surge, as the controller has it. */
const told = new Map<string, number>();
for (let half = 2 * FIRST_STORY_DAY - 20; half < 2 * DAYS; half++) {
  const now = START + half * (DAY / 2);
  const since = new Date(now - HISTORY_HOURS * HOUR).toISOString();
  const until = new Date(now).toISOString();
  const seen = records.filter(
    ({ happenedAt, cause }) => cause !== 'planned' && happenedAt >= since && happenedAt < until,
  );
  const day = Math.floor(half / 2);
  const first = fleetBefore(Math.max(0, day - HISTORY_HOURS / 24));
  const days = changes
    .filter((change) => change >= first && change <= day)
    .flatMap((change) => {
      const date = new Date(Math.max(START + change * DAY, now - HISTORY_HOURS * HOUR))
        .toISOString()
        .slice(0, 10);
      return (fleets.get(change) as FleetDay[]).map((kind) => ({ ...kind, day: date }));
    });
  const surges = surgesOf(seen, days, now);
  for (const surge of surges) {
    const name = `${surge.by}=${surge.value}`;
    if (now - (told.get(name) ?? Number.NEGATIVE_INFINITY) > 3 * DAY)
      raised.push({ ...surge, seenDay: half / 2 });
    told.set(name, now);
  }
  if (half % 100 === 0) console.error(`day ${day}: ${raised.length} surges so far`);
}

const textOf = (when: Attributes) =>
  Object.entries(when)
    .map(([key, value]) => `${key} ${value}`)
    .sort()
    .join(' and ');
const belongs = (surge: Raised, story: Story) =>
  surge.seenDay >= story.from &&
  surge.seenDay <= story.from + story.days + 3 &&
  (surge.by === 'all' ||
    surge.value === story.signature ||
    story.when[surge.by] === surge.value ||
    ((surge.by === 'cpu' && story.when.model) !== undefined && surge.by === 'cpu') ||
    // An attribute that goes with it: the rack's zone, the model's BIOS.
    Object.entries(story.when).some(([key, value]) => related(key, value, surge)));
function related(key: string, value: string, { by, value: other }: Surge): boolean {
  const own = machines.filter(
    (machine) =>
      machine.attributes[key] === value || (key === 'kernel' && machine.attributes.kernel === value),
  );
  return (
    own.length > 0 && own.filter((machine) => machine.attributes[by] === other).length / own.length > 0.3
  );
}

/** What correlation says so many days after the story began, from what was there then. */
function explained(story: Story, day: number): string {
  const [from, to] = [START + story.from * DAY, START + day * DAY].map((time) =>
    new Date(time).toISOString(),
  ) as [string, string];
  const before = new Date(START + (story.from - 30) * DAY).toISOString();
  const real = records.filter(({ cause }) => cause !== 'planned');
  const rows = (a: string, b: string) =>
    columnsOf(
      real
        .filter(({ happenedAt }) => happenedAt >= a && happenedAt < b)
        .map(({ attributes }) => ({ attributes, count: 1 })),
    );
  const population = (at: number, length: number) =>
    columnsOf(
      (fleets.get(fleetBefore(at)) as FleetDay[]).map(({ attributes, machines: count }) => ({
        attributes,
        count: count * length,
      })),
    );
  const answer = correlate({
    events: rows(from, to),
    population: population(story.from, day - story.from),
    beforeEvents: rows(before, from),
    beforePopulation: population(story.from - 1, 30),
  });
  const wanted = textOf(story.when);
  const causes = answer.explanations.filter(({ cause }) => cause);
  const names = causes.map(({ when, sameAs }) => [when, ...sameAs].map((each) => textOf(each as Attributes)));
  if (names.some((same) => same.includes(wanted))) return 'right';
  return names.length === 0 ? answer.verdict : `wrong: ${names.map(([name]) => name).join('; ')}`;
}

const used = new Set<Raised>();
let found = 0;
let right = 0;
const delays: number[] = [];
console.log(
  '\nSTORY                              WHEN                                     DAY  SEEN AFTER  EXPLAINED AFTER 3 DAYS, AT ITS END',
);
for (const story of stories) {
  const own = raised.filter((surge) => belongs(surge, story));
  for (const surge of own) used.add(surge);
  const first = own.toSorted((a, b) => a.seenDay - b.seenDay)[0];
  const soon = explained(story, story.from + Math.min(story.days, 3));
  const late = explained(story, story.from + story.days);
  if (first) found++;
  if (late === 'right') right++;
  if (first) delays.push((first.seenDay - story.from) * 24);
  const after = first ? `${Math.round((first.seenDay - story.from) * 24)} h` : 'never';
  console.log(
    `${story.name.padEnd(34)} ${textOf(story.when).padEnd(40)} ${String(story.from).padStart(3)}  ${after.padStart(10)}  ${soon}, ${late}`,
  );
}
delays.sort((a, b) => a - b);
const idle = raised.filter((surge) => !used.has(surge));
const quantile = (share: number) => delays[Math.floor((delays.length - 1) * share)];
console.log(
  `\n${stories.length} stories, ${found} found; after ${quantile(0.5)} h (median), ${quantile(0.9)} h (P90); ${right} explained rightly at their end.`,
);
console.log(`${decoys.length} decoys; ${idle.length} surges raised for nothing in a year:`);
for (const { by, value, seenDay, events, expected } of idle)
  console.log(`  day ${seenDay}: ${by} ${value}, ${events} where ${expected.toPrecision(2)} were expected`);
