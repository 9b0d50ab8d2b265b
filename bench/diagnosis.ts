// What the judgement of 50,000 machines takes of the 10 s in which patrol sees them all once.
import { diagnose } from '../src/healing/diagnose.ts';
import { Beliefs } from '../src/signals/beliefs.ts';
import { PATROL_MS } from '../src/signals/patrol.ts';
import { symptomsOf } from '../src/signals/symptoms.ts';
import {
  beliefOf,
  type Looks,
  machine,
  NOW,
  nodeView,
  PANICKED,
  SILENT,
  steppedClock,
  WELL,
} from '../src/test-builders.ts';
import { median_ms, report } from './report.ts';

const MACHINES = 50_000;
/** One machine in so many is in trouble: far more than on any day that is not a disaster. */
const SICK_EVERY = 20;
const TROUBLES: readonly Looks[] = [
  SILENT,
  PANICKED,
  { ssh: 'Silent', kubelet: 'Silent', ready: 'Unknown', lease: 'Stalled', power: 'On' },
  { ssh: 'Answers', kubelet: 'Refused', ready: 'Unknown', lease: 'Stalled' },
];

const looks = (index: number) =>
  index % SICK_EVERY === 0 ? (TROUBLES[(index / SICK_EVERY) % TROUBLES.length] as Looks) : WELL;
const all = Array.from({ length: MACHINES }, (_, index) => ({
  ...beliefOf(looks(index)),
  machine: `m${index}`,
}));

const judge_ms = await median_ms(5, () => {
  let sick = 0;
  for (const belief of all) {
    if (symptomsOf(belief, NOW).length > 0) sick++;
    diagnose(belief, {}, NOW);
  }
  if (sick !== MACHINES / SICK_EVERY) throw new Error(`${sick} are sick`);
});
// What Drover does: only who has symptoms is diagnosed.
const suspects_ms = await median_ms(5, () => {
  for (const belief of all) if (symptomsOf(belief, NOW).length > 0) diagnose(belief, {}, NOW);
});

const clock = steppedClock();
const beliefs = new Beliefs(clock, () => false);
for (let index = 0; index < MACHINES; index++) {
  const name = `m${index}`;
  beliefs.setMachine(name, machine({}, { name }), nodeView({ name }));
}
const take_ms = await median_ms(5, () => {
  clock.step(PATROL_MS / 1000);
  for (let index = 0; index < MACHINES; index++) {
    const { ssh = 'Answers', kubelet = 'Answers' } = looks(index);
    beliefs.setProbe(`m${index}`, { ssh, kubelet });
  }
});

const row = (what: string, ms: number) => ({
  what,
  value: MACHINES / (ms / 1000),
  unit: 'machines/s',
  times: ms / PATROL_MS,
  of: 'a round of patrol',
});
report('diagnosis', `${MACHINES} machines, one in ${SICK_EVERY} in trouble`, [
  row('symptoms and diagnosis of all', judge_ms),
  row('diagnosis of suspects only', suspects_ms),
  row('answers of patrol taken in', take_ms),
]);
