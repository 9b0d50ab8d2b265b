import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatQuantity, NANO, parseQuantity } from '../../platform/kube/quantity.ts';
import { type Amounts, PlanError } from '../model.ts';
import { objectsIn } from './files.ts';
import { type ReadOptions, resourcesOf } from './resources.ts';
import type { Written } from './written.ts';

const apiVersion = 'drover.dev/v1alpha1';
const DAILY: ReadOptions = { tier: 'Daily', price: 'hour' };

const classOf = (spec: object, name = 'big'): Written => ({
  from: 'f, document 1',
  object: {
    apiVersion,
    kind: 'MachineClass',
    metadata: { name },
    spec: { resources: { cpu: 96, memory: '527Gi' }, prices: [{ tier: 'Daily', hour: '13.20' }], ...spec },
  } as Written['object'],
});
const profileOf = (spec: object, name = 'trade'): Written => ({
  from: 'f, document 2',
  object: {
    apiVersion,
    kind: 'WorkloadProfile',
    metadata: { name },
    spec: { kind: 'Core', resources: { cpu: 16 }, replicas: 1, ...spec },
  } as Written['object'],
});
const offerOf = (spec: object, options = DAILY) => {
  const [offer] = resourcesOf([classOf(spec)], options).offers;
  assert.ok(offer);
  return offer;
};
const workloadsOf = (profiles: Written[], options = DAILY, classes = [classOf({})]) =>
  resourcesOf([...classes, ...profiles], options).workloads;
const words = (amounts: Amounts | undefined) =>
  Object.fromEntries([...(amounts ?? [])].map(([name, amount]) => [name, formatQuantity(amount)]));

describe('the examples', () => {
  it('are read as the worked case has them', () => {
    const files = ['machine-class.yaml', 'workload-profile.yaml'];
    const written = files.flatMap((file) =>
      objectsIn(readFileSync(new URL(`../../../deploy/examples/${file}`, import.meta.url), 'utf8'), file),
    );
    const { offers, workloads } = resourcesOf(written, DAILY);
    const [ebmc6, trade] = [offers[0], workloads[0]];
    assert.equal(ebmc6?.from, 'machine-class.yaml, document 1, MachineClass/ebmc6');
    assert.deepEqual(words(ebmc6?.room), {
      cpu: '96',
      memory: '512Gi',
      pods: '110',
      'network-interfaces': '64',
      'cloud-disks': '40',
      bandwidth: '31250000Ki',
      'system-disk': '100Gi',
      nvme: '2',
      'nvme-storage': '3576Gi',
    });
    assert.deepEqual(
      ebmc6?.profiles?.map(({ name }) => name),
      ['4-8', '6-6'],
    );
    assert.equal(trade?.from, 'workload-profile.yaml, document 1, WorkloadProfile/trade');
    assert.equal(trade?.replicas, 9000);
    const { pps: _pps, iops: _iops, ...need } = words(trade?.need);
    assert.deepEqual(need, {
      cpu: '16',
      memory: '60Gi',
      pods: '1',
      'network-interfaces': '1',
      'cloud-disks': '1',
    });
    assert.deepEqual(
      [...(trade?.containers ?? [])].map(([role, amounts]) => [role, words(amounts)]),
      [
        ['Main', { cpu: '14', memory: '54Gi' }],
        ['Operations', { cpu: '1500m', memory: '4Gi' }],
        ['Helper', { cpu: '500m', memory: '2Gi' }],
      ],
    );
    assert.equal(trade?.cloudDiskSize, parseQuantity('60Gi'));
  });
});

