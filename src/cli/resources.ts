import type { Resource } from '../platform/kube/objects.ts';

/** A kind under all names that people give it. Written out here, since the schemas in api/ take 100 ms to load. */
export interface Named {
  resource: Resource;
  names: readonly string[];
}

const GROUP = 'drover.dev';

const named = (kind: string, plural: string, ...names: string[]): Named => ({
  resource: { group: GROUP, version: 'v1alpha1', kind, plural, namespaced: false },
  names: [plural, kind.toLowerCase(), ...names],
});

const namespaced = ({ resource, names }: Named): Named => ({
  resource: { ...resource, namespaced: true },
  names,
});

/** In the order in which somebody at night wants them. */
export const RESOURCES: readonly Named[] = [
  named('Incident', 'incidents', 'inc'),
  named('Machine', 'machines', 'm'),
  named('NodeOperation', 'nodeoperations', 'operations', 'operation', 'op', 'ops'),
  named('DisruptionBudget', 'disruptionbudgets', 'budgets', 'budget', 'db'),
  named('HealingPolicy', 'healingpolicies', 'policies', 'policy', 'hp'),
  named('MachineProvider', 'machineproviders', 'providers', 'provider', 'mp'),
  named('Cluster', 'clusters', 'cl'),
  named('MachineClass', 'machineclasses', 'classes', 'class', 'mc'),
  named('WorkloadProfile', 'workloadprofiles', 'profiles', 'profile', 'wp'),
  namespaced(named('DroverRemediation', 'droverremediations', 'remediations', 'remediation', 'dr')),
  namespaced(named('DroverRemediationTemplate', 'droverremediationtemplates', 'drt')),
];

/** By any of its names, also `machines.drover.dev`. */
export function resourceNamed(word: string): Resource | undefined {
  const name = word.toLowerCase().replace(/(\.v1alpha1)?\.drover\.dev$/, '');
  return RESOURCES.find(({ names }) => names.includes(name))?.resource;
}

/** The names that help and errors offer. */
export const SHOWN_NAMES = [
  'incidents',
  'machines',
  'operations',
  'budgets',
  'policies',
  'providers',
  'clusters',
  'remediations',
  'classes',
  'profiles',
] as const;
