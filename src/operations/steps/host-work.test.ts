import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HostError } from '../../platform/hosts/host.ts';
import { operation, WELL } from '../../test-builders.ts';
import { hostWork } from './host-work.ts';
import { setUp } from './test-context.ts';

const CLEAN = operation({ type: 'CleanDisk', cleanRules: ['RotatedLogs', 'PackageCaches'] });
const GIB = 2 ** 30;

/** A host that answers each rule with what is given for it. */
function cleaning(answers: Readonly<Record<string, number | HostError>>) {
  const setting = setUp({ operation: CLEAN, looks: WELL });
  const { outside } = setting.context;
  if (!outside) throw new Error('there is a host');
  outside.hosts.run = async (_host, name, params) => {
    const { rule, dryRun } = params as { rule: string; dryRun: boolean };
    setting.log.push(`${name} ${rule} ${dryRun ? 'dry' : 'real'}`);
    const answer = answers[rule] ?? 0;
    if (answer instanceof HostError) throw answer;
    return { files: answer > 0 ? 3 : 0, bytes: answer, named: [], open: 0 } as never;
  };
  return setting;
}

describe('a disk', () => {
  it('is cleaned by each rule in turn, and it is told what went', async () => {
    const { context, log } = cleaning({ RotatedLogs: 2 * GIB, PackageCaches: GIB });
    const result = await hostWork(context);
    assert.deepEqual(log, ['cleanDisk RotatedLogs real', 'cleanDisk PackageCaches real']);
    assert.equal(
      result.is === 'done' && result.message,
      '3.0 GiB freed: RotatedLogs 3 files, 2.0 GiB; PackageCaches 3 files, 1.0 GiB',
    );
  });

  it('is cleaned by the other rules where one can’t be done', async () => {
    const { context } = cleaning({ RotatedLogs: new HostError('no find here'), PackageCaches: GIB });
    assert.equal((await hostWork(context)).is, 'done');
  });

  it('that has nothing to be removed ends the operation, for another remedy', async () => {
    const result = await hostWork(cleaning({}).context);
    assert.deepEqual(result.is === 'failed' && [result.why.reason, result.why.message], [
      'CleaningFailed',
      'the disks could not be cleaned: nothing was there to be removed by RotatedLogs, PackageCaches',
    ]);
  });

  it('of a host that is not reached is left with its first rule', async () => {
    const { context, log } = cleaning({ RotatedLogs: new HostError('no route', 'Unreachable') });
    const result = await hostWork(context);
    assert.match(result.is === 'failed' ? result.why.message : '', /could not be cleaned: no route/);
    assert.equal(log.length, 1);
  });
});

describe('work on a host', () => {
  it('keeps nobody waiting: a look begins it, later looks ask for it', async () => {
    const { context } = setUp({
      operation: CLEAN,
      looks: WELL,
      context: { background: async () => 'Running' },
    });
    const result = await hostWork(context);
    assert.deepEqual(result.is === 'waiting' && [result.why.reason, result.why.message], [
      'OnHost',
      'CleanDisk is under way on 10.0.0.1:22',
    ]);
  });
});
