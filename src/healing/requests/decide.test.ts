import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { remediationKind } from '../../api/remediation.ts';
import { at, beliefOf, incident, make, NOW, operation, policy, SILENT } from '../../test-builders.ts';
import { type Asked, decide, LOOK_MS, TIMED_OUT } from './decide.ts';

const made = { uid: 'u1', namespace: 'ns', creationTimestamp: at(0) };
const request = (spec = {}, status = {}, metadata = {}) =>
  make(remediationKind, 'm1', spec, status, { ...made, ...metadata });
const late = { annotations: { [TIMED_OUT]: at(300) } };
const reboot = (status = {}, spec = {}) =>
  operation({ reason: { kind: 'Remediation', name: 'ns/m1' }, ...spec }, status, { name: 'remediation-u1' });

const asked = (more: Partial<Asked> = {}): Asked => ({
  request: request({ strategy: 'Reboot' }),
  belief: beliefOf(),
  policy: policy({ mode: 'Heal' }),
  rebootsToday: 0,
  now: NOW + LOOK_MS,
  ...more,
});

const waiting = { reason: 'BudgetFull', message: '3 of 3' };
const admittedAt = at(0);
const intent = { key: 'k', at: at(1) };
const over = (state: string) => ({ state, admittedAt, endedAt: at(9) });

const TABLE: readonly [what: string, given: Partial<Asked>, reason: string, says: string, does?: string][] = [
  ['no Machine is that', { unknown: { reason: 'NodeNotFound', message: '' } }, 'NodeNotFound', 'no False'],
  ['it has just come', { now: NOW + LOOK_MS - 1 }, 'Looking', 'yes Unknown'],
  ['nobody has looked yet', { belief: undefined }, 'Looking', 'yes Unknown'],
  ['one witness misses it, and no incident is open', { belief: beliefOf(SILENT) }, 'Looking', 'yes Unknown'],
  ['the template only observes', { request: request() }, 'NothingFound', 'no False'],
  ['the policy only observes', { policy: policy({ mode: 'Observe' }) }, 'ObserveOnly', 'no False'],
  ['no policy selects the machine', { policy: undefined }, 'ObserveOnly', 'no False'],
  [
    'it is not well, and no policy selects it',
    { policy: undefined, belief: beliefOf(SILENT) },
    'ObserveOnly',
    'no False',
  ],
  ['the template says Reboot', {}, 'Asked', 'yes Unknown', 'Ask'],
  [
    'it was rebooted often enough today',
    { rebootsToday: 3, policy: policy({ mode: 'Heal', maxRebootsPerDay: 3 }) },
    'RepeatOffender',
    'no False',
  ],
  [
    'the health check waits no more',
    { request: request({ strategy: 'Reboot' }, {}, late) },
    'TimedOut',
    'no False',
  ],
  ['the reboot waits', { operation: reboot({ waiting }) }, 'BudgetFull', 'yes Unknown'],
  ['the reboot is under way', { operation: reboot({ admittedAt, intent }) }, 'Rebooting', 'yes Unknown'],
  [
    'the health check gives up before it touched the machine',
    { operation: reboot({ waiting }), request: request({}, {}, late) },
    'TimedOut',
    'no False',
    'Cancel',
  ],
  [
    'the health check gives up while it drains',
    { operation: reboot({ admittedAt }), request: request({}, {}, late) },
    'TimedOut',
    'no False',
    'Cancel',
  ],
  [
    'the health check gives up after it was done',
    { operation: reboot({ admittedAt, intent }), request: request({}, {}, late) },
    'Rebooting',
    'yes Unknown',
  ],
  [
    'it has been called off already',
    { operation: reboot({}, { cancelled: true }), request: request({}, {}, late) },
    'TimedOut',
    'no False',
  ],
  ['the reboot has worked', { operation: reboot(over('Succeeded')) }, 'Rebooted', 'no True'],
  ['the reboot has failed', { operation: reboot(over('Failed')) }, 'RebootFailed', 'no False'],
  ['the reboot was called off', { operation: reboot(over('Cancelled')) }, 'Cancelled', 'no False'],
  ['Drover sees it too', { open: incident({ stage: 'Healing' }) }, 'IncidentOpen', 'yes Unknown'],
  [
    'Drover sees it too, and the health check gives up: the incident goes on',
    { open: incident({ stage: 'Healing' }), request: request({}, {}, late) },
    'IncidentOpen',
    'yes Unknown',
  ],
  [
    'Drover sees it after all, before the reboot was let through',
    { open: incident({ stage: 'Located' }), operation: reboot({ waiting }) },
    'IncidentOpen',
    'yes Unknown',
    'Cancel',
  ],
  [
    'Drover sees it while its reboot is under way',
    { open: incident({ stage: 'Located' }), operation: reboot({ admittedAt }) },
    'Rebooting',
    'yes Unknown',
  ],
  [
    'a limit holds the remedy: nobody shall go past it',
    { open: incident({ stage: 'Escalated', waiting: { reason: 'HeldTooLong', message: '' } }) },
    'IncidentOpen',
    'yes Unknown',
  ],
  [
    'a person has been called',
    { open: incident({ stage: 'Escalated', waiting: { reason: 'LadderEnded', message: '' } }) },
    'Escalated',
    'no False',
  ],
  [
    'Drover only observes the trouble',
    { open: incident({ stage: 'Located', waiting: { reason: 'ObserveOnly', message: '' } }) },
    'ObserveOnly',
    'no False',
  ],
  ['Drover has healed it', { followed: incident({ stage: 'Healed', endedAt: at(9) }) }, 'Healed', 'no True'],
  [
    'it came back by itself',
    { followed: incident({ stage: 'Recovered', endedAt: at(9) }) },
    'Recovered',
    'no True',
  ],
];

describe('a request of a health check', () => {
  for (const [what, given, reason, says, does] of TABLE) {
    it(`${what}: ${reason}`, () => {
      const verdict = decide(asked(given));
      const said = `${verdict?.processing ? 'yes' : 'no'} ${verdict?.succeeded}`;
      assert.deepEqual([verdict?.reason, said, verdict?.do], [reason, says, does]);
    });
  }

  it('is never asked for again when what was done for it is no longer kept', () => {
    for (const status of [{ operation: 'remediation-u1' }, { incident: 'm1-x' }])
      assert.equal(decide(asked({ request: request({ strategy: 'Reboot' }, status) })), undefined);
  });
});
