// Types, stock and orders.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BULK_MAX } from '../../src/platform/providers/provider.ts';
import { KEY, seeded, TYPES, ZONES } from '../providers/ecs.ts';
import { fails, order, region } from './region.ts';

const [ZONE] = ZONES as [string];
const [TYPE] = TYPES.map(({ name }) => name) as [string];

describe('buying ECS instances', { concurrency: true }, () => {
  it('names and tags what it buys, each with a number', async () => {
    await using here = await region();
    const { ecs, market } = here;
    const ids = await market.create(order());
    const made = ecs.instances();
    assert.deepEqual(
      ids,
      made.map(({ id }) => id),
    );
    assert.deepEqual(
      made.map(({ name }) => name),
      ['promo-001', 'promo-002', 'promo-003'],
    );
    for (const { tags } of made)
      assert.deepEqual(Object.fromEntries(tags), { pool: 'promotion', 'drover.dev/owned': 'true' });
  });

  it('gets the same machines for the same token after a lost answer, and none twice', async () => {
    await using here = await region();
    const { ecs, market } = here;
    ecs.faults = { lostAnswers: true };
    await assert.rejects(market.create(order({ count: 100 })), fails('Unknown'));
    ecs.faults = {};
    const ids = await market.create(order({ count: 100 }));
    assert.deepEqual(await market.create(order({ count: 100 })), ids);
    assert.equal(ecs.instances().length, 100);
    await assert.rejects(market.create(order({ count: 99 })), fails('Refused', 'TokenMismatch'));
    assert.equal(ecs.instances().length, 100);
  });

  it('finds machines by their labels, and those only', async () => {
    await using here = await region({ durations: { visible_ms: 0 } });
    const { ecs, market } = here;
    seeded(ecs, 150, { pool: 'daily' });
    const labels = { pool: 'promotion', 'drover.dev/order': 'token-1' };
    const ids = await market.create(order({ labels, count: 100 }));
    assert.deepEqual(await market.find({ 'drover.dev/order': 'token-1' }), ids);
    assert.deepEqual(await market.find({ 'drover.dev/order': 'token-2' }), []);
  });

  it('waits while the first call with a token is still at work', async () => {
    await using here = await region({ durations: { order_ms: 1000 } });
    const { ecs, market } = here;
    const [first, second] = await Promise.all([market.create(order()), market.create(order())]);
    assert.deepEqual(first, second);
    assert.equal(ecs.instances().length, 3);
  });

  it('gets what there is, down to the least, and NoStock below it', async () => {
    await using here = await region();
    const { ecs, market } = here;
    ecs.setStock(ZONE, TYPE, 5);
    assert.equal((await market.create(order({ count: 100, least: 5 }))).length, 5);
    await assert.rejects(market.create(order({ token: 'token-2' })), fails('NoStock'));
    ecs.setStock(ZONE, TYPE, 1);
    await assert.rejects(market.create(order({ token: 'token-2', least: 2 })), fails('NoStock'));
    assert.equal((await market.create(order({ token: 'token-2' }))).length, 1, 'it has come back');
  });

  it('says NoStock of a zone for which it has no vSwitch, without asking', async () => {
    await using here = await region();
    const { market, answers } = here;
    await assert.rejects(market.create(order({ zone: 'cn-beijing-z' })), fails('NoStock', 'ZoneNotSetUp'));
    assert.deepEqual(answers('RunInstances'), {});
  });

  it('says Quota when the account is full, and makes none', async () => {
    await using here = await region({ accounts: [{ ...KEY, instancesMax: 10 }] });
    const { ecs, market } = here;
    seeded(ecs, 10);
    await assert.rejects(market.create(order()), fails('Quota'));
    assert.equal(ecs.instances().length, 10);
  });

  it('sends 32 KB of user data', async () => {
    await using here = await region();
    const { ecs, open } = here;
    const userData = 'é?>'.repeat(8_000);
    const launch = { imageId: 'img-1', vSwitches: [{ zone: ZONE, id: `vsw-${ZONE}` }], userData };
    await open({ launch }).market?.create(order());
    const sent = ecs.calls.find(({ action }) => action === 'RunInstances')?.parameters.get('UserData');
    assert.equal(Buffer.from(sent ?? '', 'base64').toString(), userData);
  });

  it('has no market where the spec does not say how machines are made', async () => {
    await using here = await region();
    const { open } = here;
    assert.equal(open({ launch: undefined }).market, undefined);
  });

  it('knows types and stock', async () => {
    await using here = await region();
    const { ecs, market } = here;
    ecs.setStock(ZONE, TYPE, 3);
    ecs.setStock('cn-beijing-b', TYPE, 0);
    assert.deepEqual(await market.offers([TYPE]), [
      { type: TYPE, zone: ZONE, stock: 'Scarce' },
      { type: TYPE, zone: 'cn-beijing-b', stock: 'None' },
    ]);
    const [type] = await market.types([TYPE, 'ecs.none.large']);
    assert.deepEqual(type, {
      name: TYPE,
      vcpus: 128,
      memory_bytes: 512 * 2 ** 30,
      architecture: 'amd64',
      enis: 32,
      disks: 17,
      pps: { receive: 24e6, send: 24e6 },
      bandwidth_bps: { receive: 64e9, send: 64e9 },
      localDisks: { count: 0, size_bytes: 0 },
      gpus: 0,
    });
  });
});

