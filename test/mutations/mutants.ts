// Drover with one of its safeguards taken out. Each must be caught by the simulation, as a broken invariant of
// the design: a watcher that never barks proves nothing.

export interface Mutant {
  name: string;
  /** Number of the invariant that it breaks. */
  invariant: number;
  /** A seed of `drover sim` that shows it within `days`. */
  seed: number;
  days: number;
  edits: readonly { file: string; from: string; to: string }[];
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'the gate lets everything pass',
    invariant: 1,
    seed: 3,
    days: 0.5,
    edits: [
      {
        file: 'budget/gate.ts',
        from: 'const refusal = admit(question);',
        to: 'const refusal = [admit(question)].find(() => false);',
      },
    ],
  },
  {
    name: 'an act that may have been sent is sent again',
    invariant: 2,
    seed: 1,
    days: 0.5,
    edits: [
      {
        file: 'operations/steps/act.ts',
        from: '  if (status.intent) return',
        to: '  if (status.intent && now < 0) return',
      },
      { file: 'operations/steps/act.ts', from: 'if (boots) return boots;', to: 'void boots;' },
    ],
  },
  {
    name: 'a machine may have two operations at once',
    invariant: 3,
    seed: 2,
    days: 0.5,
    edits: [{ file: 'budget/admit.ts', from: '  if (other) {\n', to: '  if (other && now < 0) {\n' }],
  },
  {
    name: 'a stale cache decides',
    invariant: 4,
    seed: 20,
    days: 0.5,
    edits: [{ file: 'api/limits.ts', from: '= 90_000;', to: '= 90_000_000;' }],
  },
  {
    name: 'the brake never holds',
    invariant: 5,
    seed: 1,
    days: 0.5,
    edits: [
      { file: 'budget/brake.ts', from: 'if (troubled.size <= allowed)', to: 'if (troubled.size >= 0)' },
    ],
  },
  {
    name: 'a boot that has begun by itself is not waited for',
    invariant: 5,
    seed: 1,
    days: 0.5,
    edits: [
      {
        file: 'healing/holds.ts',
        from: "if (seen?.value === 'Booting' && belief.ssh?.value !== 'Answers') {",
        to: 'if (now < 0 && seen) {',
      },
      { file: 'operations/steps/act.ts', from: 'if (boots) return boots;', to: 'void boots;' },
    ],
  },
  {
    name: 'a crash dump is not waited for',
    invariant: 6,
    seed: 1,
    days: 0.5,
    edits: [
      {
        file: 'healing/holds.ts',
        from: "if (seen && (dumps || cause === 'Dumping')) {",
        to: 'if (seen && dumps && now < 0) {',
      },
      { file: 'operations/steps/act.ts', from: "signNow(reading, belief) === 'Dumping'", to: 'now < 0' },
    ],
  },
  {
    name: 'an operation never ends by its deadline or its proof',
    invariant: 7,
    seed: 6,
    days: 0.5,
    edits: [
      { file: 'operations/steps/proof.ts', from: '  if (now >= until_ms) {', to: '  if (now < 0) {' },
      {
        file: 'operations/progress.ts',
        from: 'status?.admittedAt !== undefined && now -',
        to: 'status?.admittedAt !== undefined && -',
      },
    ],
  },
  {
    name: 'what is admitted is not recorded',
    invariant: 10,
    seed: 1,
    days: 0.5,
    edits: [
      {
        file: 'operations/controller.ts',
        from: "this.#say(operation, 'Act', { reason: 'Admitted', message });",
        to: 'void message;',
      },
    ],
  },
  {
    name: 'a person’s cordon is lifted like one of ours',
    invariant: 11,
    seed: 7,
    days: 0.5,
    edits: [
      {
        file: 'operations/steps/cordon.ts',
        from: '...(marks[CORDONED_BY] !== undefined && { unschedulable: null }),',
        to: 'unschedulable: null,',
      },
    ],
  },
  {
    name: 'neither the boot id is looked at, nor whether the machine is well',
    invariant: 13,
    seed: 1,
    days: 0.5,
    edits: [
      {
        file: 'operations/steps/proof.ts',
        from: "if (bootID !== '' && bootID !== before) {",
        to: 'if (now > sentAt + 5_000) {',
      },
      {
        file: 'operations/steps/verify.ts',
        from: 'if (since !== undefined && now - since >= need_ms)',
        to: 'if (since !== undefined || now - need_ms >= 0)',
      },
    ],
  },
  {
    name: 'Pods are freed by force from a machine that only looks dead',
    invariant: 13,
    seed: 1,
    days: 0.5,
    edits: [
      { file: 'operations/steps/free.ts', from: '|| !(await isOff(context))', to: '' },
      {
        file: 'healing/ladder.ts',
        from: "Crashed: [rung('Reboot', { after: '20s' }),",
        to: "Crashed: [rung('Evict', { after: '20s' }),",
      },
    ],
  },
];
