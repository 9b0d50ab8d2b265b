import type { NodeOperation } from '../../api/node-operation.ts';
import { TYPES } from '../../api/operation-types.ts';
import type { Tree } from '../tree.ts';
import type { Facts } from './facts.ts';
import { ago, moment, shortTimes, span } from './times.ts';

const TONES = { Running: 'wait', Done: 'good', Skipped: undefined, Failed: 'bad' } as const;

/** Operations that have not ended, each with its steps; where there is none, the last one in a line. */
export function operation({ operations, incident }: Facts, now: number): Tree[] {
  const live = operations.filter(({ status }) => !status?.endedAt);
  if (live.length > 0) return live.map((one) => underWay(one, now));
  const last = operations.at(-1);
  // What the incident tried stands there already.
  if (!last || last.metadata.name === incident?.status?.attempts?.at(-1)?.operation) return [];
  const { spec, status } = last;
  return [
    {
      label: 'operation',
      text: `none; the last was ${spec.type} ${last.metadata.name}: ${status?.state} at ${ago(status?.endedAt ?? '', now)}`,
    },
  ];
}

function underWay({ metadata, spec, status = {} }: NodeOperation, now: number): Tree {
  const what = `${spec.type}${spec.service ? ` ${spec.service}` : ''} ${metadata.name}`;
  const by = `for ${spec.reason.kind} ${spec.reason.name}`;
  if (!status.admittedAt)
    return {
      label: 'operation',
      text: `${what}, ${by}: not begun, asked for at ${ago(metadata.creationTimestamp ?? now, now)}`,
      tone: 'wait',
    };
  const force = spec.force ? `, forced by ${spec.force.by}` : '';
  const children = TYPES[spec.type].steps.map((name): Tree => {
    const step = status.steps?.find((each) => each.name === name);
    if (!step) return { label: name, text: 'to come' };
    const took = span((step.endedAt ? Date.parse(step.endedAt) : now) - Date.parse(step.startedAt));
    const tone = TONES[step.outcome];
    const said = step.message ? `: ${shortTimes(step.message, now)}` : '';
    const text = step.endedAt
      ? `${step.outcome.toLowerCase()} in ${took}${said}`
      : `under way for ${took}, since ${moment(step.startedAt, now)}`;
    return { label: name, text, ...(tone && { tone }) };
  });
  const touched = status.intent
    ? `; the machine was touched at ${moment(status.intent.at, now)}, and is not touched again`
    : '';
  return {
    label: 'operation',
    text: `${what}, ${by}${force}: runs since ${ago(status.admittedAt, now)}${touched}`,
    tone: 'wait',
    children,
  };
}
