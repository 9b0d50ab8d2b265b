// Looking at instances and acting on them, against our stand-in for the ECS API.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SECOND } from '../../src/platform/clock/clock.ts';
import type { Listed, Provider } from '../../src/platform/providers/provider.ts';
import { seeded } from '../providers/ecs.ts';
import { fails, order, region, until } from './region.ts';

const OWNED = { 'drover.dev/owned': 'true' };

describe('looking at ECS instances', { concurrency: true }, () => {
  it('asks for 250 machines at once in three calls', async () => {
    await using here = await region();
    const { ecs, provider, answers } = here;
    const ids = seeded(ecs, 250);
    const readings = await Promise.all(ids.map((id) => provider.describe(id)));
    assert.ok(readings.every(({ power }) => power === 'On'));
    assert.deepEqual(answers('DescribeInstances'), { OK: 3 });
    assert.deepEqual(answers('DescribeInstanceHistoryEvents'), { OK: 1 });
  });

  it('says Unknown, never NotFound or Off, of a new instance that is not shown yet', async () => {
    await using here = await region({ durations: { visible_ms: 30 * SECOND } });
    const { ecs, provider, market } = here;
    const [id] = (await market.create(order({ count: 1 }))) as [string];
    const first = await provider.describe(id);
    assert.equal(first.power, 'Unknown');
    await assert.rejects(provider.act(id, 'ForceReboot', 'key'), fails('TryAgain', 'NotShownYet'));
    await until('it is shown and runs', async () => (await provider.describe(id)).power === 'On');
    ecs.cloud.remove(ecs.instances()[0] as never);
    await assert.rejects(provider.describe(id), fails('NotFound'));
  });

  it('waits for the next minute where its pages are throttled, and loses none', async () => {
    await using here = await region({ limits: { DescribeInstances: 4 } });
    const { ecs, provider, answers } = here;
    const ids = seeded(ecs, 1000);
    const all = (await Array.fromAsync(provider.list())).flat();
    assert.deepEqual(all.map(({ id }) => id).sort(), [...ids].sort());
    const { 'Throttling.User': throttled = 0 } = answers('DescribeInstances');
    assert.ok(throttled > 0 && throttled < 10, `${throttled} refused: it does not knock again and again`);
  });

  it('ends a list in an error where a page does not come', async () => {
    await using here = await region();
    const { ecs, provider } = here;
    seeded(ecs, 250);
    let pages = 0;
    ecs.faults = {
      down: true,
      only: (action, parameters) => action === 'DescribeInstances' && parameters.has('NextToken'),
    };
    await assert.rejects(async () => {
      for await (const _page of provider.list()) pages++;
    }, fails('TryAgain'));
    assert.equal(pages, 1);
  });

  it('shows what an instance is', async () => {
    await using here = await region();
    const { ecs, provider } = here;
    seeded(ecs, 1, { pool: 'daily' });
    const [page] = (await Array.fromAsync(provider.list())) as [Listed[]];
    const { createdAt, ...rest } = page[0] as Listed;
    assert.equal(typeof createdAt, 'number');
    const id = ecs.instances()[0]?.id;
    const facts = { name: 'node-1', model: 'ecs.ebmg7.32xlarge', serial: 'serial-1', zone: 'cn-beijing-a' };
    assert.deepEqual(rest, { id, ...facts, address: '10.0.0.1', power: 'On', labels: { pool: 'daily' } });
  });
});

// By itself: it keeps this process busy for longer than others may wait for an answer.
describe('a list of ECS instances', () => {
  it('lists 50,000 instances, each once, while the list changes', async () => {
    await using here = await region();
    const { ecs, provider, answers } = here;
    const ids = seeded(ecs, 50_000);
    ecs.faults = { overlap: 7 };
    const all: Listed[] = [];
    const gone = new Set<string>();
    for await (const page of provider.list()) {
      all.push(...page);
      const late = ids[ids.length - 1 - gone.size] as string;
      gone.add(late);
      ecs.cloud.remove(ecs.cloud.instances.get(late) as never);
      seeded(ecs, 1);
    }
    const seen = new Set(all.map(({ id }) => id));
    assert.equal(seen.size, all.length, 'none twice');
    assert.deepEqual(
      ids.filter((id) => !gone.has(id) && !seen.has(id)),
      [],
      'all that were there all the time',
    );
    const { OK = 0 } = answers('DescribeInstances');
    assert.ok(OK >= 500, `${OK} pages`);
  });
});

