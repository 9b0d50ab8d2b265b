import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resetPlan } from './reset.ts';

const OPEN_BMC = new Set([
  'On',
  'ForceOff',
  'ForceOn',
  'ForceRestart',
  'GracefulRestart',
  'GracefulShutdown',
  'PowerCycle',
  'Nmi',
]);
/** iDRAC of the 14th generation. */
const DELL = new Set(['On', 'ForceOff', 'ForceRestart', 'GracefulShutdown', 'PushPowerButton', 'Nmi']);

const types = (act: Parameters<typeof resetPlan>[0], allowed: ReadonlySet<string>) => {
  const plan = resetPlan(act, allowed);
  return typeof plan === 'string'
    ? plan
    : plan.map(({ type, untilOff }) => (untilOff ? `${type} until off` : type)).join(', ');
};

test('an act is the best reset that the BMC allows', () => {
  assert.equal(types('Reboot', OPEN_BMC), 'GracefulRestart');
  assert.equal(types('ForceReboot', OPEN_BMC), 'ForceRestart');
  assert.equal(types('PowerCycle', OPEN_BMC), 'PowerCycle');
  assert.equal(types('Nmi', OPEN_BMC), 'Nmi');
  assert.equal(types('PowerCycle', DELL), 'ForceOff until off, On');
  assert.equal(types('ForceReboot', new Set(['On', 'ForceOff'])), 'ForceOff until off, On');
  assert.equal(types('PowerOn', new Set(['ForceOn'])), 'ForceOn');
});

test('where there is none it says what would be needed and what there is', () => {
  assert.match(types('Reboot', DELL), /^its BMC does not allow GracefulRestart: it allows On, ForceOff/);
  assert.match(
    types('PowerCycle', new Set(['On'])),
    /does not allow PowerCycle, or ForceOff and On: it allows On/,
  );
  assert.match(types('Nmi', new Set()), /it allows nothing$/);
  assert.match(types('Release', OPEN_BMC), /no way to release/);
});
