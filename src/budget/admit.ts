import { allowanceOf, hundredthsOf, type Reason, toMilliseconds } from '../api/fields.ts';
import { STALENESS_MS_MAX } from '../api/limits.ts';
import { lockOf, type Machine } from '../api/machine.ts';
import type { NodeOperation } from '../api/node-operation.ts';
import { TYPES } from '../api/operation-types.ts';
import { labelsOf } from '../fleet/labels.ts';
import { matches } from '../platform/kube/labels.ts';
import { frozen, outsideWindows } from './calendar.ts';
import { cell, type Stock, topologyOf } from './stock.ts';

export interface Question {
  operation: NodeOperation;
  /** Undefined: no such Machine. */
  machine: Machine | undefined;
  /** The node takes Pods now, so a disruption costs something. */
  takesPods: boolean;
  /** Another operation on this machine that is admitted and not ended. */
  other: NodeOperation | undefined;
  stocks: readonly Stock[];
  /** Why this replica may not act, where it may not. */
  notLeader: Reason | undefined;
  /** The oldest data that the answer rests on. */
  oldest: { what: string; age_ms: number };
  braked: Reason | undefined;
  /** A surge of crashes that this machine would be part of. */
  surge?: Reason | undefined;
  now: number;
}

/**
 * The one gate: why the operation may not begin now, or undefined where it may. What can never pass is
 * asked first, then what a person set, then the numbers. Pure.
 */
export function admit(question: Question): Reason | undefined {
  const { operation, machine, other, oldest, now } = question;
  if (question.notLeader) return question.notLeader;
  if (oldest.age_ms > STALENESS_MS_MAX) {
    const seconds = Number.isFinite(oldest.age_ms)
      ? `${Math.round(oldest.age_ms / 1000)} s old`
      : 'not there yet';
    const message = `our data of ${oldest.what} is ${seconds}; nothing is disrupted on data older than ${STALENESS_MS_MAX / 1000} s`;
    return { reason: 'StaleData', message, evidence: { what: oldest.what, age: seconds } };
  }
  if (!machine)
    return { reason: 'NoMachine', message: `there is no valid Machine ${operation.spec.machine}` };
  const locked = lockOf(machine, now);
  if (locked) {
    const message = `Machine ${machine.metadata.name} is locked by ${locked.by}: ${locked.why}`;
    return {
      reason: 'Locked',
      message,
      evidence: { by: locked.by },
      ...(locked.until && { until: locked.until }),
    };
  }
  if (other) {
    const message = `${other.spec.type} ${other.metadata.name} is under way on this machine`;
    return { reason: 'MachineBusy', message, evidence: { operation: other.metadata.name } };
  }
  const stopped = stopOf(question, machine);
  if (stopped) return stopped;
  if (operation.spec.force) return undefined;
  if (question.braked && TYPES[operation.spec.type].boots) return question.braked;
  // What is being rolled out may be what crashes; repairs of what has crashed go on.
  if (question.surge && operation.spec.reason.kind === 'Rollout') return question.surge;
  return budgets(question, machine);
}

/** The stop switch exempts nobody, and no force passes it: it is what a person reaches for first. */
function stopOf({ stocks }: Question, machine: Machine): Reason | undefined {
  const labels = labelsOf(machine);
  for (const { budget } of stocks) {
    const { stop, selector } = budget.spec;
    if (!stop || !matches(selector, labels)) continue;
    const { name } = budget.metadata;
    const message = `stopped by ${stop.by} in DisruptionBudget ${name}: ${stop.why}`;
    return { reason: 'Stopped', message, evidence: { budget: name, by: stop.by } };
  }
  return undefined;
}