describe('a class', () => {
  it('has what system and kube leave, of the machine and of each split of its card', () => {
    const offload = (name: string, pps: string) => ({
      name,
      cpus: { network: 6, storage: 6 },
      resources: { pps },
    });
    const offer = offerOf({
      offload: [offload('a', '6M'), offload('b', '9M')],
      partition: { system: { cpu: 4, pps: '1M' }, kube: { cpu: '2500m' } },
    });
    assert.equal(offer.room.get('cpu'), parseQuantity('89.5'));
    assert.deepEqual(
      offer.profiles?.map(({ room }) => room.get('pps')),
      [parseQuantity('5M'), parseQuantity('8M')],
    );
  });

  it('keeps for each part what it divides, and nothing where it divides nothing', () => {
    assert.equal(offerOf({ partition: { system: { cpu: 1 } } }).parts, undefined);
    const { parts } = offerOf({ partition: { online: { cpu: 80 }, offline: { cpu: 40 } } });
    assert.deepEqual([words(parts?.online), words(parts?.offline)], [{ cpu: '80' }, { cpu: '40' }]);
  });

  it('is had where it is in stock, and everywhere where nothing is said', () => {
    const anywhere = offerOf({});
    assert.deepEqual([anywhere.zones, anywhere.max, anywhere.kinds], [undefined, undefined, undefined]);
    const some = offerOf({
      stock: [{ zone: 'z1', machines: 5 }, { zone: 'z2' }],
      quota: 7,
      kinds: ['Ingress'],
    });
    assert.deepEqual(
      [some.zones, some.max, some.kinds],
      [[{ zone: 'z1', max: 5 }, { zone: 'z2' }], 7, ['Ingress']],
    );
  });

  it('costs what its tier says, by the hour, the month or once', () => {
    const prices = [
      { tier: 'Daily', hour: '13.20', month: '6336' },
      { tier: 'Promotion', hour: '0.000000001', oneOff: '5' },
    ];
    const cost = (tier: ReadOptions['tier'], price: ReadOptions['price']) =>
      offerOf({ prices }, { tier, price }).price;
    assert.deepEqual(
      [cost('Daily', 'hour'), cost('Daily', 'month'), cost('Promotion', 'hour'), cost('Promotion', 'oneOff')],
      [13_200_000_000n, 6336n * NANO, 1n, 5n * NANO],
    );
  });

  it('needs no price where none can be had', () => {
    assert.equal(offerOf({ prices: [], quota: 0 }).price, 0n);
    assert.equal(offerOf({ prices: [], stock: [{ zone: 'z1', machines: 0 }] }).price, 0n);
  });
});

