import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HostError } from '../../platform/hosts/host.ts';
import { KubeError } from '../../platform/kube/errors.ts';
import { abilities, type Failure, ProviderError } from '../../platform/providers/provider.ts';
import { at, CONSOLE_LINES, DUMPING, NOW, operation, reading, SILENT, WELL } from '../../test-builders.ts';
import { advanced, begun } from '../progress.ts';
import { act } from './act.ts';
import { setUp } from './test-context.ts';

const INTENT = { key: 'uid-m1-x-1', at: at(-30) };
const WRITTEN = 'written: intent there';
const POWER_CYCLE = operation({ type: 'PowerCycle' });

/** The status that a look comes to, as the controller makes it of the step's answer. */
async function after(setting: ReturnType<typeof setUp>) {
  const result = await act(setting.context);
  const status = begun(setting.written() ?? setting.context.status, 'act', NOW);
  return { result, status: JSON.parse(JSON.stringify(advanced(status, 'act', result, NOW))) };
}

describe('an act that may be done only once', () => {
  it('has its intent written before it is sent, with the boot that it is to end', async () => {
    const setting = setUp();
    const { result, status } = await after(setting);
    assert.equal(result.is, 'done');
    assert.deepEqual(setting.log, [WRITTEN, 'ForceReboot i-m1 uid-m1-x-1']);
    assert.deepEqual(setting.written()?.evidence, { bootIDBefore: 'boot-1' });
    assert.deepEqual(status.intent, { key: 'uid-m1-x-1', at: at(0), answer: 'Accepted' });
  });

  it('is never sent again where its intent is there: who wrote it may have sent it', async () => {
    for (const answer of [undefined, 'Accepted', 'Unknown'] as const) {
      const intent = { ...INTENT, ...(answer && { answer }) };
      const setting = setUp({ status: { intent } });
      const { result, status } = await after(setting);
      assert.equal(result.is, 'done');
      assert.deepEqual(setting.log, []);
      assert.deepEqual(status.intent, intent);
    }
  });

  it('is not sent when its intent cannot be written', async () => {
    const conflict = new KubeError('PUT', 409, { message: 'somebody was quicker' });
    const onPersist = () => {
      throw conflict;
    };
    const setting = setUp({ onPersist });
    await assert.rejects(act(setting.context), conflict);
    assert.deepEqual(setting.log, []);
  });

  it('is not even intended by a replica that must not act', async () => {
    const setting = setUp({ refusals: ['NotLeader'] });
    const { result, status } = await after(setting);
    assert.deepEqual([result.is, status.waiting.reason, status.intent], ['waiting', 'NotLeader', undefined]);
    assert.deepEqual(setting.log, []);
  });

  it('is taken back where the lease was lost while the intent was written', async () => {
    const setting = setUp({ refusals: [undefined, 'NotLeader'] });
    const { status } = await after(setting);
    assert.deepEqual(setting.log, [WRITTEN]);
    assert.deepEqual([status.waiting.reason, status.intent], ['NotLeader', undefined]);
    assert.equal(status.steps[0].endedAt, undefined, 'and is looked at again');
  });
});

describe('an answer of the provider', () => {
  const answered = async (error: Error) => {
    const setting = setUp({ operation: POWER_CYCLE });
    setting.provider.failure = error;
    const found = await after(setting);
    assert.deepEqual(setting.log, [WRITTEN, 'PowerCycle i-m1 uid-m1-x-1']);
    return found;
  };
  const failure = (kind: Failure) => answered(new ProviderError(kind, `says ${kind}`));

  it('that nothing happened yet takes the intent back, so that it is sent again later', async () => {
    for (const kind of ['TryAgain', 'Throttled'] as const) {
      const { result, status } = await failure(kind);
      assert.deepEqual(
        [result.is, status.waiting.reason, status.intent],
        ['waiting', 'ProviderBusy', undefined],
      );
    }
  });

  it('that never came leaves the intent: only the boot id can tell', async () => {
    for (const error of [
      new ProviderError('Unknown', 'timeout'),
      new ProviderError('Broken', 'gibberish'),
      new Error('socket hang up'),
    ]) {
      const { result, status } = await answered(error);
      assert.deepEqual([result.is, status.intent.answer], ['done', 'Unknown']);
      assert.match(status.steps[0].message, /no answer .*; the boot id will tell/);
    }
  });

  it('of no ends the operation', async () => {
    for (const kind of ['Refused', 'NotFound', 'BadCredentials'] as const) {
      const { status } = await failure(kind);
      assert.deepEqual([status.state, status.waiting.reason], ['Failed', `Provider${kind}`]);
    }
  });

  it('that is a whole page of HTML still fits into the status', async () => {
    for (const kind of ['TryAgain', 'Refused', 'Unknown'] as const) {
      const { status } = await answered(new ProviderError(kind, '<p>Bad Gateway</p>'.repeat(500)));
      operation({}, status);
    }
  });
});

