// System events from their announcement to their end.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MINUTE, SECOND } from '../../src/platform/clock/clock.ts';
import type { Maintenance } from '../../src/platform/providers/provider.ts';
import { seeded } from '../providers/ecs.ts';
import { fails, region, until } from './region.ts';

const stateOf = (ecs: { cloud: { events: ReadonlyMap<string, { state: string }> } }) =>
  [...ecs.cloud.events.values()][0]?.state;

describe('a system event', { concurrency: true }, () => {
  it('waits for consent, is scheduled, executed and over; consent twice is once', async () => {
    await using here = await region();
    const { ecs, provider, clock } = here;
    const [id] = seeded(ecs) as [string];
    const maintenance = provider.maintenance as Maintenance;
    const notBefore = clock.now() + 30 * SECOND;
    const { id: event } = ecs.announce({
      instance: id,
      type: 'SystemMaintenance.Reboot',
      state: 'Inquiring',
      notBefore,
    });
    const [open] = await maintenance.open();
    assert.deepEqual(
      { ...open, notBefore: undefined, reason: undefined },
      {
        id: event,
        machine: id,
        type: 'SystemMaintenance.Reboot',
        state: 'Inquiring',
        does: 'Reboot',
        canAccept: true,
        notBefore: undefined,
        reason: undefined,
      },
    );
    assert.match(
      (await provider.describe(id)).announced ?? '',
      /^SystemMaintenance.Reboot Inquiring, not before 20/,
    );
    await maintenance.accept(event);
    assert.equal((await maintenance.open())[0]?.state, 'Scheduled');
    await maintenance.accept(event);
    await until('it is executed', () => stateOf(ecs) === 'Executing');
    assert.equal(ecs.instances()[0]?.status, 'Starting', 'it reboots');
    await until('it is over', () => stateOf(ecs) === 'Executed');
    assert.deepEqual(await maintenance.open(), []);
    const [entry] = await provider.eventLog(id);
    assert.match(entry?.message ?? '', /SystemMaintenance.Reboot Executed/);
    await assert.rejects(maintenance.accept('e-unknown'), fails('Refused'));
  });

  it('is avoided by a reboot through the API before its time', async () => {
    await using here = await region();
    const { ecs, provider, clock } = here;
    const [id] = seeded(ecs) as [string];
    const maintenance = provider.maintenance as Maintenance;
    await maintenance.simulate?.(id, 'SystemMaintenance.Reboot', new Date(clock.now() + 10 * MINUTE));
    assert.equal((await maintenance.open()).length, 1);
    await provider.act(id, 'Reboot', 'key');
    assert.equal(stateOf(ecs), 'Avoided');
    assert.deepEqual(await maintenance.open(), []);
  });

  it('is seen on every page, or the call fails: half a list is none', async () => {
    await using here = await region();
    const { ecs, provider, clock } = here;
    const ids = seeded(ecs, 230);
    for (const instance of ids)
      ecs.announce({ instance, type: 'SystemFailure.Redeploy', state: 'Inquiring', notBefore: clock.now() });
    const maintenance = provider.maintenance as Maintenance;
    assert.equal(new Set((await maintenance.open()).map(({ machine }) => machine)).size, 230);
    ecs.faults = { down: true, only: (_, parameters) => parameters.has('NextToken') };
    await assert.rejects(maintenance.open(), fails('TryAgain'));
  });

  it('does not keep a machine from being looked at when events can’t be read', async () => {
    await using here = await region();
    const { ecs, provider } = here;
    const [id] = seeded(ecs) as [string];
    ecs.faults = { down: true, only: (action) => action === 'DescribeInstanceHistoryEvents' };
    const reading = await provider.describe(id);
    assert.equal(reading.power, 'On');
    assert.equal(reading.maintenance, undefined);
  });

  it('reports broken hardware to its owner', async () => {
    await using here = await region();
    const { ecs, provider } = here;
    const [id] = seeded(ecs) as [string];
    await provider.maintenance?.report?.(id, 'uncorrectable memory errors on DIMM 3');
    assert.deepEqual(ecs.cloud.reports, [
      { instance: id, reason: 'others', description: 'uncorrectable memory errors on DIMM 3' },
    ]);
  });
});
