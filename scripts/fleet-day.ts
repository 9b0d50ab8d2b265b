// A bad day on a real control plane, by hand: `node scripts/fleet-day.ts --machines 500 [--kills 50] [--json]`.
import { parseArgs } from 'node:util';
import { MINUTE } from '../src/platform/clock/clock.ts';
import { killAgainAndAgain, LIMIT_MS, runDay, tableOf } from '../test/fleet/day.ts';
import { Stage } from '../test/fleet/stage.ts';

const { values } = parseArgs({
  options: {
    machines: { type: 'string', default: '500' },
    crashes: { type: 'string', default: '10' },
    dumps: { type: 'string', default: '10' },
    hangs: { type: 'string', default: '5' },
    kubelets: { type: 'string', default: '10' },
    kills: { type: 'string', default: '0' },
    minutes: { type: 'string', default: '8' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const number = (name: Exclude<keyof typeof values, 'json'>) => Number(values[name]);
const machines = number('machines');
await using stage = await Stage.open({ machines, applications: 3, seed: number('seed') });
stage.startReplica('drover-0');
const { killed, work } = killAgainAndAgain(stage, number('kills'), number('seed'));
const report = await runDay(
  stage,
  machines,
  {
    crashes: number('crashes'),
    dumps: number('dumps'),
    hangs: number('hangs'),
    kubelets: number('kubelets'),
    rackDark_ms: 5 * MINUTE,
    spread_ms: number('minutes') * MINUTE,
    seed: number('seed'),
    limit_ms: LIMIT_MS,
  },
  work,
);
console.log(values.json ? JSON.stringify({ ...report, killed }) : tableOf(report));
if (number('kills') > 0) console.log(`${killed.count} kills, ${killed.whileLeading} of a leader`);
