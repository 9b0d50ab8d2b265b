import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { planningCase } from '../scripts/planning-case.ts';

test('the worked case in docs says what the planner says', async () => {
  const folder = join(import.meta.dirname, '..', 'docs', 'planning-case');
  for (const [name, text] of await planningCase())
    assert.equal(readFileSync(join(folder, name), 'utf8'), text, name);
});
