import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseQuantity } from '../platform/kube/quantity.ts';
import { brokenPlan, type FilledMachines, type PlanToCheck } from './check-plan.ts';
import { NO_WISHES, type Offer, type Workload } from './model.ts';

const amounts = (written: Record<string, string>) =>
  new Map(Object.entries(written).map(([name, text]) => [name, parseQuantity(text) as bigint]));
const web: Workload = {
  name: 'web',
  from: 'test',
  replicas: 4,
  need: amounts({ cpu: '10', memory: '8Gi' }),
  part: 'Online',
  apart: [],
  spread: true,
};
const offer: Offer = {
  name: 'm',
  from: 'test',
  room: amounts({ cpu: '20', memory: '64Gi' }),
  price: 10n,
  owned: false,
  max: 3,
  zones: [{ zone: 'a', max: 2 }, { zone: 'b' }],
  profiles: [{ name: '4-8', room: amounts({ pps: '6M' }) }],
};
const machine = (zone: string, more: Partial<FilledMachines> = {}): FilledMachines => ({
  offer,
  zone,
  profile: '4-8',
  count: 1,
  pods: [{ workload: web, count: 2 }],
  ...more,
});
const right: PlanToCheck = {
  workloads: [web],
  wishes: NO_WISHES,
  zones: ['a', 'b'],
  machines: [machine('a'), machine('b')],
  unplaced: {},
};

test('a plan that keeps everything has nothing to complain of', () => {
  assert.deepEqual(brokenPlan(right), []);
});

/** With another workload and another offer in the place of the right ones. */
const withWorkload = (more: Partial<Workload>): Partial<PlanToCheck> => {
  const workload = { ...web, ...more };
  const machines = right.machines.map((each) => ({ ...each, pods: [{ workload, count: 2 }] }));
  return { workloads: [workload], machines };
};
const withOffer = (more: Partial<Offer>): Partial<PlanToCheck> => {
  const other = { ...offer, ...more };
  return { machines: right.machines.map((each) => ({ ...each, offer: other })) };
};
const db: Workload = { ...web, name: 'db', replicas: 1, need: amounts({ memory: '1Gi' }), spread: false };

const wrong: [string, Partial<PlanToCheck>, RegExp][] = [
  [
    'a resource that is not there',
    withWorkload({ need: amounts({ cpu: '11' }) }),
    /m: there is too little cpu/,
  ],
  [
    'a resource of which the machine has none',
    withWorkload({ need: amounts({ gpu: '1' }) }),
    /too little gpu/,
  ],
  ['headroom', { wishes: { ...NO_WISHES, headroom: 1 } }, /there is too little cpu/],
  [
    'a part',
    withOffer({ parts: { online: amounts({ cpu: '19' }), offline: amounts({}) } }),
    /too little cpu for online Pods/,
  ],
  ['a class that is not allowed', withWorkload({ classes: ['other'] }), /web may not be on it/],
  [
    'a kind that does not suit',
    {
      workloads: [{ ...web, kind: 'Core' }],
      machines: [
        machine('a', {
          offer: { ...offer, kinds: ['Offline'] },
          pods: [{ workload: { ...web, kind: 'Core' }, count: 2 }],
        }),
      ],
    },
    /web does not suit it/,
  ],
  ['too many on a machine', withWorkload({ perMachine: 1 }), /2 of web, of which 1 may be/],
  [
    'a pair that may not meet',
    {
      workloads: [web, { ...db, apart: ['web'] }],
      machines: [
        machine('a', {
          pods: [
            { workload: web, count: 2 },
            { workload: { ...db, apart: ['web'] }, count: 1 },
          ],
        }),
        machine('b'),
      ],
      unplaced: { db: 1 },
    },
    /db is beside web/,
  ],
  ['stock of a zone', { machines: [machine('a', { count: 3 })] }, /there are 3 in a, and 2 at most/],
  ['a quota', { machines: [machine('b', { count: 4 })] }, /m: there are 4, and 3 at most/],
  ['a zone in which there are none', { machines: [machine('c'), machine('b')] }, /not to be had in c/],
  [
    'an offload profile that it has not',
    { machines: [machine('a', { profile: '6-6' }), machine('b')] },
    /no offload profile 6-6/,
  ],
  ['half a machine', { machines: [machine('a', { count: 0.5 }), machine('b')] }, /there are 0.5/],
  ['a Pod that is missing', { machines: [machine('a')] }, /web: 2 of 4 are accounted for/],
  ['a Pod that is there twice', { unplaced: { web: 1 } }, /web: 5 of 4/],
  ['what is not spread', { machines: [machine('b', { count: 2 })] }, /not spread evenly, but 0, 4/],
  [
    'a zone that may not be lost',
    { wishes: { ...NO_WISHES, loseZone: true } },
    /with a zone lost 2 of 4 are left/,
  ],
  [
    'too many classes',
    {
      wishes: { ...NO_WISHES, typesMax: 1 },
      machines: [machine('a'), machine('b', { offer: { ...offer, name: 'n' } })],
    },
    /there are 2 classes, and 1 were wished/,
  ],
  [
    'a share, spares and all',
    { wishes: { ...NO_WISHES, shareMax: 60 } },
    /2 of 2 machines are m, more than 60 %/,
  ],
];
for (const [what, change, words] of wrong)
  test(`it finds ${what}`, () => {
    assert.match(brokenPlan({ ...right, ...change }).join('; '), words);
  });
