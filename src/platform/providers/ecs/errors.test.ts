import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MINUTE } from '../../clock/clock.ts';
import { VirtualClock } from '../../clock/virtual.ts';
import type { Failure } from '../provider.ts';
import { failureOf } from './errors.ts';

const refusal = (code: string, statusCode = 403) =>
  Object.assign(new Error(`${code}: said so`), { code, statusCode });
const network = (code: string) => Object.assign(new Error(code), { code });
const of = (error: unknown, kind: 'Read' | 'Act' = 'Act') =>
  failureOf(error, { action: 'RunInstances', kind, accessKeyId: 'AKID' }, new VirtualClock());

describe('an error of the ECS API', () => {
  const codes: Readonly<Record<string, Failure>> = {
    'Throttling.User': 'Throttled',
    'Throttling.Api': 'Throttled',
    Throttling: 'Throttled',
    LastTokenProcessing: 'TryAgain',
    'IncorrectInstanceStatus.Initializing': 'TryAgain',
    IncorrectInstanceStatus: 'Refused',
    'OperationDenied.NoStock': 'NoStock',
    'Zone.NotOnSale': 'NoStock',
    'InvalidVSwitchId.IpNotEnough': 'NoStock',
    'QuotaExceed.ElasticQuota': 'Quota',
    'QuotaExceeded.PrivateIpAddress': 'Quota',
    'OperationDenied.QuotaExceed': 'Quota',
    SignatureDoesNotMatch: 'BadCredentials',
    'InvalidAccessKeyId.Inactive': 'BadCredentials',
    'Forbidden.RAM': 'BadCredentials',
    'InvalidInstanceId.NotFound': 'NotFound',
    'InvalidParameter.Amount': 'Refused',
    IdempotentParameterMismatch: 'Refused',
    'Something.New': 'Refused',
  };
  for (const [code, failure] of Object.entries(codes))
    it(`${code} is ${failure}`, () => assert.equal(of(refusal(code)).failure, failure));

  it('of throttling says until when: the next minute', () => {
    const clock = new VirtualClock();
    const { until = 0 } = failureOf(
      refusal('Throttling.User'),
      { action: 'X', kind: 'Read', accessKeyId: undefined },
      clock,
    );
    const minute = (Math.floor(clock.now() / MINUTE) + 1) * MINUTE;
    assert.ok(until >= minute && until <= minute + 2_000);
  });

  it('names the AccessKey that was refused, and never its secret', () => {
    assert.match(of(refusal('Forbidden.RAM')).message, /AccessKey AKID/);
  });
});

describe('an answer that never came', () => {
  it('is Unknown of an act that may have left, and TryAgain of a read', () => {
    for (const error of [
      network('ECONNRESET'),
      network('EPIPE'),
      new SyntaxError('Unexpected token <'),
      refusal('InternalError', 500),
      refusal('ServiceUnavailable', 503),
    ]) {
      assert.equal(of(error).failure, 'Unknown', String(error));
      assert.equal(of(error, 'Read').failure, 'TryAgain', String(error));
    }
  });

  it('is TryAgain of an act that never left', () => {
    for (const code of ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ENETUNREACH'])
      assert.equal(of(network(code)).failure, 'TryAgain');
  });

  it('does not say what was sent: user data may hold secrets', () => {
    const late = new Error('ConnectTimeout: Connect HTTPS://ecs/?Amount=1&UserData=c2VjcmV0 failed.');
    const failure = of(late);
    assert.equal(failure.message, 'ECS RunInstances: ConnectTimeout: Connect HTTPS://ecs/ failed.');
    assert.equal(failure.cause, undefined);
  });

  it('is BadCredentials where the other side is not who it should be', () => {
    assert.equal(of(network('DEPTH_ZERO_SELF_SIGNED_CERT')).reason, 'CertificateRefused');
  });
});
