import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { type Client, configMap, type Json, ok, refused } from './fixture.ts';

const names = (list: Json): string[] => list.items.map((item: Json) => item.metadata.name);

export function lists(use: () => Client): void {
  describe('lists', () => {
    before(async () => {
      const client = use();
      const tiers = ['gold', 'gold', 'silver', 'iron'];
      for (const [i, tier] of tiers.entries()) {
        const body = configMap(
          `list-${i}`,
          { i: String(i) },
          { suite: 'lists', tier, ...(i === 3 ? { old: '' } : {}) },
        );
        ok(await client.post(client.configMaps(), body), 201);
      }
    });

    it('selects by label: equality and sets', async () => {
      const client = use();
      const select = async (labelSelector: string) =>
        names(ok(await client.get(client.configMaps(), { labelSelector: `suite=lists,${labelSelector}` })));
      assert.deepEqual(await select('tier=gold'), ['list-0', 'list-1']);
      assert.deepEqual(await select('tier!=gold'), ['list-2', 'list-3']);
      assert.deepEqual(await select('tier in (silver, iron)'), ['list-2', 'list-3']);
      assert.deepEqual(await select('tier notin (silver,iron)'), ['list-0', 'list-1']);
      assert.deepEqual(await select('old'), ['list-3']);
      assert.deepEqual(await select('!old'), ['list-0', 'list-1', 'list-2']);
      refused(await client.get(client.configMaps(), { labelSelector: 'a in b' }), 400, 'BadRequest');
    });

    it('selects by name', async () => {
      const client = use();
      const query = { fieldSelector: 'metadata.name=list-2' };
      assert.deepEqual(names(ok(await client.get(client.configMaps(), query))), ['list-2']);
      refused(await client.get(client.configMaps(), { fieldSelector: 'data.i=1' }), 400, 'BadRequest');
    });

    it('hands out pages of one version', async () => {
      const client = use();
      const labelSelector = 'suite=lists';
      const first = ok(await client.get(client.configMaps(), { labelSelector, limit: '3' }));
      assert.deepEqual(names(first), ['list-0', 'list-1', 'list-2']);
      assert.ok(first.metadata.continue);
      ok(await client.post(client.configMaps(), configMap('list-9', {}, { suite: 'lists' })), 201);
      const rest = ok(
        await client.get(client.configMaps(), {
          labelSelector,
          limit: '3',
          continue: first.metadata.continue,
        }),
      );
      assert.deepEqual(names(rest), ['list-3'], 'what came later is not in it');
      assert.equal(rest.metadata.resourceVersion, first.metadata.resourceVersion);
      assert.equal(rest.metadata.continue, undefined);
      ok(await client.delete(client.configMaps('list-9')));
    });

    it('lists an exact version and refuses one of the future', async () => {
      const client = use();
      const query = { labelSelector: 'suite=lists' };
      const { resourceVersion } = ok(await client.get(client.configMaps(), query)).metadata;
      ok(await client.post(client.configMaps(), configMap('list-8', {}, { suite: 'lists' })), 201);
      const exact = { ...query, resourceVersion, resourceVersionMatch: 'Exact' };
      assert.equal(ok(await client.get(client.configMaps(), exact)).items.length, 4);
      const newer = { ...query, resourceVersion, resourceVersionMatch: 'NotOlderThan' };
      assert.equal(ok(await client.get(client.configMaps(), newer)).items.length, 5);
      ok(await client.delete(client.configMaps('list-8')));
      const future = {
        resourceVersion: String(Number(resourceVersion) + 1_000_000),
        resourceVersionMatch: 'NotOlderThan',
      };
      const refusal = refused(await client.get(client.configMaps(), future), 504, 'Timeout');
      assert.equal(refusal.details.causes[0].reason, 'ResourceVersionTooLarge');
    });
  });
}
