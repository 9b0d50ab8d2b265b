// Bugs that somebody knows already: what they look like, where they are told of, which versions and which hotfixes
// have the fix. A table of our own and one of the site, both data and checked alike.
import { z } from 'zod';
import { type FixState, hasFix, parseKernelVersion } from './kernel-version.ts';

const LIMITS = { text: 500, list: 200, bugs: 10_000 } as const;

const text = z.string().trim().min(1).max(LIMITS.text);
const list = <T extends z.ZodType>(of: T) => z.array(of).max(LIMITS.list);
const version = text.refine((value) => parseKernelVersion(value) !== undefined, {
  error: 'is no kernel version that can be compared: write it as uname -r does, 4.19.91-22.2.al7.x86_64',
});

const knownBug = z.strictObject({
  /** Unique; a site's bug of the same id replaces ours. */
  id: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{0,62}$/, 'is no id: small letters, digits, dots and dashes, at most 63'),
  title: text,
  match: z
    .strictObject({
      signatures: list(text).optional(),
      families: list(text).optional(),
      titles: list(text).optional(),
    })
    .refine((match) => Object.values(match).some((names) => names.length > 0), {
      error: 'names no signature, family or title',
    }),
  links: list(z.url({ protocol: /^https?$/ })).default([]),
  fixCommit: z
    .string()
    .regex(/^[0-9a-f]{12,40}$/, 'is no commit: 12 to 40 hexadecimal digits')
    .optional(),
  /** The first version with the fix, one for each branch that has it. */
  fixedIn: list(version).default([]),
  hotfixes: list(z.strictObject({ name: text, kernels: list(version).min(1) })).default([]),
  note: text.optional(),
});

export type KnownBug = z.infer<typeof knownBug>;

const table = z.strictObject({ bugs: z.array(knownBug).max(LIMITS.bugs) });

/** Names the file and each field that is wrong: `site.yaml: bugs[3].fixCommit: is no commit …`. */
export class KnownBugsError extends Error {
  override readonly name = 'KnownBugsError';
}

/** Takes what YAML or JSON has been parsed to. */
export function parseKnownBugs(value: unknown, name: string): KnownBug[] {
  const { success, data, error } = table.safeParse(value);
  if (!success) {
    const lines = error.issues.map((issue) => `${name}: ${pathOf(issue.path)}${issue.message}`);
    throw new KnownBugsError(lines.join('\n'));
  }
  const ids = new Set<string>();
  for (const [at, { id }] of data.bugs.entries()) {
    if (ids.has(id)) throw new KnownBugsError(`${name}: bugs[${at}].id: there are two bugs ${id}`);
    ids.add(id);
  }
  return data.bugs;
}

/** Ours, with the site's added; of the same id the site's counts. */
export function withSite(ours: readonly KnownBug[], site: readonly KnownBug[]): KnownBug[] {
  const byId = new Map(ours.map((bug) => [bug.id, bug]));
  for (const bug of site) byId.set(bug.id, bug);
  return [...byId.values()];
}

/** The bugs that this crash may be: by signature first, then family, then title. */
export function bugsOf(
  bugs: readonly KnownBug[],
  crash: { signature?: string; families?: readonly string[]; title?: string },
): KnownBug[] {
  const rank = ({ match }: KnownBug): number => {
    if (crash.signature !== undefined && match.signatures?.includes(crash.signature)) return 1;
    if (crash.families?.some((family) => match.families?.includes(family))) return 2;
    return crash.title !== undefined && match.titles?.includes(crash.title) ? 3 : 0;
  };
  return bugs
    .map((bug) => ({ bug, rank: rank(bug) }))
    .filter(({ rank }) => rank > 0)
    .sort((a, b) => a.rank - b.rank)
    .map(({ bug }) => bug);
}

/** Whether a machine with this kernel, and these hotfixes loaded, has the bug's fix. */
export function fixStateOf(bug: KnownBug, kernel: string, loaded: readonly string[] = []): FixState {
  const hotfix = bug.hotfixes.find(({ name }) => loaded.includes(name));
  if (hotfix) return { state: 'fixed', because: `the hotfix ${hotfix.name} is loaded` };
  return hasFix(kernel, bug.fixedIn);
}

/** The hotfixes made for exactly this kernel. */
export function hotfixesFor(bug: KnownBug, kernel: string): string[] {
  return bug.hotfixes.filter(({ kernels }) => kernels.includes(kernel)).map(({ name }) => name);
}

function pathOf(path: readonly PropertyKey[]): string {
  let text = '';
  for (const step of path) text += typeof step === 'number' ? `[${step}]` : `${text && '.'}${String(step)}`;
  return text && `${text}: `;
}