describe('a profile', () => {
  it('needs exactly what its containers and the Pod as a whole need', () => {
    const amount = fc.oneof(
      fc
        .integer({ min: 0, max: 2 ** 40 })
        .map((milli) => ({ text: `${milli}m`, nano: BigInt(milli) * 1_000_000n })),
      fc
        .integer({ min: 0, max: 1 << 20 })
        .map((gib) => ({ text: `${gib}Gi`, nano: (BigInt(gib) << 30n) * NANO })),
      fc.integer({ min: 0, max: 1 << 20 }).map((whole) => ({ text: whole, nano: BigInt(whole) * NANO })),
    );
    const map = fc.dictionary(fc.constantFrom('cpu', 'memory', 'pps'), amount, { noNullPrototype: true });
    const role = fc.constantFrom('Main', 'Operations', 'Helper');
    const container = fc.record({ role, map });
    const textsOf = (amounts: Record<string, { text: string | number }>) =>
      Object.fromEntries(Object.entries(amounts).map(([name, { text }]) => [name, text]));
    fc.assert(
      fc.property(fc.array(container, { maxLength: 12 }), map, (containers, whole) => {
        const maps = [...containers.map((each) => each.map), whole];
        const sumOf = (of: typeof maps, name: string) =>
          of.reduce((sum, amounts) => sum + (amounts[name]?.nano ?? 0n), 0n);
        fc.pre(['cpu', 'memory', 'pps'].some((name) => sumOf(maps, name) > 0n));
        const profile = profileOf({
          containers: containers.map((each, at) => ({
            name: `c${at}`,
            role: each.role,
            resources: textsOf(each.map),
          })),
          resources: textsOf(whole),
        });
        const [workload] = workloadsOf([profile], DAILY, [
          classOf({ resources: { cpu: 1, memory: 1, pps: 1 } }),
        ]);
        for (const name of ['cpu', 'memory', 'pps']) {
          assert.equal(workload?.need.get(name) ?? 0n, sumOf(maps, name));
          for (const [its, amounts] of workload?.containers ?? [])
            assert.equal(
              amounts.get(name) ?? 0n,
              sumOf(
                containers.filter((each) => each.role === its).map((each) => each.map),
                name,
              ),
            );
        }
      }),
    );
  });

  it('needs one Pod, interface and cloud disk where a class has them, and what it says otherwise', () => {
    const classes = [
      classOf({ resources: { cpu: 96, pods: 110, 'network-interfaces': 64 } }),
      classOf({ resources: { cpu: 96, 'cloud-disks': 0 } }, 'small'),
    ];
    const resources = { cpu: 16, 'network-interfaces': 0 };
    const [usual, none] = workloadsOf([profileOf({}), profileOf({ resources }, 'none')], DAILY, classes);
    assert.deepEqual(words(usual?.need), { cpu: '16', pods: '1', 'network-interfaces': '1' });
    assert.deepEqual(words(none?.need), { cpu: '16', pods: '1', 'network-interfaces': '0' });
  });

  it('lives in the offline part if it is offline', () => {
    const [online, offline] = workloadsOf([
      profileOf({}),
      profileOf(
        { kind: 'Offline', perMachine: 2, spread: true, classes: ['big'], apart: ['trade'] },
        'batch',
      ),
    ]);
    assert.deepEqual(
      [online?.part, online?.kind, online?.classes, online?.perMachine],
      ['Online', 'Core', undefined, undefined],
    );
    assert.deepEqual(
      [offline?.part, offline?.kind, offline?.classes, offline?.perMachine],
      ['Offline', 'Offline', ['big'], 2],
    );
    assert.deepEqual([offline?.spread, offline?.apart], [true, ['trade']]);
  });

  it('has the replicas of a day from the last date before, and the most of all without a day', () => {
    const series = [
      { date: '2026-11-12', replicas: 40 },
      { date: '2026-11-10', replicas: 90 },
    ];
    const profiles = [profileOf({ replicas: 30, series }), profileOf({ replicas: 5 }, 'other')];
    const on = (at?: string) =>
      workloadsOf(profiles, { ...DAILY, ...(at !== undefined && { at }) }).map(({ replicas }) => replicas);
    assert.deepEqual(on(), [90, 5]);
    assert.deepEqual(['2026-11-09', '2026-11-10', '2026-11-11', '2026-12-01'].map(on), [
      [30, 5],
      [90, 5],
      [90, 5],
      [40, 5],
    ]);
  });

  it('may name what was read elsewhere', () => {
    const { offers } = resourcesOf([classOf({})], DAILY);
    const workloads = workloadsOf([profileOf({}, 'other')]);
    const profile = profileOf({ apart: ['other'], classes: ['big'] });
    assert.equal(resourcesOf([profile], DAILY, { offers, workloads }).workloads.length, 1);
    assert.throws(
      () => resourcesOf([profileOf({}, 'other')], DAILY, { offers, workloads }),
      new PlanError(
        'f, document 2, WorkloadProfile/other: metadata.name: "other" is there already, in f, document 2, WorkloadProfile/other; write it once',
      ),
    );
  });
});

const BIG = 'f, document 1, MachineClass/big: ';
const TRADE = 'f, document 2, WorkloadProfile/trade: ';
const card = (name: string, resources: object) => ({ name, cpus: { network: 4, storage: 8 }, resources });