describe('what is sent', () => {
  const sent = async (type: string, looks = SILENT) => {
    const reason = { kind: 'Person', name: 'mei' };
    const setting = setUp({ operation: operation({ type, reason }), looks });
    if (type === 'PowerOn') setting.provider.reading = reading({ power: 'Off' });
    await act(setting.context);
    return setting.log.at(-1);
  };

  it('is what the operation says, and a reboot is graceful only for a machine that answers', async () => {
    assert.equal(await sent('Reboot'), 'ForceReboot i-m1 uid-m1-x-1');
    assert.equal(await sent('Reboot', WELL), 'Reboot i-m1 uid-m1-x-1');
    assert.equal(await sent('PowerCycle'), 'PowerCycle i-m1 uid-m1-x-1');
    assert.equal(await sent('PowerOn'), 'PowerOn i-m1 uid-m1-x-1');
    assert.equal(await sent('Nmi'), 'Nmi i-m1 uid-m1-x-1');
  });

  it('is a reset where the provider knows no graceful reboot', async () => {
    const setting = setUp({ operation: operation({ reason: { kind: 'Person', name: 'mei' } }), looks: WELL });
    setting.provider.reading = reading({ can: abilities(true, { Reboot: 'IPMI can only reset' }) });
    await act(setting.context);
    assert.equal(setting.log.at(-1), 'ForceReboot i-m1 uid-m1-x-1');
  });

  it('is nothing where the machine has booted since it was asked for', async () => {
    const setting = setUp({ operation: operation({ expectBootID: 'boot-0' }) });
    const { status } = await after(setting);
    assert.deepEqual([status.state, status.waiting.reason], ['Cancelled', 'AlreadyBooted']);
    assert.deepEqual(setting.log, []);
  });

  it('is sent where the boot that shall end is still there, or no boot is known', async () => {
    for (const bootID of ['boot-0', '']) {
      const setting = setUp({ operation: operation({ expectBootID: 'boot-0' }), bootID });
      assert.equal((await act(setting.context)).is, 'done');
    }
  });

  it('is no power for a machine that has it, and no NMI for one that can take none', async () => {
    const on = setUp({ operation: operation({ type: 'PowerOn' }) });
    assert.equal((await after(on)).status.waiting.reason, 'AlreadyOn');
    const nmi = setUp({ operation: operation({ type: 'Nmi' }) });
    nmi.provider.reading = reading({ can: abilities(true, { Nmi: 'its BMC knows no NMI' }) });
    assert.equal((await after(nmi)).status.waiting.reason, 'NoNmi');
    assert.deepEqual([on.log, nmi.log], [[], []]);
  });

  it('is a dump forced by the host, where the provider knows no NMI and the machine still answers', async () => {
    const wish = operation({ type: 'Nmi', reason: { kind: 'Person', name: 'mei' } });
    const without = reading({ can: abilities(true, { Nmi: 'ECS has no NMI' }) });
    const setting = setUp({ operation: wish, looks: WELL });
    setting.provider.reading = without;
    const { result, status } = await after(setting);
    assert.equal(result.is === 'done' && result.message, 'Nmi accepted by the host');
    assert.deepEqual(setting.log.slice(1), ['forceDump  10.0.0.1:22']);
    assert.equal(status.intent.answer, 'Accepted');

    const unarmed = setUp({ operation: wish, looks: WELL });
    unarmed.provider.reading = without;
    unarmed.provider.failure = new HostError('no crash kernel is loaded');
    const no = await after(unarmed);
    assert.deepEqual([no.status.state, no.status.waiting.reason], ['Failed', 'HostFailed']);
    const lost = setUp({ operation: wish, looks: WELL });
    lost.provider.reading = without;
    lost.provider.failure = new HostError('the connection was lost', 'Cut');
    assert.match((await after(lost)).status.steps[0].message, /the boot id will tell/);
  });

  it('is nothing where the machine’s provider cannot be used', async () => {
    const setting = setUp({ context: { outside: undefined } });
    assert.equal((await after(setting)).status.waiting.reason, 'NoProvider');
    const service = operation({ type: 'RestartService', service: 'kubelet' });
    const restart = setUp({ operation: service, context: { outside: undefined } });
    assert.equal((await after(restart)).status.waiting.reason, 'NoProvider');
  });
});

