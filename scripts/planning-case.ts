// The worked case of docs/planning-case: what it was worth to raise the limits of a class from 32 interfaces and 20 disks
// to 64 and 40, and what no limit at all would be worth. Writes the page and its pictures: `node scripts/planning-case.ts`.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  highs,
  makePlan,
  money,
  NO_WISHES,
  type Offer,
  type Plan,
  pictureOf,
  wasteWords,
} from '../src/planning/index.ts';
import { workloadsOf } from '../src/planning/read/tables.ts';
import { parseQuantity } from '../src/platform/kube/quantity.ts';
import { readTable } from '../src/platform/tables.ts';

const folder = join(import.meta.dirname, '..', 'docs', 'planning-case');
/** No machine has more than its 96 vCPUs of Pods. */
const NO_LIMIT = 1_000;
const CASES = [
  { name: '32-20', words: '32 interfaces, 20 cloud disks', interfaces: 32, disks: 20 },
  { name: '64-40', words: '64 interfaces, 40 cloud disks', interfaces: 64, disks: 40 },
  { name: 'no-limit', words: 'no limit of either', interfaces: NO_LIMIT, disks: NO_LIMIT },
] as const;

const amounts = (written: Record<string, string | number>) =>
  new Map(Object.entries(written).map(([name, amount]) => [name, parseQuantity(String(amount)) as bigint]));

/** 96 vCPU and 527 GiB; 12 cores of the offload card go to network and storage: 4+8, or 6:6 for ingress. */
function classWith(interfaces: number, disks: number): Offer {
  const room = amounts({
    cpu: 96,
    memory: '527Gi',
    'network-interfaces': interfaces,
    'cloud-disks': disks,
    'cloud-disk-storage': '20Ti',
    'nvme-storage': '7Ti',
  });
  return {
    name: 'ebmc6',
    from: 'scripts/planning-case.ts',
    room,
    price: parseQuantity('13.2') as bigint,
    owned: false,
    profiles: [
      { name: '4-8', room: amounts({ pps: '4500k', iops: '1200k' }) },
      { name: '6-6', room: amounts({ pps: '7200k', iops: '800k' }) },
    ],
  };
}

export async function planningCase(): Promise<Map<string, string>> {
  const text = readFileSync(join(folder, 'pods.csv'));
  const workloads = workloadsOf(
    await readTable(
      (async function* () {
        yield text;
      })(),
      'pods.csv',
    ),
  );
  const solver = await highs();
  const plans = CASES.map(({ interfaces, disks }) => {
    const options = { solver, wishes: NO_WISHES, gap: 0.001, limits: 0 };
    const steps = makePlan(workloads, [classWith(interfaces, disks)], options);
    let step = steps.next();
    while (!step.done) step = steps.next();
    return step.value;
  });
  const files = new Map<string, string>();
  CASES.forEach(({ name, words }, at) => {
    files.set(`${name}.svg`, pictureOf(plans[at] as Plan, words));
  });
  files.set('README.md', page(plans));
  return files;
}

function page(plans: readonly Plan[]): string {
  const [before] = plans as [Plan, ...Plan[]];
  const rows = CASES.map(({ words }, at) => {
    const plan = plans[at] as Plan;
    const count = (profile?: string) =>
      plan.machines.reduce(
        (sum, each) => (profile === undefined || each.profile === profile ? sum + each.count : sum),
        0,
      );
    const used = (resource: string) =>
      percent(plan.waste.find((each) => each.resource === resource)?.used ?? 0);
    const saved = at === 0 ? '' : percent((before.cost - plan.cost) / before.cost);
    return [
      words,
      count(),
      count('6-6'),
      money(plan.cost),
      saved,
      percent(plan.gap, 3),
      used('cpu'),
      used('memory'),
      used('network-interfaces'),
      used('cloud-disks'),
    ].join(' | ');
  });
  const causes = (plan: Plan) =>
    plan.waste
      .filter(({ resource }) => resource === 'cpu' || resource === 'memory')
      .flatMap(wasteWords)
      .map((words) => `- ${words}`);
  return `# A worked case: what a limit of interfaces and disks is worth

Made by \`node scripts/planning-case.ts\`; a test holds it to what the planner says.

Machines of 96 vCPU and 527 GiB (\`ebmc6\`, 13.2 an hour), with an offload card whose 12 cores are split 4+8 between network and storage, or 6:6. The Pods ([pods.csv](pods.csv)): 1,200 of 16 vCPU / 60 GiB with a cloud disk of 60 GiB, 300 of ingress that need 6 million packets a second each and so a card of 6:6, 26,000 small ones of middleware, 5,000 of caches, 8,000 offline ones on local NVMe. Each has a network interface of its own; all but ingress and offline have a cloud disk.

| limits of a machine | machines | with 6:6 | cost an hour | saved | proven gap | cpu used | memory used | interfaces used | disks used |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
${rows.map((row) => `| ${row} |`).join('\n')}

With 32 and 20:

${causes(before).join('\n')}

With 64 and 40:

${causes(plans[1] as Plan).join('\n')}

${CASES.map(({ name, words }) => `![${words}](${name}.svg)`).join('\n\n')}
`;
}

function percent(share: number, digits = 1): string {
  return `${(share * 100).toFixed(digits)} %`;
}

if (import.meta.main)
  for (const [name, text] of await planningCase()) writeFileSync(join(folder, name), text);
