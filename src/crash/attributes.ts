// What a machine was when it crashed: everything that crashes may have in common.
import type { Machine } from '../api/machine.ts';
import type { NodeView } from '../fleet/node-view.ts';
import { DAY } from '../platform/clock/clock.ts';

/** Labels of a site that are kept with a crash. */
const LABELS_MAX = 32;
/** Ages are told apart this finely: infants, the first quarter, the first year, older. */
const AGES: readonly { days: number; name: string }[] = [
  { days: 30, name: 'under 30 days' },
  { days: 90, name: '30 to 90 days' },
  { days: 365, name: '90 days to 1 year' },
  { days: Number.POSITIVE_INFINITY, name: 'over 1 year' },
];

/** Short names, as people select by them: `model`, `kernel`, `zone`; a site's labels under their own keys. */
export function attributesOf(
  machine: Machine,
  node: NodeView | undefined,
  now: number,
): Record<string, string> {
  const { metadata, spec, status } = machine;
  const attributes: Record<string, string> = { cluster: spec.cluster, provider: spec.provider.name };
  const set = (key: string, value: string | undefined) => {
    if (value) attributes[key] = value;
  };
  for (const [key, value] of Object.entries(spec.location)) set(key, value);
  set('model', spec.model);
  set('kernel', status?.kernelVersion ?? node?.kernelVersion);
  set('os', node?.osImage);
  set('arch', node?.architecture);
  set('instanceType', node?.instanceType);
  set('age', ageOf(metadata.creationTimestamp, now));
  const own = Object.entries(metadata.labels ?? {}).filter(([key]) => !key.startsWith('drover.dev/'));
  for (const [key, value] of own.slice(0, LABELS_MAX)) set(key, value);
  return attributes;
}

function ageOf(created: string | undefined, now: number): string | undefined {
  if (!created) return undefined;
  const days = (now - Date.parse(created)) / DAY;
  return AGES.find((age) => days < age.days)?.name;
}
