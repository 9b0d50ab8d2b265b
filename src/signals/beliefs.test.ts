import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { incidentKind } from '../api/incident.ts';
import type { Probe } from '../platform/hosts/prober.ts';
import type { LogEntry } from '../platform/providers/provider.ts';
import { CONSOLE_LINES, machine, nodeView, reading, steppedClock } from '../test-builders.ts';
import { isSuspect, leaseState } from './belief.ts';
import { Beliefs } from './beliefs.ts';
import { symptomsOf } from './symptoms.ts';

const ANSWERS: Probe = { ssh: 'Answers', kubelet: 'Answers' };
const DEAD: Probe = { ssh: 'Timeout', kubelet: 'Timeout' };

/** One machine, well and probed once. */
function watched({ planned = false } = {}) {
  const clock = steppedClock();
  const beliefs = new Beliefs(clock, () => planned);
  beliefs.setMachine('m1', machine(), nodeView());
  beliefs.setProbe('m1', ANSWERS);
  const belief = () => beliefs.get('m1') as NonNullable<ReturnType<typeof beliefs.get>>;
  const symptoms = () => symptomsOf(belief(), clock.now()).map((symptom) => symptom.name);
  const ago = (time: number | undefined) => (time === undefined ? undefined : (clock.now() - time) / 1000);
  return { clock, beliefs, belief, symptoms, ago };
}

describe('a boot id', () => {
  it('that is the first we see is no news: it may be a year old', () => {
    const { belief, symptoms } = watched();
    assert.equal(belief().rebootedAt, undefined);
    assert.equal(belief().boot.value, 'boot-1');
    assert.deepEqual(symptoms(), []);
  });

  it('that changes by itself is a symptom for 20 s, and then the state of the machine counts', () => {
    const { clock, beliefs, belief, symptoms } = watched();
    clock.step(3600);
    beliefs.setNode('m1', nodeView({ bootID: 'boot-2' }));
    assert.equal(belief().rebootedAt, clock.now());
    assert.deepEqual(symptoms(), ['Rebooted']);
    clock.step(20);
    beliefs.reconsider('m1');
    assert.deepEqual(symptoms(), []);
    assert.equal(belief().wellSince, clock.now());
  });

  it('that changes during an operation of ours is no symptom', () => {
    const { clock, beliefs, belief, symptoms } = watched({ planned: true });
    beliefs.setNode('m1', nodeView({ bootID: 'boot-2' }));
    assert.deepEqual(symptoms(), []);
    assert.deepEqual(belief().boot, { value: 'boot-2', since: clock.now() });
    assert.equal(belief().rebootedAt, undefined);
  });

  it('that is missing for a while, and is the same again, is no reboot', () => {
    const { beliefs, belief } = watched();
    beliefs.setNode('m1', nodeView({ bootID: '' }));
    beliefs.setNode('m1', undefined);
    beliefs.setNode('m1', nodeView());
    assert.equal(belief().rebootedAt, undefined);
  });

  it('of another Node, since the Machine has been given one, is no reboot', () => {
    const { beliefs, belief } = watched();
    beliefs.setMachine('m1', machine({ nodeName: 'other' }), nodeView({ name: 'other', bootID: 'boot-9' }));
    assert.equal(belief().rebootedAt, undefined);
    assert.equal(beliefs.machineOf('home', 'm1'), undefined);
    assert.equal(beliefs.machineOf('home', 'other'), 'm1');
  });
});

