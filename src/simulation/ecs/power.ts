// What changes an instance's power, or ends it. Each only from the states that the API allows it from.

import type { Action, Ask } from './action.ts';
import { ApiError } from './api-error.ts';
import type { Cloud, Instance, Status } from './cloud.ts';
import { avoidEvents } from './events.ts';
import { rebooted, redeployed, stopped } from './power-changes.ts';
import { once } from './run-instances.ts';

/** Throws where the instance is in no such state. */
function mustBe(instance: Instance, states: readonly Status[]): void {
  if (states.includes(instance.status)) return;
  const isNew = instance.status === 'Pending';
  throw new ApiError(
    isNew ? 'IncorrectInstanceStatus.Initializing' : 'IncorrectInstanceStatus',
    `The current status of the resource does not support this operation: ${instance.id} is ${instance.status}.`,
  );
}

function mustBeUnlocked({ id, isLocked }: Instance): void {
  if (isLocked)
    throw new ApiError('InstanceLockedForSecurity', `The instance ${id} is locked due to security.`);
}

/**
 * Does one thing to each. AllTogether, the default: a bad one fails all, and nothing is done. SuccessFirst: each answers
 * for itself.
 */
function eachOf(
  cloud: Cloud,
  { account, parameters }: Ask,
  check: (i: Instance) => void,
  act: (i: Instance) => void,
): object {
  const successFirst = parameters.text('BatchOptimization') === 'SuccessFirst';
  const found: Instance[] = [];
  const answers: object[] = [];
  for (const id of parameters.instances()) {
    try {
      const instance = cloud.instance(account, id);
      check(instance);
      found.push(instance);
    } catch (error) {
      if (!successFirst || !(error instanceof ApiError)) throw error;
      answers.push({ InstanceId: id, Code: error.code, Message: error.message });
    }
  }
  if (parameters.flag('DryRun'))
    throw new ApiError('DryRunOperation', 'Request validation has been passed with DryRun flag set.');
  for (const instance of found) {
    const before = instance.status;
    act(instance);
    answers.push({
      InstanceId: instance.id,
      Code: '200',
      Message: 'success',
      PreviousStatus: before,
      CurrentStatus: instance.status,
    });
  }
  return { InstanceResponses: { InstanceResponse: answers } };
}

export const rebootInstances: Action = (cloud, ask) =>
  eachOf(
    cloud,
    ask,
    (instance) => {
      mustBeUnlocked(instance);
      mustBe(instance, ['Running']);
    },
    (instance) => {
      avoidEvents(cloud, instance.id, 'Reboot');
      rebooted(cloud, instance, ask.parameters.flag('ForceReboot'));
    },
  );

export const startInstances: Action = (cloud, ask) =>
  eachOf(
    cloud,
    ask,
    (instance) => {
      mustBeUnlocked(instance);
      mustBe(instance, ['Stopped']);
    },
    (instance) => cloud.starts(instance),
  );

export const stopInstances: Action = (cloud, ask) => {
  const force = ask.parameters.flag('ForceStop');
  return eachOf(
    cloud,
    ask,
    // One that hangs in Stopping is got out of it by force.
    (instance) => mustBe(instance, force ? ['Running', 'Stopping', 'Starting'] : ['Running']),
    (instance) => stopped(cloud, instance, force),
  );
};

export const redeployInstance: Action = (cloud, { account, parameters }) => {
  const instance = cloud.instance(account, parameters.needed('InstanceId'));
  mustBeUnlocked(instance);
  mustBe(instance, ['Running', 'Stopped']);
  if (instance.status === 'Running' && !parameters.flag('ForceStop'))
    throw new ApiError('IncorrectInstanceStatus', 'The instance runs, and ForceStop is not set.');
  avoidEvents(cloud, instance.id, 'Redeploy');
  redeployed(cloud, instance);
  return { TaskId: `t-${instance.id}-${cloud.nextNumber()}` };
};

export const sendDiagnosticInterrupt: Action = (cloud, { account, parameters }) => {
  const instance = cloud.instance(account, parameters.needed('InstanceId'));
  // The documentation says that bare metal is refused, not with which code.
  if (/^ecs\.(ebm|scc)/.test(instance.type))
    throw new ApiError('OperationDenied', 'ECS Bare Metal instances do not support this feature.');
  mustBe(instance, ['Running']);
  instance.machine.interrupt();
  return {};
};

export const deleteInstances: Action = (cloud, ask) =>
  once(cloud, 'DeleteInstances', ask, async () => {
    const { account, parameters } = ask;
    const instances = parameters.instances().map((id) => cloud.instance(account, id));
    for (const instance of instances) {
      if (instance.deletionProtection)
        throw new ApiError(
          'InvalidOperation.DeletionProtection',
          `The operation is not allowed: ${instance.id} has deletion protection.`,
        );
      mustBe(
        instance,
        parameters.flag('Force') ? ['Running', 'Stopped', 'Stopping', 'Starting'] : ['Stopped'],
      );
    }
    for (const instance of instances) cloud.remove(instance);
    return {};
  });
