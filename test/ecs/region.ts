// One region of the stand-in, and providers of it as Drover opens them. A minute of theirs is six seconds of ours.
import assert from 'node:assert/strict';
import { machineProviderKind } from '../../src/api/machine-provider.ts';
import type { Clock } from '../../src/platform/clock/clock.ts';
import { scaledClock } from '../../src/platform/clock/scaled.ts';
import { systemClock } from '../../src/platform/clock/system.ts';
import {
  type Failure,
  type Market,
  type Order,
  type Provider,
  ProviderError,
} from '../../src/platform/providers/provider.ts';
import { Outsides } from '../../src/platform/providers/registry.ts';
import { type EcsOptions, type EcsService, serveEcs } from '../../src/simulation/ecs/index.ts';
import { make } from '../../src/test-builders.ts';
import { KEY, specOf, TYPES, ZONES } from '../providers/ecs.ts';

const SPEED = 10;

export interface Region extends AsyncDisposable {
  ecs: EcsService;
  clock: Clock;
  provider: Provider;
  market: Market;
  /** Another provider of the same region. */
  open(rest?: object, secret?: Readonly<Record<string, string>>): Provider;
  /** Calls of this action that came, by what they were answered. */
  answers(action: string): Record<string, number>;
}

export async function region(options: Partial<EcsOptions> = {}): Promise<Region> {
  // Else the half second that it takes to load counts as five.
  await Promise.all([import('@alicloud/ecs20140526'), import('@alicloud/openapi-core')]);
  const clock = scaledClock(systemClock, SPEED, systemClock.random, systemClock.id);
  const ecs = await serveEcs({
    clock,
    region: 'cn-beijing',
    zones: ZONES,
    types: TYPES,
    accounts: [KEY],
    ...options,
  });
  const open = (rest: object = {}, secret: Readonly<Record<string, string>> = KEY) => {
    const object = make(machineProviderKind, 'ecs', {
      ...specOf(ecs.endpoint, rest),
      limits: { callsPerSecond: 1000, concurrentCalls: 32 },
    });
    return new Outsides({ clock, secrets: async () => secret }).get(object).provider;
  };
  const provider = open();
  return {
    ecs,
    clock,
    provider,
    market: provider.market as Market,
    open,
    answers: (action) => {
      const counts: Record<string, number> = {};
      for (const call of ecs.calls)
        if (call.action === action) counts[call.answer] = (counts[call.answer] ?? 0) + 1;
      return counts;
    },
    [Symbol.asyncDispose]: ecs.close,
  };
}

export const order = (rest: Partial<Order> = {}): Order => ({
  token: 'token-1',
  type: 'ecs.ebmg7.32xlarge',
  zone: 'cn-beijing-a',
  count: 3,
  least: 1,
  name: 'promo-',
  labels: { pool: 'promotion' },
  ...rest,
});

/** For assert.rejects: which failure it is, and its reason. */
export function fails(failure: Failure, reason?: string, says?: RegExp): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof ProviderError, `a ProviderError, not ${error}`);
    assert.equal(error.failure, failure, error.message);
    if (reason) assert.equal(error.reason, reason, error.message);
    if (says) assert.match(error.message, says);
    return true;
  };
}

/** Until it holds, by real time. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  within_ms = 10_000,
): Promise<void> {
  const deadline = systemClock.now() + within_ms;
  while (!(await holds())) {
    if (systemClock.now() > deadline) throw new Error(`not within ${within_ms} ms: ${what}`);
    await systemClock.sleep(10);
  }
}
