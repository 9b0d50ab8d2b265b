// Cloud Assistant: commands that an instance's agent runs, and the console that needs none.

import type { Action, Ask } from './action.ts';
import { ApiError } from './api-error.ts';
import { type Cloud, type Instance, minuteOf } from './cloud.ts';
import type { CommandRun } from './ecs-machine.ts';
import { once } from './run-instances.ts';

const COMMAND_BYTES_MAX = 24 * 1024;
const OUTPUT_BYTES_MAX = 24 * 1024;

interface Invocation {
  [key: string]: unknown;
  InstanceId: string;
  InvokeRecordStatus: string;
  InvocationStatus: string;
}

export const getInstanceConsoleOutput: Action = (cloud, { account, parameters }) => {
  const instance = cloud.instance(account, parameters.needed('InstanceId'));
  const output = Buffer.from(instance.machine.console()).toString('base64');
  return { InstanceId: instance.id, ConsoleOutput: output, LastUpdateTime: minuteOf(cloud.clock.now()) };
};

export const runCommand: Action = (cloud, ask) =>
  once(cloud, 'RunCommand', ask, async () => begun(cloud, ask));

function begun(cloud: Cloud, { account, parameters }: Ask): object {
  if (parameters.needed('Type') !== 'RunShellScript')
    throw new ApiError('InvalidParameter', 'The stand-in knows Type=RunShellScript only.');
  const content = parameters.needed('CommandContent');
  if (content.length > COMMAND_BYTES_MAX)
    throw new ApiError('InvalidParameter.CommandContent', 'CommandContent is too long.');
  const command =
    parameters.text('ContentEncoding') === 'Base64' ? Buffer.from(content, 'base64').toString() : content;
  const instances = parameters.instances().map((id) => cloud.instance(account, id));
  for (const { id, status } of instances)
    if (status !== 'Running')
      throw new ApiError('InvalidInstance.NotRunning', `The instance ${id} is not running.`);
  const InvokeId = `t-invoke-${cloud.nextNumber().toString(36)}`;
  const timeout_s = parameters.count('Timeout', 10, 86_400, 60);
  const results = instances.map((instance) => runOn(cloud, instance, command, { InvokeId, timeout_s }));
  cloud.invocations.set(InvokeId, results);
  return { InvokeId, CommandId: `c-${InvokeId}` };
}

function runOn(
  cloud: Cloud,
  { id, machine }: Instance,
  command: string,
  { InvokeId, timeout_s }: { InvokeId: string; timeout_s: number },
): Invocation {
  const result: Invocation = {
    InvokeId,
    InstanceId: id,
    InvokeRecordStatus: 'Running',
    InvocationStatus: 'Running',
  };
  const finish = (ran: CommandRun | undefined) => {
    // An agent that does not answer leaves it Running until the command's own time is over.
    if (!ran || result.InvocationStatus !== 'Running') return;
    const bytes = Buffer.from(ran.output);
    Object.assign(result, {
      InvokeRecordStatus: 'Finished',
      InvocationStatus: ran.exitCode === 0 ? 'Success' : 'Failed',
      ExitCode: ran.exitCode,
      Output: bytes.subarray(-OUTPUT_BYTES_MAX).toString('base64'),
      Dropped: Math.max(0, bytes.length - OUTPUT_BYTES_MAX),
    });
  };
  cloud.clock.timer(cloud.durations.command_ms, () => {
    const ran = machine.run(command);
    if (ran instanceof Promise) void ran.then(finish);
    else finish(ran);
  });
  cloud.clock.timer(timeout_s * 1000, () => {
    if (result.InvocationStatus === 'Running')
      Object.assign(result, {
        InvokeRecordStatus: 'Failed',
        InvocationStatus: 'Timeout',
        ErrorCode: 'ExecutionTimeout',
      });
  });
  return result;
}

/** The command's own processes are the machine's business: here only its record ends. */
export const stopInvocation: Action = (cloud, { parameters }) => {
  for (const result of invocation(cloud, parameters.needed('InvokeId')))
    if (result.InvocationStatus === 'Running')
      Object.assign(result, { InvokeRecordStatus: 'Stopped', InvocationStatus: 'Terminated' });
  return {};
};

export const describeInvocationResults: Action = (cloud, { parameters }) => {
  const results = invocation(cloud, parameters.needed('InvokeId'));
  return { Invocation: { NextToken: '', InvocationResults: { InvocationResult: results } } };
};

function invocation(cloud: Cloud, id: string): Invocation[] {
  const results = cloud.invocations.get(id);
  if (!results) throw new ApiError('InvalidInvokeId.NotFound', 'The specified InvokeId does not exist.');
  return results as Invocation[];
}
