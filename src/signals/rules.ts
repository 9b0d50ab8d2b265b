import { Environment, type ParseResult } from '@marcbachmann/cel-js';
import type { Cause } from '../api/diagnosis.ts';
import { toMilliseconds } from '../api/fields.ts';
import type { HealingPolicy } from '../api/healing-policy.ts';
import { type Belief, leaseState } from './belief.ts';

/** A site's own symptom: an entry of HealingPolicy.spec.rules, compiled. */
export interface Rule {
  policy: string;
  name: string;
  when: string;
  for_ms: number;
  cause: Cause;
  holds(belief: Belief, now: number): boolean;
}

export interface CompiledRules {
  rules: readonly Rule[];
  /** What is wrong with the others, naming the field of each. */
  wrong: readonly string[];
}

/** What a rule may name, with its type: a misspelt field is an error when the policy is read, not a rule that never holds. */
const VARIABLES = {
  node: {
    exists: 'bool',
    ready: 'string',
    reason: 'string',
    message: 'string',
    kernel: 'string',
    cordoned: 'bool',
    conditions: 'map<string, string>',
  },
  patrol: { ssh: 'string', kubelet: 'string' },
  machine: { model: 'string', labels: 'map<string, string>' },
};

const environment = new Environment({ unlistedVariablesAreDyn: false })
  .registerVariable('lease', 'string')
  .registerVariable('power', 'string')
  .registerVariable('console', 'string');
for (const [name, schema] of Object.entries(VARIABLES)) environment.registerVariable({ name, schema });

/** Compiles a policy's rules. One that does not compile stops no other. */
export function compileRules({ metadata, spec }: HealingPolicy): CompiledRules {
  const rules: Rule[] = [];
  const wrong: string[] = [];
  for (const { name, when, for: lasts, diagnosis } of spec.rules) {
    const compiled = compile(when);
    if (typeof compiled === 'string') wrong.push(`spec.rules[name=${name}].when: ${compiled}`);
    else
      rules.push({
        policy: metadata.name,
        name,
        when,
        for_ms: toMilliseconds(lasts),
        cause: diagnosis,
        holds: (belief, now) => holds(compiled, belief, now),
      });
  }
  return { rules, wrong };
}

function compile(when: string): ParseResult | string {
  try {
    const parsed = environment.parse(when);
    const { valid, type, error } = parsed.check();
    if (!valid) return firstLine(error);
    return type === 'bool' ? parsed : `it gives ${type}, and a rule must give true or false`;
  } catch (error) {
    return firstLine(error);
  }
}

function holds(rule: ParseResult, belief: Belief, now: number): boolean {
  const { nodeFace, ready, ssh, kubelet, power, console, model, labels } = belief;
  try {
    return (
      rule({
        node: {
          exists: nodeFace !== undefined,
          ready: ready.value,
          reason: nodeFace?.readyReason ?? '',
          message: nodeFace?.readyMessage ?? '',
          kernel: nodeFace?.kernelVersion ?? '',
          cordoned: nodeFace?.unschedulable ?? false,
          conditions: nodeFace?.conditions ?? {},
        },
        patrol: { ssh: ssh?.value ?? 'Unknown', kubelet: kubelet?.value ?? 'Unknown' },
        machine: { model, labels },
        lease: leaseState(belief, now),
        power: power?.value ?? 'Unknown',
        console: console?.value ?? 'None',
      }) === true
    );
  } catch {
    // Types were checked: what is left is a key that this machine does not have, so the rule is not about it.
    return false;
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] as string;
}
