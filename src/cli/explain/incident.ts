import { CAUSES } from '../../api/diagnosis.ts';
import type { Incident, IncidentStatus } from '../../api/incident.ts';
import type { Tree } from '../tree.ts';
import type { Facts } from './facts.ts';
import { ago, moment, shortTimes, span } from './times.ts';

/** 1-5-10: found within a minute, located within five, healed within ten. */
const GOALS_MS = { detected: 60_000, located: 300_000, healed: 600_000 };

export function incident({ incident }: Facts, now: number): Tree {
  if (!incident) return { label: 'incident', text: 'none', tone: 'good' };
  const status = incident.status ?? {};
  const open = !status.endedAt;
  const text = open
    ? `${incident.metadata.name}: ${status.stage ?? 'Detected'}`
    : `none open; the last was ${incident.metadata.name}: ${status.stage} at ${ago(status.endedAt as string, now)}`;
  const children = [
    clock(incident, now),
    ...symptoms(status, now),
    diagnosis(status, now),
    ...attempts(status, now),
  ];
  return {
    label: 'incident',
    text,
    tone: open ? 'bad' : 'good',
    children: children.filter((child) => child !== undefined),
  };
}

function clock({ metadata, status = {} }: Incident, now: number): Tree {
  const first = Date.parse(status.firstSymptomAt ?? metadata.creationTimestamp ?? '');
  const parts = [`first symptom ${moment(first, now)}`];
  let late = false;
  for (const [word, at, goal_ms] of [
    ['detected', status.detectedAt, GOALS_MS.detected],
    ['located', status.locatedAt, GOALS_MS.located],
    ['healed', status.healedAt, GOALS_MS.healed],
  ] as const) {
    const after_ms = (at ? Date.parse(at) : now) - first;
    const isLate = after_ms > goal_ms;
    late ||= isLate;
    parts.push(
      at
        ? `${word} +${span(after_ms)}${isLate ? ' (late)' : ''}`
        : `not ${word} after ${span(after_ms)}${isLate ? ' (late)' : ''}`,
    );
    if (!at) break;
  }
  if (status.escalatedAt) parts.push(`escalated +${span(Date.parse(status.escalatedAt) - first)}`);
  return { label: 'clock', text: parts.join(', '), ...(late && { tone: 'bad' as const }) };
}

function symptoms(status: IncidentStatus, now: number): Tree[] {
  const at = (time: string) => moment(time, now);
  return (status.symptoms ?? []).map(({ name, source, message, since }) => ({
    label: 'symptom',
    text: `${name} (${source} ${at(since)}): ${message}`,
  }));
}

function diagnosis({ diagnosis }: IncidentStatus, now: number): Tree | undefined {
  if (!diagnosis) return { label: 'cause', text: 'not known yet', tone: 'wait' };
  const { cause, confidence, message, evidence, domain, at } = diagnosis;
  const children: Tree[] = [{ label: 'means', text: CAUSES[cause] }];
  if (domain) children.push({ label: 'domain', text: `${domain} is out as a whole` });
  if (evidence.length > 0) children.push({ label: 'evidence', text: shortTimes(evidence.join('; '), now) });
  return {
    label: 'cause',
    text: `${cause}, confidence ${confidence}, at ${moment(at, now)}: ${shortTimes(message, now)}`,
    children,
  };
}

const TONES = { Running: 'wait', Worked: 'good', Failed: 'bad', NotNeeded: undefined } as const;

function attempts({ attempts = [] }: IncidentStatus, now: number): Tree[] {
  return attempts.map(({ remedy, service, at, endedAt, outcome, message }) => {
    const took = endedAt ? ` after ${span(Date.parse(endedAt) - Date.parse(at))}` : '';
    const tone = TONES[outcome];
    const said = message ? `: ${shortTimes(message, now)}` : '';
    return {
      label: 'tried',
      text: `${remedy}${service ? ` ${service}` : ''} at ${moment(at, now)}: ${outcome}${took}${said}`,
      ...(tone && { tone }),
    };
  });
}