describe('a machine that is writing its dump', () => {
  /** The dump has been seen for 30 s, and the step began so many seconds ago. */
  const dumping = (dumpTimeout: string, began_s: number) => {
    const setting = setUp({
      operation: operation({ type: 'PowerCycle', dumpTimeout }),
      looks: DUMPING,
      startedAt: NOW - began_s * 1000,
    });
    setting.provider.reading = reading({ console: [CONSOLE_LINES.Dumping] });
    return setting;
  };

  it('is left alone until its time is up, counted from when the dump was seen', async () => {
    const setting = dumping('31s', 0);
    const { result, status } = await after(setting);
    assert.deepEqual(
      [result.is, status.waiting.reason, status.waiting.until],
      ['waiting', 'DumpInProgress', at(1)],
    );
    assert.deepEqual(setting.log, []);
    assert.equal((await act(dumping('30s', 0).context)).is, 'done', 'it has had its time');
  });

  it('that nobody has watched so far has its time from the beginning of the step', async () => {
    for (const [began_s, is] of [
      [0, 'waiting'],
      [60, 'done'],
    ] as const) {
      const setting = dumping('1m', began_s);
      delete setting.context.belief.console;
      assert.equal((await act(setting.context)).is, is);
    }
  });

  it('has its whole time, however long the step has waited for something else before', async () => {
    assert.equal((await act(dumping('15m', 3600).context)).is, 'waiting');
  });
});

describe('a machine that boots by itself', () => {
  const booting = (seconds: number, reason: unknown = undefined) => {
    const setting = setUp({
      looks: { ...SILENT, power: 'On', console: 'Booting' },
      now: NOW + seconds * 1000,
      ...(reason !== undefined && { operation: operation({ type: 'PowerCycle', reason }) }),
    });
    setting.provider.reading = reading({ console: [CONSOLE_LINES.Booting] });
    return setting;
  };

  it('is not made to begin anew, until its time is up', async () => {
    const { result } = await after(booting(0));
    assert.equal(result.is === 'waiting' && result.why.reason, 'BootInProgress');
    assert.equal((await after(booting(0, { kind: 'Person', name: 'mei' }))).result.is, 'done');
  });
});

describe('a machine that has come up by itself', () => {
  const probe = async () => ({ ssh: 'Answers', kubelet: 'Refused' }) as const;

  it('is left alone: it is asked once more right before a repair would end its new boot', async () => {
    const setting = setUp({ looks: SILENT, context: { probe } });
    const { result } = await after(setting);
    assert.equal(result.is === 'needless' && result.why.reason, 'AnswersAgain');
    assert.deepEqual(setting.log, []);
  });

  it('is left alone where patrol has met it again since the repair was asked for', async () => {
    const { result } = await after(setUp({ looks: WELL }));
    assert.equal(result.is === 'needless' && result.why.reason, 'AnswersAgain');
  });

  it('is rebooted all the same where a person wants its boot to end', async () => {
    const wish = operation({ reason: { kind: 'Person', name: 'mei' } });
    const setting = setUp({ operation: wish, looks: SILENT, context: { probe } });
    assert.equal((await after(setting)).result.is, 'done');
  });
});

describe('a service', () => {
  const restart = operation({ type: 'RestartService', service: 'kubelet' });

  it('is restarted without an intent: twice harms nobody', async () => {
    const setting = setUp({ operation: restart, looks: WELL });
    assert.equal((await after(setting)).result.is, 'done');
    assert.deepEqual(setting.log, ['restartUnit kubelet 10.0.0.1:22']);
  });

  it('is not restarted by a replica that must not act, and a host that refuses ends it', async () => {
    const standby = setUp({ operation: restart, refusals: ['NotLeader'] });
    assert.equal((await act(standby.context)).is, 'waiting');
    assert.deepEqual(standby.log, []);
    const broken = setUp({ operation: restart });
    broken.provider.failure = new Error('unit masked');
    assert.match((await after(broken)).status.waiting.message, /kubelet could not be restarted: unit masked/);
  });
});
