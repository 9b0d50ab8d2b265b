import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OUTCOME_OPEN } from '../../hosts/host.ts';
import { ProviderError } from '../provider.ts';
import { endedFailure, refusedFailure } from './agent-failures.ts';

describe('what Cloud Assistant says of a command', () => {
  it('is an answer where the script ended by itself', () => {
    assert.equal(endedFailure({ invocationStatus: 'Success', exitCode: 0 }), undefined);
    const failed = { invocationStatus: 'Failed', exitCode: 64, errorCode: 'ExitCodeNonzero' };
    assert.equal(endedFailure(failed), undefined);
  });

  it('else is a failure, with its words', () => {
    const of = (invocationStatus: string, errorCode?: string) =>
      endedFailure({ invocationStatus, exitCode: 0, ...(errorCode && { errorCode, errorInfo: 'so it is' }) });
    assert.deepEqual(of('Failed', 'ClientNotRunning'), {
      failure: 'Unreachable',
      message: 'Cloud Assistant says Failed, ClientNotRunning: so it is',
    });
    assert.equal(of('Timeout')?.failure, 'TimedOut');
    assert.equal(of('Failed', 'ExecutionTimeout')?.failure, 'TimedOut');
    assert.equal(of('Invalid', 'CommandNotApplicable')?.failure, 'Refused');
    // Nobody knows what became of these.
    for (const [state, code] of [
      ['Failed', 'DeliveryTimeout'],
      ['Failed', 'ClientNotResponse'],
      ['Terminated', undefined],
      ['Something new', undefined],
    ] as const)
      assert.ok(OUTCOME_OPEN.has(of(state, code)?.failure ?? 'Failed'), `${state} ${code}`);
  });

  it('a call that is refused never leaves the outcome open, and one that is lost does', () => {
    for (const failure of [
      'BadCredentials',
      'NotFound',
      'Throttled',
      'TryAgain',
      'Refused',
      'Quota',
    ] as const)
      assert.ok(!OUTCOME_OPEN.has(refusedFailure(new ProviderError(failure, 'no'))), failure);
    for (const failure of ['Unknown', 'Broken'] as const)
      assert.ok(OUTCOME_OPEN.has(refusedFailure(new ProviderError(failure, 'no'))), failure);
    const rights = new ProviderError('BadCredentials', 'no', { reason: 'MissingRights' });
    assert.equal(refusedFailure(rights), 'NotAllowed');
  });
});
