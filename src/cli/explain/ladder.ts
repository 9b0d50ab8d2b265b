import type { Cause } from '../../api/diagnosis.ts';
import type { HealingPolicy, Rung } from '../../api/healing-policy.ts';
import type { Attempt, IncidentStatus } from '../../api/incident.ts';
import { policyFor } from '../../fleet/policies.ts';
import { ladderFor, type Next, nextRung, rebootsToday } from '../../healing/ladder.ts';
import type { Tree } from '../tree.ts';
import type { Facts } from './facts.ts';
import { moment, span } from './times.ts';

/** Which policy counts, and where on its ladder the machine stands. */
export function ladder(facts: Facts, now: number): Tree {
  const policy = policyFor(facts.machine, facts.policies);
  if (!policy)
    return {
      label: 'policy',
      text: 'no HealingPolicy selects this machine: Drover does nothing for it',
      tone: 'bad',
    };
  const { name } = policy.metadata;
  const { mode, maxRebootsPerDay, confirmFor } = policy.spec;
  const title = `HealingPolicy ${name}${mode === 'Observe' ? ' only observes (spec.mode)' : ''}`;
  const reboots = rebootsToday(facts.operations, now);
  const limits = `rebooted ${reboots} of at most ${maxRebootsPerDay} times within a day`;
  const status = facts.incident?.status;
  const own = ownRules(policy, facts, now);
  if (!status || status.endedAt)
    return {
      label: 'policy',
      text: `${title}, ${limits}; a symptom of ${confirmFor} is an incident`,
      ...(own.length > 0 && { children: own }),
    };
  const cause = status.diagnosis?.cause ?? 'Unknown';
  const whose = policy.spec.ladders[cause] ? 'its ladder' : 'Drover’s own ladder';
  return {
    label: 'policy',
    text: `${title}, ${limits}; ${whose} for ${cause}:`,
    ...(mode === 'Observe' && { tone: 'wait' as const }),
    children: [...own, ...rungs(policy, cause, status, now)],
  };
}

/** The site's own rules: which hold for this machine, by what Drover has written of it, and which are not understood. */
function ownRules({ spec, status }: HealingPolicy, { machine }: Facts, now: number): Tree[] {
  const accepted = status?.conditions?.find(({ type }) => type === 'Accepted');
  const wrong = accepted?.status === 'False' ? accepted.message : '';
  return spec.rules.map(({ name, when, for: lasts, diagnosis }): Tree => {
    const label = `rule ${name}`;
    if (wrong.includes(`[name=${name}]`)) return { label, text: `not understood: ${wrong}`, tone: 'bad' };
    const line = machine.status?.evidence?.find((each) => each.startsWith(`rule ${name}: `));
    if (!line) return { label, text: `does not hold: ${when}` };
    const since = line.slice(line.indexOf(' since ') + ' since '.length).replace(' ', 'T');
    return {
      label,
      text: `holds since ${moment(`${since}Z`, now)}, for ${lasts} it is ${diagnosis}: ${when}`,
      tone: 'bad',
    };
  });
}

function rungs(policy: HealingPolicy, cause: Cause, status: IncidentStatus, now: number): Tree[] {
  const ladder = ladderFor(policy, cause);
  const attempts = status.attempts ?? [];
  const running = attempts.find(({ outcome }) => outcome === 'Running');
  const stands = standing(ladder, cause, status, now);
  const left = [...attempts];
  return ladder.map((rung, index): Tree => {
    const tried = left.findIndex(({ remedy, service }) => remedy === rung.remedy && service === rung.service);
    const [attempt] = tried >= 0 ? left.splice(tried, 1) : [];
    const here = status.escalatedAt
      ? rung.remedy === 'Escalate'
      : running
        ? attempt === running
        : index === stands?.place;
    const what = `${rung.remedy}${rung.service ? ` ${rung.service}` : ''}`;
    if (here)
      return {
        label: `→ ${index + 1}`,
        text: `${what}: ${hereText(rung, attempt, stands, status, now)}`,
        tone: status.escalatedAt ? 'bad' : 'wait',
      };
    if (attempt)
      return {
        label: `  ${index + 1}`,
        text: `${what}: ${attempt.outcome}`,
        tone: attempt.outcome === 'Worked' ? 'good' : 'bad',
      };
    const passed = !running && stands && index < stands.place ? ': waited in vain' : '';
    return { label: `  ${index + 1}`, text: `${what}${passed || laterText(rung)}` };
  });
}

function hereText(
  rung: Rung,
  attempt: Attempt | undefined,
  next: Next | undefined,
  status: IncidentStatus,
  now: number,
): string {
  if (status.escalatedAt) return `a person has been called at ${moment(status.escalatedAt, now)}`;
  if (attempt) return 'under way';
  if (next?.do === 'wait')
    return `${rung.remedy === 'Wait' ? 'it has' : 'not before'} ${rung.remedy === 'Wait' ? 'until ' : ''}${moment(next.until_ms, now)}, in ${span(next.until_ms - now)}`;
  return 'comes next, as soon as nothing holds it';
}

function laterText({ after, remedy, timeout }: Rung): string {
  if (remedy === 'Wait') return `: for ${timeout}`;
  return after === '0s' ? '' : `: ${after} after the one before`;
}

/** What `nextRung` says of the ladder now. */
function standing(
  ladder: readonly Rung[],
  cause: Cause,
  { attempts = [], diagnosis }: IncidentStatus,
  now: number,
): Next | undefined {
  if (!diagnosis) return undefined;
  const lowConfidence = diagnosis.confidence === 'Low';
  return nextRung({ cause, ladder, attempts, diagnosedAt_ms: Date.parse(diagnosis.at), lowConfidence, now });
}
