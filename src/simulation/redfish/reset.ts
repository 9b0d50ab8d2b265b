// ComputerSystem.Reset: accepted as the vendor does, by 200, 202 with a task, or 204.

import { type Power, Refusal, type ResetType } from './board.ts';
import { success } from './done.ts';
import { HttpRefusal, message } from './messages.ts';
import type { Answer, Call, Json } from './route.ts';
import { typed } from './schemas.ts';
import type { Unit } from './service.ts';
import { taskAnswer } from './tasks.ts';
import type { Vendor } from './vendors.ts';

const ACTION = 'ComputerSystem.Reset';

/** When the task of a reset is over; the rest are at once. */
const LEADS_TO: Partial<Record<ResetType, Power>> = {
  On: 'On',
  ForceOn: 'On',
  ForceRestart: 'On',
  GracefulRestart: 'On',
  PowerCycle: 'On',
  ForceOff: 'Off',
  GracefulShutdown: 'Off',
};

const RESTARTS: readonly ResetType[] = ['ForceRestart', 'GracefulRestart', 'PowerCycle'];

export async function resetAction(call: Call, unit: Unit): Promise<Answer> {
  const { service, faults } = call;
  const type = resetType(call.body, service.vendor);
  if (!faults.resetIgnored) {
    try {
      await unit.board.reset(type);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      checkWrongState(error, service.vendor);
      // nothing to shut down, so what is left of a restart is to power on
      if (RESTARTS.includes(type) && unit.board.power() === 'Off') await unit.board.reset('On');
    }
  }
  service.note(`${ACTION} ${type} by ${call.who?.user}`, [unit]);
  switch (service.vendor.resetAnswers) {
    case 200:
      return success(call);
    case 202:
      return taskAnswer(
        service.tasks.start(
          `${ACTION} ${type}`,
          unit.board,
          faults.resetIgnored ? undefined : LEADS_TO[type],
        ),
      );
    case 204:
      return { status: 204 };
  }
}

function resetType(body: Json, vendor: Vendor): ResetType {
  const unknown = Object.keys(body).find((name) => name !== 'ResetType' && !name.includes('@'));
  if (unknown !== undefined) throw new HttpRefusal(400, [message('ActionParameterUnknown', ACTION, unknown)]);
  const { ResetType: asked } = body;
  if (asked === undefined)
    throw new HttpRefusal(400, [message('ActionParameterMissing', ACTION, 'ResetType')]);
  const type = vendor.resets.find((each) => each === asked);
  if (type) return type;
  throw new HttpRefusal(400, [
    { ...message('ActionParameterValueNotInList', String(asked), 'ResetType', ACTION), about: '#/ResetType' },
  ]);
}

/** Returns where the vendor lets it pass. */
function checkWrongState({ reason, message: why }: Refusal, { wrongState }: Vendor): void {
  if (reason === 'Broken') throw new HttpRefusal(500, [message('InternalError')]);
  if (wrongState === 'Accepted') return;
  const { status, id, text } = wrongState;
  throw new HttpRefusal(status, [
    {
      id,
      text: `${text} ${why}.`,
      args: [why],
      severity: 'Warning',
      resolution: 'Check the power state first.',
    },
  ]);
}

/** The resource that names the reset types, for vendors who list them there. */
export function resetActionInfo({ resets }: Vendor, systemPath: string): Json {
  return {
    ...typed('ActionInfo', `${systemPath}/ResetActionInfo`, 'ResetActionInfo', 'Reset Action Info'),
    Parameters: [{ Name: 'ResetType', Required: true, DataType: 'String', AllowableValues: resets }],
  };
}
