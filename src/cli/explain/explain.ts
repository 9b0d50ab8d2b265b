import type { Condition } from '../../platform/kube/objects.ts';
import type { Tree } from '../tree.ts';
import { budgets } from './budgets.ts';
import type { Facts } from './facts.ts';
import { incident } from './incident.ts';
import { ladder } from './ladder.ts';
import { node } from './node.ts';
import { operation } from './operation.ts';
import { moment, shortTimes, span } from './times.ts';
import { type Waiting, waiting, waitingOf } from './waiting.ts';

/** A leader renews each 2 s; one that has been silent for this long is not there. */
const LEADER_SILENT_MS = 30_000;

/**
 * What is wrong with a machine, what has been done about it, and what is waited for: the answer at three in
 * the morning. Pure; the same tree serves the command line and the console.
 */
export function explain(facts: Facts, now: number): Tree {
  const waits = waitingOf(facts, now);
  const children = [
    drover(facts, now),
    about(facts),
    node(facts, now),
    believed(facts, now),
    incident(facts, now),
    ladder(facts, now),
    ...operation(facts, now),
    waits && waiting(waits, facts, now),
    budgets(facts, now),
    decisions(facts, now),
  ].filter((child) => child !== undefined);
  const head = headline(facts, waits);
  // What was last seen may be long over: nobody has looked since.
  const told: typeof head = leaderIsGone(facts, now)
    ? { text: `${head.text}, when Drover last looked`, tone: 'wait' }
    : head;
  return { label: `machine/${facts.machine.metadata.name}`, ...told, children };
}

/** One line that is enough for whoever reads no further. */
function headline({ machine, incident }: Facts, waits: Waiting | undefined): Pick<Tree, 'text' | 'tone'> {
  const state = machine.status?.state ?? 'Unknown';
  const status = incident && !incident.status?.endedAt ? incident.status : undefined;
  if (status?.escalatedAt)
    return { text: `${status.diagnosis?.cause ?? 'Unknown'}: a person has to look`, tone: 'bad' };
  const waitsFor = waits && waits.why.reason !== 'Locked' ? `, waits: ${waits.why.reason}` : '';
  if (status)
    return {
      text: `${status.diagnosis?.cause ?? 'trouble'}, ${status.stage ?? 'Detected'}${waitsFor}`,
      tone: waits ? 'wait' : 'bad',
    };
  if (machine.status?.operation) return { text: `${state}${waitsFor}`, tone: 'wait' };
  if (waits) return { text: 'locked', tone: 'wait' };
  return state === 'Ready'
    ? { text: 'well', tone: 'good' }
    : { text: state, tone: state === 'Unknown' || state === 'Cordoned' ? 'wait' : 'bad' };
}

function leaderIsGone({ leader }: Facts, now: number): boolean {
  return !leader?.holder || !(now - leader.renewedAt < LEADER_SILENT_MS);
}

/** Said only when something is wrong with Drover itself: then nothing below is being looked after. */
function drover(facts: Facts, now: number): Tree | undefined {
  if (!leaderIsGone(facts, now)) return undefined;
  const { leader } = facts;
  const advice = "start 'drover run', or look at its Pods: nothing below is being looked after";
  if (!leader) return { label: 'drover', text: `has never run on this cluster; ${advice}`, tone: 'bad' };
  const silent_ms = now - leader.renewedAt;
  const last = Number.isFinite(silent_ms) ? `, last seen ${span(silent_ms)} ago` : '';
  return {
    label: 'drover',
    text: `does not run${last}${leader.holder ? ` as ${leader.holder}` : ''}; ${advice}`,
    tone: 'bad',
  };
}

function about({ machine: { spec, status } }: Facts): Tree {
  const { zone, rack, region } = spec.location;
  const parts: (string | false | undefined)[] = [
    region && `region ${region}`,
    zone && `zone ${zone}`,
    rack && `rack ${rack}`,
    spec.model && `model ${spec.model}`,
  ];
  parts.push(
    `provider ${spec.provider.name}`,
    spec.cluster !== 'home' && `cluster ${spec.cluster}`,
    status?.kernelVersion && `kernel ${status.kernelVersion}`,
  );
  return { label: 'where', text: parts.filter(Boolean).join(', ') };
}

const GOOD = /(=True|: Answers|: On|: Running|: None) since/;

function believed({ machine }: Facts, now: number): Tree {
  const { evidence = [], conditions = [] } = machine.status ?? {};
  if (evidence.length === 0)
    return { label: 'seen', text: 'nothing yet: Drover has not looked at this machine', tone: 'wait' };
  const children = evidence.map((line): Tree => {
    const [what = '', ...rest] = line.split(': ');
    // Written by us as `2026-01-02 03:04:05`, in UTC.
    const text = rest
      .join(': ')
      .replaceAll(/(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)/g, (_, day, time) => moment(`${day}T${time}Z`, now));
    return { label: what, text, ...(!GOOD.test(line) && { tone: 'bad' as const }) };
  });
  const wrong = conditions.filter(isWrong);
  for (const { type, reason, message } of wrong)
    children.push({ label: type, text: `${reason}: ${message}`, tone: 'bad' });
  return { label: 'seen', text: 'each from another place', children };
}

/** Healthy=False is the incident, which has lines of its own. */
function isWrong({ type, status }: Condition): boolean {
  return status === 'False' && type !== 'Healthy' && type !== 'NodeJoined';
}

function decisions({ machine }: Facts, now: number): Tree | undefined {
  const said = machine.status?.decisions ?? [];
  if (said.length === 0) return undefined;
  const children = said.map(
    ({ at, actor, kind, reason, message }): Tree => ({
      label: moment(at, now),
      text: `${actor}: ${reason}: ${shortTimes(message, now)}`,
      ...(kind === 'Refusal' && { tone: 'wait' as const }),
    }),
  );
  return { label: 'said', text: 'the last decisions, newest first', children };
}