const BAD: [what: string, written: Written[], message: string, options?: ReadOptions][] = [
  [
    'an amount under 0',
    [classOf({ resources: { cpu: '-3' } })],
    `${BIG}spec.resources.cpu: -3 is negative; 0 or more is wanted`,
  ],
  [
    'a number under 0',
    [profileOf({ resources: { cpu: -3 } })],
    `${TRADE}spec.resources.cpu: -3 is negative; 0 or more is wanted`,
  ],
  [
    'an unknown unit',
    [profileOf({ containers: [{ name: 'app', resources: { memory: '60GB' } }] })],
    `${TRADE}spec.containers[0].resources.memory: "60GB" is no quantity; write it like 16, 500m or 60Gi`,
  ],
  [
    'a broken number',
    [classOf({ resources: { cpu: 1.5 } })],
    `${BIG}spec.resources.cpu: "1.5" is no quantity; write it like 16, 500m or 60Gi, as text where it is no whole number`,
  ],
  [
    'no number',
    [classOf({ resources: { cpu: Number.NaN } })],
    `${BIG}spec.resources.cpu: "NaN" is no quantity; write it like 16, 500m or 60Gi, as text where it is no whole number`,
  ],
  ['a field that there is not', [profileOf({ perMachin: 3 })], `${TRADE}spec: Unrecognized key: "perMachin"`],
  [
    'prices of another tier only',
    [classOf({})],
    `${BIG}spec.prices: the prices of the tier Promotion are missing, there is only Daily; write { tier: Promotion, hour: "12.50" }`,
    { tier: 'Promotion', price: 'hour' },
  ],
  [
    'no price at all',
    [classOf({ prices: [] })],
    `${BIG}spec.prices: the prices of the tier Daily are missing, there are none; write { tier: Daily, hour: "12.50" }`,
  ],
  [
    'a price of another time only',
    [classOf({})],
    `${BIG}spec.prices[0].month: the price is missing, there is hour; write month: "12.50"`,
    { tier: 'Daily', price: 'month' },
  ],
  [
    'a price that is a number',
    [classOf({ prices: [{ tier: 'Daily', hour: 13.2 }] })],
    `${BIG}spec.prices[0].hour: write the price as text: "12.50"`,
  ],
  [
    'a price with a unit',
    [classOf({ prices: [{ tier: 'Daily', hour: '¥13' }] })],
    `${BIG}spec.prices[0].hour: is no price; write it like "12.50"`,
  ],
  [
    'two prices of a tier',
    [
      classOf({
        prices: [
          { tier: 'Daily', hour: '1' },
          { tier: 'Daily', hour: '2' },
        ],
      }),
    ],
    `${BIG}spec.prices: Daily is there twice; write it once`,
  ],
  [
    'two stocks of a zone',
    [classOf({ stock: [{ zone: 'z1' }, { zone: 'z1' }] })],
    `${BIG}spec.stock: z1 is there twice; write it once`,
  ],
  [
    'two splits of a name',
    [classOf({ offload: [card('a', { pps: 1 }), card('a', { pps: 2 })] })],
    `${BIG}spec.offload: a is there twice; write it once`,
  ],
  [
    'NVMe twice',
    [classOf({ resources: { nvme: 2 }, localNvme: { count: 2, size: '1Ti' } })],
    `${BIG}spec.resources.nvme: nvme is written in localNvme; leave it out of resources`,
  ],
  [
    'nothing on a machine',
    [classOf({ resources: { cpu: 0 } })],
    `${BIG}spec.resources: all amounts are 0: no Pod would fit on such a machine`,
  ],
  [
    'system and kube that keep more than there is',
    [classOf({ partition: { system: { memory: '400Gi' }, kube: { memory: '200Gi' } } })],
    `${BIG}spec.partition: system and kube keep 600Gi of memory, and the machine has 527Gi; let them keep less`,
  ],
  [
    'a host that keeps what one split of the card does not give',
    [classOf({ offload: [card('a', { pps: '6M' }), card('b', {})], partition: { system: { pps: 1 } } })],
    `${BIG}spec.partition: system and kube keep 1 of pps, and the machine has 0; let them keep less`,
  ],
  [
    'an offline part of more than is left',
    [classOf({ partition: { system: { cpu: 6 }, offline: { cpu: 91 } } })],
    `${BIG}spec.partition.offline.cpu: 91 is more than the 90 that system and kube leave; write at most that`,
  ],
  [
    'a class twice',
    [classOf({}), { ...classOf({}), from: 'g, document 7' }],
    'g, document 7, MachineClass/big: metadata.name: "big" is there already, in f, document 1; write it once',
  ],
  [
    'a profile that needs nothing',
    [profileOf({ containers: [{ name: 'app', resources: {} }], resources: { cpu: '0' } })],
    `${TRADE}spec.resources: all amounts are 0: a Pod that needs nothing fits anywhere, and can’t be planned for`,
  ],
  [
    'a profile that says nothing of its need',
    [profileOf({ resources: {} })],
    `${TRADE}spec.containers: say what the Pod needs: containers, or resources of the Pod as a whole`,
  ],
  [
    'a profile without replicas',
    [profileOf({ replicas: undefined })],
    `${TRADE}spec.replicas: say replicas, or a series of them by date`,
  ],
  [
    'a container twice',
    [profileOf({ containers: ['app', 'app'].map((name) => ({ name, resources: { cpu: 1 } })) })],
    `${TRADE}spec.containers: app is there twice; write it once`,
  ],
  [
    'a day twice',
    [profileOf({ series: [1, 2].map((replicas) => ({ date: '2026-11-11', replicas })) })],
    `${TRADE}spec.series: 2026-11-11 is there twice; write it once`,
  ],
  [
    'a day that the calendar does not have',
    [profileOf({ series: [{ date: '2026-02-30', replicas: 1 }] })],
    `${TRADE}spec.series[0].date: is no date; write it like 2026-11-11`,
  ],
  [
    'a profile apart from itself',
    [profileOf({ apart: ['trade'] })],
    `${TRADE}spec.apart[0]: it names itself; perMachine: 1 keeps Pods of one profile from one another`,
  ],
  [
    'a profile apart from one that is not there',
    [profileOf({ apart: ['other', 'none'] }), profileOf({}, 'other')],
    `${TRADE}spec.apart[1]: there is no WorkloadProfile "none"; there are trade, other`,
  ],
  [
    'a class that is not there',
    [classOf({}), classOf({}, 'small'), profileOf({ classes: ['big', 'huge'] })],
    `${TRADE}spec.classes[1]: there is no MachineClass "huge"; there are big, small`,
  ],
  [
    'a resource that no class has',
    [classOf({}), profileOf({ containers: [{ name: 'app', resources: { memroy: '60Gi' } }] })],
    `${TRADE}spec.containers[0].resources.memroy: no class has memroy; there are cpu, memory`,
  ],
  [
    'no Pods on the day',
    [profileOf({ replicas: undefined, series: [{ date: '2026-11-10', replicas: 9 }] })],
    'f, document 2, WorkloadProfile/trade: replicas are 0 on 2026-01-01, as those of all others: take a later date, or write replicas for the time before the first',
    { ...DAILY, at: '2026-01-01' },
  ],
  [
    'no Pods',
    [profileOf({ replicas: 0 })],
    'f, document 2, WorkloadProfile/trade: replicas are 0, as those of all others: there is nothing to plan for',
  ],
  [
    'a day that is none',
    [profileOf({})],
    '"11/11" is no date; write it like 2026-11-11',
    { ...DAILY, at: '11/11' },
  ],
  [
    'more classes than can be planned with',
    Array.from({ length: 501 }, (_, at) => classOf({}, `c${at}`)),
    'there are 501 MachineClasses; 500 at most can be planned with',
  ],
];

describe('classes and profiles are refused where there is', () => {
  for (const [what, written, message, options = DAILY] of BAD)
    it(what, () => assert.throws(() => resourcesOf(written, options), new PlanError(message)));
});
