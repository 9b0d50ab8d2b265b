// For tests: one machine in trouble, looked at every 2 s by our witnesses and by `decide`, whose plans are carried out.
import type { HealingPolicy } from '../api/healing-policy.ts';
import type { Incident, IncidentStatus } from '../api/incident.ts';
import type { NodeOperation } from '../api/node-operation.ts';
import { Beliefs } from '../signals/beliefs.ts';
import {
  CONSOLE_LINES,
  incident,
  type Looks,
  machine,
  NOW,
  nodeView,
  operation,
  policy,
  reading,
  steppedClock,
  viewOf,
  WELL,
} from '../test-builders.ts';
import { decide } from './decide.ts';
import type { Surroundings } from './diagnose.ts';
import type { Plan } from './plan.ts';
import type { View } from './view.ts';

const STEP_S = 2;

export class Story {
  readonly clock = steppedClock();
  beliefs = new Beliefs(this.clock, () => this.planned);
  looks: Looks = WELL;
  policy: HealingPolicy | undefined = policy();
  around: Surroundings = {};
  rebootsToday = 0;
  planned = false;
  incident: Incident | undefined;
  operations: NodeOperation[] = [];
  /** Incidents that have ended. */
  readonly ended: Incident[] = [];
  /** `reason: message` of all that was said. */
  readonly said: string[] = [];
  #renewals = 0;

  constructor(more: Partial<Pick<Story, 'looks' | 'policy'>> = {}) {
    this.beliefs.setMachine('m1', machine(), nodeView());
    this.#sense();
    Object.assign(this, more);
  }

  /** Seconds since the story began. */
  get now_s(): number {
    return (this.clock.now() - NOW) / 1000;
  }

  get status(): IncidentStatus {
    return this.incident?.status ?? {};
  }

  /** Why the incident waits. */
  get waiting(): string | undefined {
    return this.status.waiting?.reason;
  }

  /** What was asked for, oldest first. */
  get asked(): string[] {
    return this.operations.map(({ spec }) => [spec.type, spec.service].filter(Boolean).join(' '));
  }

  /** Time passes, with a look every 2 s; all plans that came of it. */
  passes(seconds: number, looks: Looks = this.looks): Plan[] {
    this.looks = looks;
    const plans: Plan[] = [];
    for (let left = seconds; left > 0; left -= STEP_S) {
      this.clock.step(Math.min(STEP_S, left));
      this.#sense();
      plans.push(this.look());
    }
    return plans;
  }

  /** One look, whose plan is carried out. */
  look(): Plan {
    const plan = decide(this.view());
    if (plan.open) this.incident = incident(plan.open, { creationTimestamp: this.#stamp() });
    // Through the builder, which refuses what the API's schema would.
    else if (plan.status && this.incident) this.incident = incident(plan.status, this.incident.metadata);
    if (plan.ask) {
      const { remedy: type, service } = plan.ask;
      const name = `m1-x-${this.operations.length + 1}`;
      const spec = { type, ...(service && { service }) };
      this.operations.push(operation(spec, {}, { name, creationTimestamp: this.#stamp() }));
    }
    for (const name of plan.cancel ?? []) {
      const found = this.operations.find(({ metadata }) => metadata.name === name);
      if (found) found.spec.cancelled = true;
    }
    if (plan.say) this.said.push(`${plan.say.reason}: ${plan.say.message}`);
    if (this.incident?.status?.endedAt) {
      this.ended.push(this.incident);
      this.incident = undefined;
      this.operations = [];
    }
    return plan;
  }

  view(): View {
    const { incident: open, operations, around, rebootsToday, clock } = this;
    const belief = this.beliefs.get('m1') as View['belief'];
    return {
      belief,
      policy: this.policy,
      incident: open,
      operations,
      around,
      rebootsToday,
      now: clock.now(),
    };
  }

  /** Another replica begins to lead, and has seen nothing of the machine yet. */
  isTakenOver(): void {
    this.beliefs = new Beliefs(this.clock, () => this.planned);
    this.beliefs.setMachine('m1', machine(), nodeView());
  }

  /** The gate says no to the newest operation, and why. */
  isHeld(reason: string): void {
    this.#newest().status = { state: 'Waiting', waiting: { reason, message: `${reason}, says the gate` } };
  }

  isAdmitted(): void {
    this.#newest().status = { state: 'Running', admittedAt: this.#stamp(), costsBudget: false };
  }

  /** The newest operation ends. */
  ends(state: 'Succeeded' | 'Failed' | 'Cancelled'): void {
    const newest = this.#newest();
    newest.status = { ...newest.status, state, endedAt: this.#stamp() };
  }

  isVerifying(): void {
    const newest = this.#newest();
    const step = { name: 'verify', startedAt: this.#stamp(), outcome: 'Running', message: '' } as const;
    newest.status = { ...newest.status, steps: [step] };
  }

  #newest(): NodeOperation {
    const newest = this.operations.at(-1);
    if (!newest) throw new Error('no operation has been asked for');
    return newest;
  }

  #sense(): void {
    const { looks, beliefs } = this;
    beliefs.setNode('m1', looks.noNode ? undefined : nodeView(viewOf(looks)));
    if (looks.ssh && looks.kubelet) beliefs.setProbe('m1', { ssh: looks.ssh, kubelet: looks.kubelet });
    // Nobody reads lease and provider of a machine that is well.
    if (!looks.lease && !looks.power) beliefs.forgetReadings('m1');
    if (looks.lease === 'Moving') this.#renewals++;
    if (looks.lease) beliefs.setLease('m1', String(this.#renewals));
    if (looks.power) {
      const console = looks.console ? [CONSOLE_LINES[looks.console]] : [];
      const maintenance = looks.maintenance && { maintenance: looks.maintenance };
      beliefs.setReading('m1', reading({ power: looks.power, console, ...maintenance }));
    }
    beliefs.reconsider('m1');
  }

  #stamp(): string {
    return new Date(this.clock.now()).toISOString();
  }
}
