import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DAY, HOUR } from '../platform/clock/clock.ts';
import { seededRandom } from '../platform/clock/random.ts';
import type { CrashRecord } from '../platform/history/crash-record.ts';
import type { FleetDay } from '../platform/history/crashes.ts';
import { aCrash } from '../platform/history/crashes-suite.ts';
import { surgesOf, surgeText } from './surges.ts';
import { drawPoisson } from './trend/trials.ts';

const NOW = Date.UTC(2026, 10, 25, 12, 30);
const MODELS = ['ebmc5', 'ebmc6', 'ebmg7', 'ebmi3'];
const ZONES = ['z1', 'z2', 'z3'];
const KERNELS = ['4.19', '5.10'];
const MACHINES = 50_000;

function fleetDays(): FleetDay[] {
  const kinds = MODELS.flatMap((model) =>
    ZONES.flatMap((zone) => KERNELS.map((kernel) => ({ model, zone, kernel }))),
  );
  return Array.from({ length: 62 }, (_, at) => new Date(NOW - at * DAY).toISOString().slice(0, 10)).flatMap(
    (day) => kinds.map((attributes) => ({ day, attributes, machines: Math.round(MACHINES / kinds.length) })),
  );
}

/** 0.2 ‰ a day of 50,000 machines, spread evenly, for two months. */
function quiet(seed: number): CrashRecord[] {
  const random = seededRandom(seed);
  const pick = (from: readonly string[]) => from[Math.floor(random() * from.length)] as string;
  const records: CrashRecord[] = [];
  for (let hour = 0; hour < 60 * 24; hour++) {
    const count = drawPoisson(random, 10 / 24);
    for (let n = 0; n < count; n++) {
      const happenedAt = new Date(NOW - hour * HOUR - random() * HOUR).toISOString();
      const attributes = { model: pick(MODELS), zone: pick(ZONES), kernel: pick(KERNELS) };
      records.push(
        aCrash(`q${seed}-${hour}-${n}`, {
          happenedAt,
          attributes,
          signature: `c-${Math.floor(random() * 40)}`,
        }),
      );
    }
  }
  return records;
}

describe('surges', () => {
  it('are not seen in a quiet fleet', () => {
    let alarms = 0;
    for (let seed = 1; seed <= 20; seed++) alarms += surgesOf(quiet(seed), fleetDays(), NOW).length;
    assert.ok(alarms <= 2, `${alarms} of 20 quiet fleets surge`);
  });
  it('of one model are seen within hours, by its signature, with the model as its echo', () => {
    const bad = Array.from({ length: 24 }, (_, at) =>
      aCrash(`bad${at}`, {
        happenedAt: new Date(NOW - at * HOUR).toISOString(),
        attributes: { model: 'ebmc6', zone: ZONES[at % 3] as string, kernel: KERNELS[at % 2] as string },
        signature: 'c-bad',
        title: 'kernel BUG in nvme_queue_rq',
      }),
    );
    const surges = surgesOf([...quiet(3), ...bad], fleetDays(), NOW);
    const names = surges.map(({ by, value }) => `${by}=${value}`);
    assert.equal(names[0], 'signature=c-bad');
    assert.ok(!names.some((name) => !name.startsWith('signature=')), names.join(' '));
    assert.ok(surges[0]?.echoes.includes('model=ebmc6'), `echoes: ${surges[0]?.echoes.join(' ')}`);
    const surge = surges.find(({ by }) => by === 'signature');
    assert.ok(surge && surge.events >= 8 && surge.p < 0.01);
    assert.match(
      surgeText(surge),
      /^a surge of crashes with signature c-bad: \d+ since 2026-11-2\dT.* mostly kernel BUG in nvme_queue_rq$/,
    );
  });
  it('are judged without a count of the fleet, too', () => {
    assert.deepEqual(surgesOf([], [], NOW), []);
    assert.ok(surgesOf(quiet(5), [], NOW).length <= 1);
  });
});