describe('sick and well', () => {
  it('are told from when we saw the change, and the first sign counts', () => {
    const { clock, beliefs, belief, symptoms, ago } = watched();
    assert.equal(ago(belief().wellSince), 0);
    clock.step(60);
    beliefs.setProbe('m1', { ssh: 'Timeout', kubelet: 'Answers' });
    assert.equal(belief().wellSince, undefined);
    clock.step(4);
    beliefs.setProbe('m1', DEAD);
    clock.step(6);
    beliefs.setProbe('m1', DEAD);
    assert.deepEqual(symptoms(), ['SshSilent', 'KubeletSilent']);
    assert.deepEqual(
      [belief().sickSince, belief().ssh?.since, belief().kubelet?.since].map(ago),
      [10, 10, 6],
    );
    beliefs.setProbe('m1', ANSWERS);
    assert.equal(belief().sickSince, undefined);
    clock.step(7);
    beliefs.setProbe('m1', ANSWERS);
    assert.equal(ago(belief().wellSince), 7);
  });

  it('are both unproven while a machine is not probed yet', () => {
    const beliefs = new Beliefs(steppedClock(), () => false);
    beliefs.setMachine('m1', machine(), nodeView());
    assert.equal(beliefs.get('m1')?.sickSince, undefined);
    assert.equal(beliefs.get('m1')?.wellSince, undefined);
  });

  it('give a Node 5 s of NotReady before it is a symptom, counted by our clock', () => {
    const { clock, beliefs, symptoms } = watched();
    beliefs.setNode('m1', nodeView({ ready: 'False' }));
    assert.deepEqual(symptoms(), []);
    clock.step(5);
    assert.deepEqual(symptoms(), ['NotReady']);
  });

  it('tell listeners of a machine in trouble and of its recovery, and of no other', () => {
    const { beliefs } = watched();
    const told: string[] = [];
    const stop = beliefs.subscribe((name) => told.push(name));
    beliefs.setProbe('m1', ANSWERS);
    assert.deepEqual(told, []);
    beliefs.setProbe('m1', DEAD);
    beliefs.setProbe('m1', ANSWERS);
    assert.deepEqual(told, ['m1', 'm1']);
    stop();
    beliefs.setProbe('m1', DEAD);
    assert.equal(told.length, 2);
  });

  it('forget a Machine that was deleted', () => {
    const { beliefs } = watched();
    beliefs.setMachine('m1', undefined, undefined);
    beliefs.setProbe('m1', DEAD);
    assert.equal(beliefs.size, 0);
  });

  it('leave the boot, the machine and what was told of it when its labels change', () => {
    const { clock, beliefs, belief, ago } = watched();
    clock.step(30);
    beliefs.setMachine('m1', machine({ model: 'g7' }), nodeView());
    assert.equal(belief().model, 'g7');
    assert.equal(ago(belief().boot.since), 30);
    assert.equal(belief().ssh?.value, 'Answers');
  });
});

