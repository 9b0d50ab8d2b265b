import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Condition } from '../platform/kube/objects.ts';
import { ProviderError } from '../platform/providers/provider.ts';
import { reachableOf, strangersOf } from './show-providers.ts';
import { closedBy, OPEN, Ways } from './ways.ts';

const wrong = closedBy(
  new ProviderError('BadCredentials', 'the BMC b1 refuses the password of admin', {
    reason: 'WrongPassword',
  }),
);
const known = (...ways: [string, typeof OPEN][]) => ways.map(([machine, way]) => ({ machine, way }));

describe('a way to a machine', () => {
  it('is closed for the reason that its provider gave, and a time-out has a plain word', () => {
    assert.deepEqual(wrong, {
      open: false,
      reason: 'WrongPassword',
      message: 'the BMC b1 refuses the password of admin',
    });
    assert.equal(closedBy(new ProviderError('TryAgain', 'no answer within 15 s')).reason, 'NoAnswer');
    assert.equal(closedBy(new TypeError('x is undefined')).reason, 'Broken');
  });

  it('says the same while it is not asked again, so that no status is written each time', () => {
    const first = new ProviderError('TryAgain', 'no answer');
    const later = new ProviderError('TryAgain', 'not asked again before 10:00:04: no answer', {
      cause: first,
    });
    assert.deepEqual(closedBy(later), closedBy(first));
  });

  it('tells who listens only what is new', () => {
    const ways = new Ways();
    const told: string[] = [];
    ways.subscribe((machine) => told.push(machine));
    for (const way of [OPEN, { ...OPEN }, wrong, { ...wrong }, OPEN]) ways.set('m1', way);
    assert.equal(told.length, 3);
    for (const armed of [true, true, false]) ways.setArmed('m1', armed, 'boot-1');
    assert.equal(told.length, 5);
    assert.deepEqual([ways.knowsArmed('m1', 'boot-1'), ways.knowsArmed('m1', 'boot-2')], [true, false]);
    for (const health of ['', 'Drive Fault', 'Drive Fault']) ways.setHealth('m1', health);
    assert.equal(told.length, 7);
    for (let count = 0; count < 120; count++) ways.addWarnings('m1', 1);
    assert.deepEqual([told.length, ways.warnings('m1')], [10, 100]);
    ways.keepOnly(() => false);
    assert.deepEqual(
      [ways.get('m1'), ways.armed('m1'), ways.health('m1'), ways.warnings('m1')],
      [undefined, undefined, undefined, 0],
    );
  });
});

describe('a provider', () => {
  it('is reachable where it answers for some, and names those for whom it does not', () => {
    const some = reachableOf(known(['m1', OPEN], ['m2', wrong], ['m3', wrong]));
    assert.deepEqual([some.status, some.reason], ['True', 'AnswersForSome']);
    assert.equal(some.message, 'WrongPassword of m2, m3: the BMC b1 refuses the password of admin');
  });

  it('is not where it answers for none, for the reason of most', () => {
    const away = closedBy(new ProviderError('TryAgain', 'no answer'));
    const none = reachableOf(known(['m1', away], ['m2', wrong], ['m3', wrong]));
    assert.deepEqual([none.status, none.reason], ['False', 'WrongPassword']);
  });

  it('that announces for machines which nobody has named says for which, and takes it back', () => {
    const [some] = strangersOf(['i-1', 'i-2', 'i-3', 'i-4'], undefined);
    assert.deepEqual([some?.type, some?.status], ['UnknownMachines', 'True']);
    assert.match(some?.message ?? '', /no Machine names: i-1, i-2, i-3 and 1 more; import them/);
    const before = [{ ...some, lastTransitionTime: '' } as Condition];
    assert.equal(strangersOf([], before)[0]?.status, 'False');
    assert.deepEqual(strangersOf([], undefined), []);
  });

  it('with no machines, or none asked for yet, is not known', () => {
    assert.equal(reachableOf([]).status, 'Unknown');
  });
});