describe('acting on ECS instances', { concurrency: true }, () => {
  it('does not know what became of a reboot whose answer was lost, and does not send it again', async () => {
    await using here = await region();
    const { ecs, provider, answers } = here;
    const [id] = seeded(ecs) as [string];
    ecs.faults = { lostAnswers: true, only: (action) => action === 'RebootInstances' };
    await assert.rejects(provider.act(id, 'ForceReboot', 'key'), fails('Unknown'));
    assert.deepEqual(answers('RebootInstances'), { Lost: 1 });
    assert.equal(ecs.instances()[0]?.status, 'Starting', 'it happened');
  });

  it('does not know what became of an act that hangs, or is answered by a gateway', async () => {
    await using here = await region();
    const { ecs, provider } = here;
    const [id] = seeded(ecs) as [string];
    const acts = (action: string) => action === 'RebootInstances';
    ecs.faults = { notJson: true, only: acts };
    await assert.rejects(provider.act(id, 'Reboot', 'key-1'), fails('Unknown'));
    ecs.faults = { down: true, only: acts };
    await assert.rejects(provider.act(id, 'Reboot', 'key-2'), fails('Unknown'));
    ecs.faults = { hang: true, only: acts };
    await assert.rejects(
      provider.act(id, 'Reboot', 'key-3'),
      fails('Unknown', undefined, /no answer within/),
    );
    ecs.faults = { notJson: true };
    await assert.rejects(provider.describe(id), fails('TryAgain'));
  });

  it('gets a machine that hangs in shutting down out of it by its power', async () => {
    await using here = await region();
    const { ecs, provider, answers } = here;
    const [id] = seeded(ecs) as [string];
    const instance = ecs.instances()[0] as { status: string };
    instance.status = 'Stopping';
    await assert.rejects(provider.act(id, 'Reboot', 'key-1'), fails('TryAgain', 'WrongState'));
    await provider.act(id, 'ForceReboot', 'key-2');
    await until('it runs', () => instance.status === 'Running');
    assert.deepEqual(answers('RebootInstances'), {});
    assert.deepEqual([answers('StopInstances'), answers('StartInstances')], [{ OK: 1 }, { OK: 1 }]);
  });

  it('refuses by name what a locked instance, or a virtual machine, or bare metal cannot', async () => {
    await using here = await region();
    const { ecs, provider } = here;
    const [id] = seeded(ecs) as [string];
    const can = async () => (await provider.describe(id)).can;
    assert.match(String((await can()).Nmi), /no NMI for bare-metal/);
    (ecs.instances()[0] as { type: string }).type = 'ecs.g7.large';
    assert.equal((await can()).Nmi, true);
    await provider.act(id, 'Nmi', 'key-nmi');
    assert.match((await provider.console(id))[0] ?? '', /boot 2/);
    (ecs.instances()[0] as { isLocked: boolean }).isLocked = true;
    assert.match(String((await can()).Reboot), /locked the instance \(security\)/);
    await assert.rejects(provider.act(id, 'Reboot', 'key'), fails('Refused', undefined, /locked/));
  });

  it('gives back only what is tagged as Drover’s and not protected, and counts what is gone as given back', async () => {
    await using here = await region({ durations: { visible_ms: 0 } });
    const { ecs, provider, market } = here;
    const [foreign] = seeded(ecs) as [string];
    await assert.rejects(
      provider.act(foreign, 'Release', 'key-1'),
      fails('Refused', undefined, /drover.dev\/owned=true/),
    );
    const [held] = seeded(ecs, 1, OWNED) as [string];
    (ecs.cloud.instances.get(held) as { deletionProtection: boolean }).deletionProtection = true;
    await assert.rejects(
      provider.act(held, 'Release', 'key-2'),
      fails('Refused', undefined, /deletion protection/),
    );
    const [bought] = (await market.create(order({ count: 1 }))) as [string];
    await assert.rejects(provider.act(bought, 'Release', 'key-3'), fails('TryAgain', 'Initializing'));
    await until('it runs', async () => (await provider.describe(bought)).power === 'On');
    ecs.faults = { lostAnswers: true, only: (action) => action === 'DeleteInstances' };
    await assert.rejects(provider.act(bought, 'Release', 'key-4'), fails('Unknown'));
    ecs.faults = {};
    await provider.act(bought, 'Release', 'key-4');
    assert.deepEqual(ecs.cloud.released, [bought]);
  });
});

describe('the console of an instance', () => {
  it('comes in lines', async () => {
    await using here = await region();
    const { ecs, provider } = here;
    const [id] = seeded(ecs) as [string];
    assert.deepEqual(await lines(provider, id), [
      '[    0.000000] Linux version 5.10.134-19.al8.x86_64, boot 1',
      'node-1 login: ',
    ]);
  });
});

const lines = (provider: Provider, id: string) => provider.console(id);