describe('a lease', () => {
  it('is moving, then stalled 22 s after we saw it move', () => {
    const { clock, beliefs, belief, symptoms } = watched();
    const state = () => leaseState(belief(), clock.now());
    assert.equal(state(), 'Unknown');
    beliefs.setLease('m1', '2026-01-02T03:10:00Z');
    assert.equal(state(), 'Moving');
    for (const _ of [1, 2, 3, 4]) {
      clock.step(5);
      beliefs.setLease('m1', '2026-01-02T03:10:00Z');
      assert.equal(state(), 'Moving');
    }
    clock.step(2);
    beliefs.setLease('m1', '2026-01-02T03:10:00Z');
    assert.equal(state(), 'Stalled');
    assert.deepEqual(symptoms(), ['LeaseStalled']);
  });

  it('that nobody has read for long says nothing', () => {
    const { clock, beliefs, belief } = watched();
    beliefs.setLease('m1', 'a');
    clock.step(23);
    assert.equal(leaseState(belief(), clock.now()), 'Unknown');
    beliefs.setLease('m1', 'a');
    clock.step(31);
    assert.equal(leaseState(belief(), clock.now()), 'Unknown');
  });

  it('of a node whose clock is wrong changes no duration', () => {
    const renewals = fc.array(fc.date({ noInvalidDate: true }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(renewals, (times) => {
        const { clock, beliefs, belief, symptoms } = watched();
        for (const [nth, time] of times.entries()) {
          clock.step(10);
          beliefs.setLease('m1', `${time.toISOString()}#${nth}`);
          assert.equal(leaseState(belief(), clock.now()), 'Moving');
          assert.equal(belief().lease?.movedAt, clock.now());
          assert.deepEqual(symptoms(), []);
        }
      }),
    );
  });
});

describe('a reading of the provider', () => {
  it('says since when the power is off and the console quiet', () => {
    const { clock, beliefs, belief, symptoms, ago } = watched();
    beliefs.setReading('m1', reading({ power: 'Off', console: [CONSOLE_LINES.ShutDown] }));
    clock.step(5);
    beliefs.setReading('m1', reading({ power: 'Off', console: [CONSOLE_LINES.ShutDown] }));
    assert.deepEqual([belief().power?.since, belief().console?.since].map(ago), [5, 5]);
    assert.equal(belief().power?.readAt, clock.now());
    assert.deepEqual(symptoms(), ['PowerOff']);
  });

  it('that is older than 30 s is no symptom any more: the provider may be down and the machine up', () => {
    const { clock, beliefs, belief, symptoms } = watched();
    beliefs.setReading('m1', reading({ power: 'Off' }));
    clock.step(31);
    beliefs.setProbe('m1', ANSWERS);
    assert.deepEqual(symptoms(), []);
    assert.equal(belief().wellSince, clock.now());
  });

  it('is forgotten with the suspicion, and so is maintenance that has ended', () => {
    const { beliefs, belief } = watched();
    beliefs.setReading('m1', reading({ maintenance: 'board swap' }));
    assert.equal(belief().maintenance, 'board swap');
    beliefs.setReading('m1', reading());
    assert.equal(belief().maintenance, undefined);
    beliefs.setLease('m1', 'a');
    beliefs.forgetReadings('m1');
    const { power, console, lease } = belief();
    assert.deepEqual({ power, console, lease }, { power: undefined, console: undefined, lease: undefined });
  });
});

describe('an entry of the hardware’s log', () => {
  const entry = (message: string, severity: LogEntry['severity'] = 'Critical', sensor = 'Memory') => ({
    id: '1',
    severity,
    sensor,
    message,
  });
  const DIMM = entry('Uncorrectable ECC, DIMM A3');

  it('that tells of a part that fails is a symptom for an hour after it', () => {
    const { clock, beliefs, belief, symptoms } = watched();
    beliefs.setLogEntries('m1', [DIMM]);
    assert.deepEqual(symptoms(), ['HardwareEvent']);
    assert.equal(belief().wellSince, undefined);
    clock.step(3599);
    beliefs.reconsider('m1');
    assert.deepEqual(symptoms(), ['HardwareEvent']);
    clock.step(1);
    beliefs.reconsider('m1');
    assert.deepEqual([symptoms(), belief().hardware], [[], undefined]);
    assert.equal(belief().wellSince, clock.now());
  });

  it('stands as long as the BMC itself says that something is broken, and no longer than it says anything', () => {
    const { clock, beliefs, symptoms } = watched();
    beliefs.setLogEntries('m1', [DIMM]);
    clock.step(7200);
    beliefs.setProbe('m1', ANSWERS);
    beliefs.setReading('m1', reading({ health: 'its BMC says Critical' }));
    assert.deepEqual(symptoms(), [], 'its time was over');
    beliefs.setLogEntries('m1', [DIMM]);
    for (let minute = 0; minute < 180; minute++) {
      clock.step(20);
      beliefs.setReading('m1', reading({ health: 'its BMC says Critical' }));
      clock.step(20);
      beliefs.setReading('m1', reading({ health: 'its BMC says Critical' }));
    }
    assert.deepEqual(symptoms(), ['HardwareEvent']);
    beliefs.setReading('m1', reading({ health: 'its BMC says Warning' }));
    assert.deepEqual(symptoms(), []);
  });

  it('is of the boot in which it came, unless its BMC still says so', () => {
    const { beliefs, symptoms } = watched({ planned: true });
    beliefs.setLogEntries('m1', [DIMM]);
    beliefs.setNode('m1', nodeView({ bootID: 'boot-2' }));
    assert.deepEqual(symptoms(), []);
    beliefs.setLogEntries('m1', [DIMM]);
    beliefs.setReading('m1', reading({ health: 'Drive Fault' }));
    beliefs.setNode('m1', nodeView({ bootID: 'boot-3' }));
    assert.deepEqual(symptoms(), ['HardwareEvent']);
  });

  it('that is a panic is no symptom, and has the machine looked at for a minute as one in trouble', () => {
    const { clock, beliefs, belief, symptoms } = watched();
    beliefs.setLogEntries('m1', [entry('Run-time critical stop', 'Critical', 'OS Critical Stop')]);
    assert.deepEqual(symptoms(), []);
    assert.equal(isSuspect(belief(), clock.now()), true);
    clock.step(60);
    assert.equal(isSuspect(belief(), clock.now()), false);
  });

  it('that is a warning changes nothing', () => {
    const { clock, beliefs, belief, symptoms } = watched();
    beliefs.setLogEntries('m1', [entry('Correctable ECC', 'Warning')]);
    assert.deepEqual([symptoms(), isSuspect(belief(), clock.now())], [[], false]);
  });

  it('of any length fits into an incident', () => {
    const { beliefs, belief, clock } = watched();
    beliefs.setLogEntries('m1', [entry(`Uncorrectable ECC ${'x'.repeat(1024)}`)]);
    const found = symptomsOf(belief(), clock.now());
    assert.deepEqual(incidentKind.status.safeParse({ symptoms: found }).error, undefined);
  });
});

it('a kubelet’s essay on why it is not ready fits into an incident', () => {
  const { clock, beliefs, belief } = watched();
  beliefs.setNode('m1', nodeView({ ready: 'False', readyMessage: 'PLEG is not healthy; '.repeat(500) }));
  clock.step(10);
  const symptoms = symptomsOf(belief(), clock.now());
  assert.match(symptoms[0]?.message ?? '', /^Ready=False \(KubeletReady: PLEG/);
  assert.deepEqual(incidentKind.status.safeParse({ symptoms }).error, undefined);
});
