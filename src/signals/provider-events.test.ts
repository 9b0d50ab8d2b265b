import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Machine } from '../api/machine.ts';
import { VirtualClock } from '../platform/clock/virtual.ts';
import type { Outside } from '../platform/outside.ts';
import { type MaintenanceEvent, ProviderError } from '../platform/providers/provider.ts';
import { machine, nodeView } from '../test-builders.ts';
import { Beliefs } from './beliefs.ts';
import { ProviderEvents } from './provider-events.ts';
import { symptomsOf } from './symptoms.ts';

const event = (
  id: string,
  does: MaintenanceEvent['does'],
  more: Partial<MaintenanceEvent> = {},
): MaintenanceEvent => ({
  id: `e-${id}-${does}`,
  machine: id,
  type: `SystemMaintenance.${does}`,
  does,
  state: 'Scheduled',
  reason: '',
  canAccept: false,
  ...more,
});

function setUp() {
  const clock = new VirtualClock();
  const beliefs = new Beliefs(clock, () => false);
  const machines: Machine[] = ['m1', 'm2'].map((name) => machine({}, { name }));
  for (const each of machines)
    beliefs.setMachine(each.metadata.name, each, nodeView({ name: each.metadata.name }));
  const open: { events: MaintenanceEvent[] | ProviderError } = { events: [] };
  const strangers: string[] = [];
  const errors: string[] = [];
  const maintenance = {
    open: async () => {
      if (open.events instanceof ProviderError) throw open.events;
      return open.events;
    },
    accept: async () => {},
  };
  const events = new ProviderEvents({
    beliefs,
    machines: () => machines,
    outside: () => ({ provider: { maintenance } }) as unknown as Outside,
    onStrangers: (provider, ids) => strangers.push(`${provider}: ${ids.join()}`),
    onError: (provider) => errors.push(provider),
  });
  const symptoms = (name: string) => {
    const belief = beliefs.get(name);
    return belief ? symptomsOf(belief, clock.now()).map((symptom) => symptom.name) : [];
  };
  return { clock, beliefs, open, events, strangers, errors, symptoms };
}

describe('what a provider announces', () => {
  it('is a symptom of its machine until it is closed, and of no other', async () => {
    const { open, events, symptoms } = setUp();
    open.events = [event('i-m1', 'Reboot')];
    await events.poll();
    assert.deepEqual([symptoms('m1'), symptoms('m2')], [['MaintenanceDue'], []]);
    open.events = [];
    await events.poll();
    assert.deepEqual(symptoms('m1'), []);
  });

  it('is the one that asks for more, where there are several', async () => {
    const { beliefs, open, events } = setUp();
    open.events = [event('i-m1', 'Reboot'), event('i-m1', 'Redeploy', { state: 'Inquiring' })];
    await events.poll();
    assert.equal(beliefs.get('m1')?.due?.value.does, 'Redeploy');
  });

  it('is no symptom where it is under way already, or is a person’s business', async () => {
    const { open, events, symptoms } = setUp();
    open.events = [event('i-m1', 'Reboot', { state: 'Executing' }), event('i-m2', 'Release')];
    await events.poll();
    assert.deepEqual([symptoms('m1'), symptoms('m2')], [[], []]);
  });

  it('stays known while the provider does not answer', async () => {
    const { open, events, symptoms, errors } = setUp();
    open.events = [event('i-m1', 'Reboot')];
    await events.poll();
    open.events = new ProviderError('TryAgain', 'away');
    await events.poll();
    assert.deepEqual([symptoms('m1'), errors], [['MaintenanceDue'], ['ecs']]);
  });

  it('for a machine that nobody named is told once, until it changes', async () => {
    const { open, events, strangers } = setUp();
    open.events = [event('i-other', 'Reboot')];
    await events.poll();
    await events.poll();
    open.events = [];
    await events.poll();
    assert.deepEqual(strangers, ['ecs: i-other', 'ecs: ']);
  });
});
