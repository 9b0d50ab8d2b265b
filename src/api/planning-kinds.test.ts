// What the API server lets in as MachineClass and WorkloadProfile, and what it fills in.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { install } from '../fleet/install.ts';
import { VirtualClock } from '../platform/clock/virtual.ts';
import { KubeClient } from '../platform/kube/client.ts';
import type { KubeObject } from '../platform/kube/objects.ts';
import { EmbeddedApi } from '../simulation/api/index.ts';
import { typeMetaOf } from './crd.ts';
import type { Kind } from './kind.ts';
import { machineClassKind } from './machine-class.ts';
import { parseAs } from './parse.ts';
import { workloadProfileKind } from './workload-profile.ts';

const clock = new VirtualClock();
const client = new KubeClient(new EmbeddedApi({ clock }).transport({ user: 'admin' }), clock);

const objectOf = (kind: Kind, spec: object) =>
  ({ ...typeMetaOf(kind), metadata: { name: `o-${clock.id()}` }, spec }) as KubeObject & {
    spec: Record<string, unknown>;
  };
const create = (kind: Kind, spec: object) => client.create(kind.resource, objectOf(kind, spec), 'test');
const asClass = (spec: object) => ({ resources: { cpu: 96 }, ...spec });
const asProfile = (spec: object) => ({ kind: 'Core', resources: { cpu: 16 }, replicas: 1, ...spec });

describe('the API', async () => {
  await install(client, { defaults: false });

  it('fills in what a class and a profile leave out', async () => {
    const { spec: ofClass } = await create(machineClassKind, { resources: { cpu: 96, memory: '527Gi' } });
    assert.deepEqual(ofClass, {
      resources: { cpu: 96, memory: '527Gi' },
      prices: [],
      stock: [],
      partition: {},
      offload: [],
      kinds: [],
      parameters: {},
    });
    const containers = [{ name: 'app', resources: { cpu: '1500m' } }];
    const { spec } = await create(workloadProfileKind, { kind: 'Core', containers, replicas: 3 });
    assert.deepEqual(spec, {
      kind: 'Core',
      containers: [{ name: 'app', role: 'Main', resources: { cpu: '1500m' } }],
      resources: {},
      classes: [],
      spread: false,
      apart: [],
      replicas: 3,
      series: [],
    });
  });

  const REFUSED: [string, Kind, object, RegExp][] = [
    ['an amount under 0', machineClassKind, asClass({ resources: { cpu: -3 } }), /spec\.resources\.cpu.*-3/],
    [
      'a text under 0',
      machineClassKind,
      asClass({ resources: { cpu: '-3' } }),
      /spec\.resources\.cpu.*should match/,
    ],
    [
      'an unknown unit',
      machineClassKind,
      asClass({ resources: { memory: '60GB' } }),
      /spec\.resources\.memory.*should match/,
    ],
    ['a broken number', machineClassKind, asClass({ resources: { cpu: 1.5 } }), /spec\.resources\.cpu/],
    [
      'a price that is a number',
      machineClassKind,
      asClass({ prices: [{ tier: 'Daily', hour: 12.5 }] }),
      /spec\.prices\[0\]\.hour/,
    ],
    [
      'two prices of a tier',
      machineClassKind,
      asClass({ prices: [{ tier: 'Daily' }, { tier: 'Daily' }] }),
      /spec\.prices\[1\]: Duplicate value/,
    ],
    [
      'two stocks of a zone',
      machineClassKind,
      asClass({ stock: [{ zone: 'z1' }, { zone: 'z1', machines: 1 }] }),
      /spec\.stock\[1\]: Duplicate value/,
    ],
    [
      'a class that has nothing',
      machineClassKind,
      { resources: {} },
      /spec\.resources: Invalid value.*say what a machine has/,
    ],
    [
      'NVMe written twice',
      machineClassKind,
      asClass({ resources: { nvme: 2 }, localNvme: { count: 2, size: '1Ti' } }),
      /spec\.resources: .*nvme is written in localNvme; leave it out of resources/,
    ],
    [
      'more resources than can be planned with',
      machineClassKind,
      { resources: Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`r${at}`, 1])) },
      /spec\.resources: Too many/,
    ],
    ['an unknown kind of workload', machineClassKind, asClass({ kinds: ['Web'] }), /spec\.kinds\[0\]/],
    [
      'a profile without replicas',
      workloadProfileKind,
      { kind: 'Core', resources: { cpu: 1 } },
      /spec\.replicas: .*say replicas, or a series of them by date/,
    ],
    [
      'a profile that needs nothing',
      workloadProfileKind,
      { kind: 'Core', replicas: 1 },
      /spec\.containers: .*say what the Pod needs/,
    ],
    ['no kind', workloadProfileKind, { resources: { cpu: 1 }, replicas: 1 }, /spec\.kind: Required value/],
    [
      'a date that is none',
      workloadProfileKind,
      asProfile({ series: [{ date: '11/11', replicas: 1 }] }),
      /spec\.series\[0\]\.date/,
    ],
    [
      'a day twice',
      workloadProfileKind,
      asProfile({ series: [1, 2].map((replicas) => ({ date: '2026-11-11', replicas })) }),
      /spec\.series\[1\]: Duplicate value/,
    ],
    [
      'less than one on a machine',
      workloadProfileKind,
      asProfile({ perMachine: 0 }),
      /spec\.perMachine.*greater than or equal to 1/,
    ],
  ];
  for (const [what, kind, spec, message] of REFUSED)
    it(`refuses ${what}`, () => assert.rejects(create(kind, spec), message));

  it('lets in what our reader of it takes, and the other way round', async () => {
    for (const written of [
      '0',
      96,
      '500m',
      '60Gi',
      '.5',
      '1.',
      '2e3',
      '1E',
      '1e',
      '+1',
      '1 Gi',
      '',
      '1e999',
    ]) {
      const spec = { resources: { cpu: written, memory: 1 } };
      const read = parseAs(machineClassKind, objectOf(machineClassKind, spec)).ok;
      const taken = await create(machineClassKind, spec).then(
        () => true,
        () => false,
      );
      assert.equal(taken, read, JSON.stringify(written));
    }
  });
});
