import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTable, type Table } from '../../platform/tables.ts';
import { offersOf, ownedOf, ratesIn, seriesIn, workloadsOf } from './tables.ts';

const table = (text: string): Promise<Table> =>
  readTable(
    (async function* () {
      yield new TextEncoder().encode(text);
    })(),
    'file.csv',
  );

test('Pods: quantities as Kubernetes writes them, an empty cell is none', async () => {
  const [web, batch] = workloadsOf(await table('name,replicas,cpu,memory\nweb,10,500m,60Gi\nbatch,3,2,\n'));
  assert.deepEqual(
    [web?.name, web?.replicas, web?.need.get('cpu'), web?.need.get('memory'), web?.from],
    ['web', 10, 500_000_000n, (60n << 30n) * 1_000_000_000n, 'file.csv, line 2'],
  );
  assert.equal(batch?.need.has('memory'), false);
});

test('types: a price, and stock where there is only so much', async () => {
  const [big, small] = offersOf(await table('name,price,cpu,max\nbig,12.5,96,40\nsmall,2,16,\n'));
  assert.deepEqual([big?.price, big?.max, small?.max], [12_500_000_000n, 40, undefined]);
});

test('Pods by date: a column for each, in which an empty cell changes nothing', async () => {
  const text = 'name,cpu,2026-11-12,2026-11-10,replicas\nweb,2,60,120,40\nbatch,1,,5,\n';
  assert.deepEqual(seriesIn(await table(text)), [
    {
      name: 'web',
      series: [
        { date: '2026-11-12', replicas: 60 },
        { date: '2026-11-10', replicas: 120 },
      ],
      replicas: 40,
    },
    { name: 'batch', series: [{ date: '2026-11-10', replicas: 5 }] },
  ]);
  const on = async (at?: string) => workloadsOf(await table(text), at).map(({ replicas }) => replicas);
  assert.deepEqual(await on(), [120, 5]);
  assert.deepEqual(await on('2026-11-09'), [40, 0]);
  assert.deepEqual(await on('2026-12-01'), [60, 5]);
  const [web] = workloadsOf(await table(text));
  assert.deepEqual([...(web?.need.keys() ?? [])], ['cpu']);
  await assert.rejects(
    async () => seriesIn(await table('name,cpu,2026-02-30\nweb,1,1\n')),
    /file.csv, line 1, column "2026-02-30": there is no such date/,
  );
  await assert.rejects(
    async () => seriesIn(await table('name,cpu,2026-11-10\nweb,1,-1\n')),
    /line 2, column "2026-11-10": -1 is negative/,
  );
});

test('what is rented costs what is said of that, and can’t be where nothing is', async () => {
  const types = await table('name,price,rented,cpu\nbig,12.5,30,96\nsmall,2,,16\n');
  const [hour, rented, small] = [12_500_000_000n, 30_000_000_000n, 2_000_000_000n];
  assert.deepEqual(
    [...ratesIn(types)],
    [
      ['big', { daily: { hour }, promotion: { hour: rented } }],
      ['small', { daily: { hour: small } }],
    ],
  );
  assert.deepEqual([...(offersOf(types)[0]?.room.keys() ?? [])], ['cpu']);
  assert.throws(() => offersOf(types, 'Promotion'), /line 3, column "rented": a price is missing/);
});

test('machines that are there have no price, and are of a known class', async () => {
  const offers = offersOf(await table('name,price,cpu,max\nbig,12.5,96,40\n'));
  const [owned] = ownedOf(await table('class,count,zone\nbig,7,a\n'), offers);
  assert.deepEqual(
    [owned?.price, owned?.owned, owned?.zones, owned?.max],
    [0n, true, [{ zone: 'a', max: 7 }], undefined],
  );
  await assert.rejects(
    async () => ownedOf(await table('class,count\nbigger,7\n'), offers),
    /line 2, column "class": "bigger" is no class; there are big/,
  );
  await assert.rejects(
    async () => ownedOf(await table('class,count,rack\nbig,7,1\n'), offers),
    /column "rack" is not known; there are class, count and zone/,
  );
});

const bad: [string, string, RegExp][] = [
  ['no replicas', 'name,cpu\nweb,1\n', /file.csv, line 1: the column "replicas" is missing/],
  ['a negative amount', 'name,replicas,cpu\nweb,1,-2\n', /line 2, column "cpu": -2 is negative/],
  [
    'NaN',
    'name,replicas,cpu\nweb,1,NaN\n',
    /line 2, column "cpu": "NaN" is no quantity; write it like 16, 0.5, 500m or 60Gi/,
  ],
  ['an unknown unit', 'name,replicas,memory\nweb,1,60GB\n', /column "memory": "60GB" is no quantity/],
  ['half a replica', 'name,replicas,cpu\nweb,1.5,2\n', /column "replicas": 1.5 is no whole number/],
  [
    'too many replicas',
    'name,replicas,cpu\nweb,1e9,2\n',
    /column "replicas": 1000000000 is more than 10000000/,
  ],
  ['no name', 'name,replicas,cpu\n,1,2\n', /column "name": a name of 1 to 253 characters/],
  ['a name twice', 'name,replicas,cpu\nweb,1,2\nweb,2,2\n', /line 3, column "name": "web" is there twice/],
  ['nothing needed', 'name,replicas,cpu\nweb,1,0\n', /line 2, column "cpu": all amounts are 0/],
  ['no rows', 'name,replicas,cpu\n', /there is no row under the header/],
  [
    'a million shapes',
    `name,replicas,cpu\n${Array.from({ length: 10_001 }, (_, at) => `web${at},1,1\n`).join('')}`,
    /10001 rows; 10000 shapes of Pods at most/,
  ],
];
for (const [what, text, words] of bad)
  test(`Pods: ${what}`, async () => {
    await assert.rejects(async () => workloadsOf(await table(text)), words);
  });

test('types: a price that is missing', async () => {
  await assert.rejects(
    async () => offersOf(await table('name,price,cpu\nbig,,96\n')),
    /line 2, column "price": a price is missing/,
  );
});