describe('buying ECS instances by the thousand', { concurrency: true }, () => {
  const small = { ...TYPES[0], name: 'ecs.g7.2xlarge', vcpus: 8, memory_gib: 32 } as (typeof TYPES)[number];
  const orElse = [{ type: TYPE, zone: ZONE }];
  const here = (more: object = {}) =>
    region({ types: [small, ...TYPES], durations: { visible_ms: 0 }, ...more });
  const bulk = (rest: object = {}) =>
    order({ type: small.name, count: 500, name: 'promo-', orElse, ...rest });

  it('is for as many as the types’ vCPUs allow, and not where RunInstances takes more', async () => {
    await using at = await here();
    assert.equal(await at.market.bulk?.([small.name]), BULK_MAX);
    assert.equal(await at.market.bulk?.([small.name, TYPE]), undefined);
  });

  it('is not there with a launch template, whose tags would go before ours', async () => {
    await using at = await here();
    const vSwitches = [{ zone: ZONE, id: `vsw-${ZONE}` }];
    assert.equal(at.open({ launch: { template: { id: 'lt-1' }, vSwitches } }).market?.bulk, undefined);
  });

  it('takes from one type and zone after the other, names and tags each, and finds them again', async () => {
    await using at = await here();
    const { ecs, market, answers } = at;
    ecs.setStock(ZONE, small.name, 40);
    const labels = { 'drover.dev/order': 'token-1' };
    const ids = await market.create(bulk({ count: 60, labels }));
    assert.equal(ids.length, 60);
    const made = ecs.instances();
    assert.deepEqual(
      [
        made.filter(({ type }) => type === small.name).length,
        made.filter(({ type }) => type === TYPE).length,
      ],
      [40, 20],
    );
    assert.deepEqual([made[0]?.name, made[59]?.name], ['promo-0001', 'promo-0060']);
    assert.deepEqual((await market.find(labels)).toSorted(), ids.toSorted());
    assert.deepEqual([answers('CreateAutoProvisioningGroup'), answers('RunInstances')], [{ OK: 1 }, {}]);
  });

  it('gets the same machines for the same token after a lost answer, and none twice', async () => {
    await using at = await here();
    const { ecs, market } = at;
    ecs.faults = { lostAnswers: true };
    const one = bulk({ orElse: [{ type: small.name, zone: ZONES[1] }] });
    await assert.rejects(market.create(one), fails('Unknown'));
    ecs.faults = {};
    const ids = await market.create(one);
    assert.deepEqual(await market.create(one), ids);
    assert.equal(ecs.instances().length, 500);
  });

  it('gets what there is, and NoStock or Quota where there is none', async () => {
    await using at = await here({ accounts: [{ ...KEY, instancesMax: 30 }] });
    const { ecs, market } = at;
    ecs.setStock(ZONE, small.name, 5);
    ecs.setStock(ZONE, TYPE, 0);
    assert.equal((await market.create(bulk({ count: 70 }))).length, 5);
    await assert.rejects(market.create(bulk({ count: 70, token: 'token-2' })), fails('NoStock'));
    ecs.setStock(ZONE, small.name, 100);
    assert.equal((await market.create(bulk({ count: 70, token: 'token-3' }))).length, 25);
    await assert.rejects(market.create(bulk({ count: 70, token: 'token-4' })), fails('Quota'));
    assert.equal(ecs.instances().length, 30);
  });

  it('says NoStock where no zone has a vSwitch, without asking', async () => {
    await using at = await here();
    const away = bulk({ zone: 'cn-beijing-z', orElse: [] });
    await assert.rejects(at.market.create(away), fails('NoStock', 'ZoneNotSetUp'));
    assert.deepEqual(at.answers('CreateAutoProvisioningGroup'), {});
  });
});
