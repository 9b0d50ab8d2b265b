import type { Act } from '../provider.ts';

/** ResetType of the ComputerSystem schema (DSP2046), those that Drover sends. */
export type ResetType =
  | 'On'
  | 'ForceOn'
  | 'ForceOff'
  | 'GracefulRestart'
  | 'ForceRestart'
  | 'PowerCycle'
  | 'Nmi';

/** One after the other; where the power is to be seen off before the next, `untilOff`. */
export type ResetPlan = readonly { type: ResetType; untilOff?: true }[];

const OFF_AND_ON: ResetPlan = [{ type: 'ForceOff', untilOff: true }, { type: 'On' }];

/** What does each act, best first: some BMCs know no PowerCycle, some no GracefulRestart. */
const WAYS: Readonly<Partial<Record<Act, readonly ResetPlan[]>>> = {
  Reboot: [[{ type: 'GracefulRestart' }]],
  ForceReboot: [[{ type: 'ForceRestart' }], [{ type: 'PowerCycle' }], OFF_AND_ON],
  PowerOn: [[{ type: 'On' }], [{ type: 'ForceOn' }]],
  PowerOff: [[{ type: 'ForceOff' }]],
  PowerCycle: [[{ type: 'PowerCycle' }], OFF_AND_ON],
  Nmi: [[{ type: 'Nmi' }]],
};

/** How to do it with the reset types that this BMC allows; a string says why not. */
export function resetPlan(act: Act, allowed: ReadonlySet<string>): ResetPlan | string {
  const ways = WAYS[act];
  if (!ways) return `Redfish has no way to ${act.toLowerCase()} a machine`;
  const way = ways.find((plan) => plan.every(({ type }) => allowed.has(type)));
  if (way) return way;
  const wanted = ways.map((plan) => plan.map(({ type }) => type).join(' and ')).join(', or ');
  return `its BMC does not allow ${wanted}: it allows ${[...allowed].join(', ') || 'nothing'}`;
}
