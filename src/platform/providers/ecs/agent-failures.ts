// What Cloud Assistant's words mean for a run on a host. From the API's reference; not seen on an account of ours.
import type { HostFailure } from '../../hosts/host.ts';
import type { ProviderError } from '../provider.ts';

/** One of DescribeInvocationResults, as far as it matters here. */
export interface Invocation {
  instanceId?: string;
  invocationStatus?: string;
  exitCode?: number;
  errorCode?: string;
  errorInfo?: string;
  /** Base64. */
  output?: string;
  /** Bytes that the API has cut. */
  dropped?: number;
}

const SAID_CHARS_MAX = 300;

const CODES: Readonly<Record<string, HostFailure>> = {
  // The agent is not there: nothing was handed over.
  ClientNotRunning: 'Unreachable',
  ClientIsUpgrading: 'Unreachable',
  ClientNeedUpgrade: 'Unreachable',
  SecurityGroupRuleDenied: 'Unreachable',
  InstanceNotExists: 'Unreachable',
  InstanceReleased: 'Unreachable',
  InstanceNotRunning: 'Unreachable',
  // It was handed over, perhaps, and no word came back.
  ClientNotResponse: 'Silent',
  DeliveryTimeout: 'Silent',
  ExecutionTimeout: 'TimedOut',
  ExecutionInterrupted: 'Cut',
  ExecutionException: 'Failed',
  TaskConcurrencyLimit: 'Failed',
  CommandNotApplicable: 'Refused',
  AccountNotExists: 'Refused',
  DirectoryNotExists: 'Refused',
};

const STATES: Readonly<Record<string, HostFailure>> = {
  Timeout: 'TimedOut',
  Invalid: 'Refused',
  Aborted: 'Unreachable',
  Error: 'Failed',
  Cancelled: 'Cut',
  Stopping: 'Cut',
  Terminated: 'Cut',
};

/** Undefined where the command ran and ended by itself, whatever its exit code. */
export function endedFailure(result: Invocation): { failure: HostFailure; message: string } | undefined {
  const { invocationStatus = '', errorCode = '', errorInfo = '' } = result;
  // Failed with its own exit code is an answer: the report has the script's.
  const ended =
    invocationStatus === 'Success' || (invocationStatus === 'Failed' && CODES[errorCode] === undefined);
  if (ended && result.exitCode !== undefined) return undefined;
  const failure = CODES[errorCode] ?? STATES[invocationStatus] ?? 'Cut';
  const words = [errorCode, errorInfo].filter((word) => word !== '').join(': ');
  const said = `Cloud Assistant says ${invocationStatus || 'nothing'}${words && `, ${words}`}`;
  return { failure, message: said.slice(0, SAID_CHARS_MAX) };
}

/** RunCommand was refused: nothing runs. */
export function refusedFailure({ failure, reason }: ProviderError): HostFailure {
  switch (failure) {
    case 'BadCredentials':
      return reason === 'MissingRights' ? 'NotAllowed' : 'BadCredentials';
    case 'NotFound':
    case 'TryAgain':
    case 'Throttled':
      return 'Unreachable';
    case 'Unknown':
    case 'Broken':
      return 'Cut';
    default:
      return reason === 'WrongState' ? 'Unreachable' : 'Refused';
  }
}