function budgets({ operation, takesPods, stocks, now }: Question, machine: Machine): Reason | undefined {
  const labels = labelsOf(machine);
  const mine = stocks.filter((stock) => matches(stock.budget.spec.selector, labels));
  if (mine.length === 0) {
    const message = `no DisruptionBudget selects Machine ${machine.metadata.name}; nothing is done without a limit`;
    return { reason: 'NoBudget', message };
  }
  const disruptive = TYPES[operation.spec.type].disruptive;
  for (const stock of mine) {
    const { spec, metadata } = stock.budget;
    const said = { budget: metadata.name };
    if (!disruptive) continue;
    if (!spec.exempt.includes(operation.spec.reason.kind)) {
      const closed = frozen(stock.budget, now) ?? outsideWindows(stock.budget, now);
      if (closed) return closed;
    }
    const inFlightMax = allowanceOf(spec.maxInFlight, stock.selected);
    if (stock.inFlight >= inFlightMax) {
      const message = `${stock.inFlight} operations are under way; DisruptionBudget ${metadata.name} allows ${inFlightMax} at once`;
      return {
        reason: 'TooManyInFlight',
        message,
        evidence: { ...said, inFlight: String(stock.inFlight), allowed: String(inFlightMax) },
      };
    }
    // A node that is down already loses nothing more.
    if (!takesPods) continue;
    const refusal = costs(stock, machine);
    if (refusal) return refusal;
  }
  return undefined;
}

function costs(stock: Stock, machine: Machine): Reason | undefined {
  const { spec, metadata } = stock.budget;
  const said = { budget: metadata.name };
  const most = allowanceOf(spec.maxDisrupted, stock.selected);
  if (stock.disrupted >= most) {
    const message = `${stock.disrupted} of ${stock.selected} machines are disrupted; DisruptionBudget ${metadata.name} allows ${most}`;
    return {
      reason: 'BudgetSpent',
      message,
      evidence: { ...said, disrupted: String(stock.disrupted), allowed: String(most) },
    };
  }
  for (const { key, maxDisrupted } of spec.per) {
    const where = topologyOf(machine, key);
    if (where === undefined) continue;
    const { selected, disrupted } = cell(stock, machine, key);
    // One machine of 20 in a rack may be 1 %: less than one is still one, or the rack could never be worked on.
    const allowed = allowanceOf(maxDisrupted, selected);
    if (disrupted < allowed) continue;
    const message = `${disrupted} machines of ${key} ${where} are disrupted; DisruptionBudget ${metadata.name} allows ${allowed}`;
    return {
      reason: 'TopologySpent',
      message,
      evidence: { ...said, key, value: where, disrupted: String(disrupted), allowed: String(allowed) },
    };
  }
  // At least one may be away: 98 % of a fleet of 36 would otherwise forbid all work for ever.
  const mayBeAway = Math.max(
    1,
    Math.floor((stock.selected * (10_000 - hundredthsOf(spec.minSchedulable))) / 10_000),
  );
  const away = stock.selected - stock.schedulable + 1;
  if (away > mayBeAway) {
    const message = `${away} of ${stock.selected} nodes would take no Pods; DisruptionBudget ${metadata.name} wants ${spec.minSchedulable} to take them, so ${mayBeAway} may be away`;
    return {
      reason: 'TooFewSchedulable',
      message,
      evidence: { ...said, away: String(away), allowed: String(mayBeAway) },
    };
  }
  if (spec.rate && stock.recent >= spec.rate.count) {
    const message = `${stock.recent} disruptions within ${spec.rate.per}; DisruptionBudget ${metadata.name} allows ${spec.rate.count}`;
    return {
      reason: 'RateSpent',
      message,
      evidence: { ...said, recent: String(stock.recent), per: spec.rate.per },
    };
  }
  return undefined;
}

/** The longest period that any rate looks back over. */
export function lookback_ms(stocks: Iterable<{ spec: { rate?: { per: string } | undefined } }>): number {
  let longest = 0;
  for (const { spec } of stocks) if (spec.rate) longest = Math.max(longest, toMilliseconds(spec.rate.per));
  return longest;
}
