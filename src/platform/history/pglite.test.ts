import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '../clock/system.ts';
import { noLog } from '../telemetry/log.ts';
import { aDecision, anIncident, historySuite } from './history-suite.ts';
import { openHistory } from './sql-history.ts';

const folder = mkdtempSync(join(tmpdir(), 'drover-history-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const open = (dir?: string) => openHistory({ clock: systemClock, log: noLog, ...(dir && { dir }) });

historySuite('history in PGlite, in memory', () => open());

test('a folder keeps what was told when the history was closed, and is one process’s own', async () => {
  const dir = join(folder, 'made', 'when-needed');
  await using first = await open(dir);
  first.decision(aDecision('m1', { message: 'told right before the end' }));
  first.incident(anIncident('m1', '7', { stage: 'Detected' }));

  const second = await open(dir);
  assert.match(second.status().message, /in use by another process/);
  await second.close();
  await first.close();

  await using again = await open(dir);
  assert.deepEqual(again.status(), { ...again.status(), reachable: true, store: `PGlite in ${dir}` });
  assert.equal((await again.decisions({ machine: 'm1', limit: 5 }))[0]?.message, 'told right before the end');
  again.incident(anIncident('m1', '6', { stage: 'Healed' }));
  again.decision(aDecision('m1', { at: Date.now(), message: 'after' }));
  await again.flush();
  assert.equal((await again.incidents({ machine: 'm1', limit: 5 }))[0]?.status?.stage, 'Detected');
  assert.equal((await again.decisions({ machine: 'm1', limit: 5 })).length, 2);
});
