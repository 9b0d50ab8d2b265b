import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { createMetrics } from './metrics.ts';
import type { MetricsSource } from './source.ts';

const root = new URL('../../../', import.meta.url);
const nothing: MetricsSource = {
  now: () => 0,
  isLeader: () => true,
  clusters: () => [],
  incidents: () => [],
  operations: () => [],
  queues: () => [],
  caches: () => [],
  loopErrors: () => new Map(),
  surges: () => [],
  crashes: () => new Map(),
  hardware: () => undefined,
  history: () => undefined,
};

interface Alert {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; description: string; runbook: string };
}

describe('Prometheus rules', async () => {
  const { text } = await createMetrics(nothing).exposition();
  const metrics = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
  for (const file of globSync('deploy/prometheus/*.yaml', { cwd: root.pathname })) {
    const { groups } = parse(readFileSync(new URL(file, root), 'utf8')) as { groups: { rules: Alert[] }[] };
    for (const { alert, expr, labels, annotations } of groups.flatMap(({ rules }) => rules)) {
      it(`${alert} asks for metrics that there are, and leads to a page that there is`, () => {
        const asked = expr.match(/drover_[a-z_]+/g) ?? [];
        assert.ok(asked.length > 0);
        for (const name of asked) assert.ok(metrics.has(name), name);
        assert.match(labels.severity, /^(critical|warning|info)$/);
        assert.ok(annotations.summary && annotations.description);
        assert.ok(existsSync(new URL(annotations.runbook, root)), annotations.runbook);
      });
    }
  }
});
