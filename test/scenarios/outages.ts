// Many machines at once: what they have in common is at fault, not they.

import assert from 'node:assert/strict';
import { type Incident, incidentKind } from '../../src/api/incident.ts';
import { MINUTE, SECOND } from '../../src/platform/clock/clock.ts';
import type { KubeObject } from '../../src/platform/kube/objects.ts';
import type { Scenario } from './scene.ts';

export const OUTAGES: readonly Scenario[] = [
  {
    name: 'a rack whose switch is dark is one domain outage: no machine of it is touched',
    async play(scene) {
      const { struck } = await scene.ground.strike('rack-switch', scene.machine, { lasts_ms: 2 * MINUTE });
      assert.equal(struck.length, 20);
      const ofRack = async () => {
        const { items } = await scene.client.list<KubeObject & Incident>(incidentKind.resource);
        return items.filter(({ spec }) => struck.includes(spec.machine));
      };
      const located = await scene.eventually('all are located', MINUTE, async () => {
        const found = await ofRack();
        return found.length === struck.length && found.every(({ status }) => status?.diagnosis)
          ? found
          : undefined;
      });
      const causes = new Set(
        located.map(({ status }) => `${status?.diagnosis?.cause} ${status?.diagnosis?.domain}`),
      );
      const { zone, rack } = (await scene.object()).spec.location;
      assert.deepEqual([...causes], [`DomainOutage rack/${zone}/${rack}`]);
      const ended = await scene.eventually('all have ended', 5 * MINUTE, async () => {
        const found = await ofRack();
        return found.every(({ status }) => status?.endedAt) ? found : undefined;
      });
      assert.ok(ended.every(({ status }) => status?.stage === 'Recovered' && !status.attempts?.length));
      const acts = (await scene.ground.acts()).filter(({ machine }) => struck.includes(machine));
      assert.deepEqual(acts, []);
      await scene.ground.pass(10 * SECOND);
    },
  },
];
