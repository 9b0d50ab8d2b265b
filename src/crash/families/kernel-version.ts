// Whether a kernel has a fix: `uname -r` against the version in which its own branch was fixed. Distributions take
// fixes back on their own, so that versions compare only within one branch; across branches the answer is unknown.

export interface KernelVersion {
  /** 4.19.91 → [4, 19, 91]. */
  upstream: readonly number[];
  /** What the distribution counts: 19.1 in 4.19.91-19.1.al7.x86_64. */
  build: readonly number[];
  /**
   * What compares: the distribution and flavour with the upstream series, and for RHEL and its rebuilds also the
   * first build number: 372 and 425 are minor releases with fixes of their own.
   */
  branch: string;
}

const ARCH =
  /[.-](x86_64|amd64|aarch64|arm64|s390x|ppc64le|ppc64el|ppc64|riscv64|i[3-6]86|loongarch64|noarch)$/;
const RELEASE = /^(\d+)\.(\d+)(?:\.(\d+))?(?:[-.](.+))?$/;
const VERSION_LENGTH_MAX = 128;

/** Undefined when it is no kernel version, or a release candidate, or a build of somebody's own. */
export function parseKernelVersion(text: string): KernelVersion | undefined {
  if (text.length > VERSION_LENGTH_MAX) return undefined;
  const arch = ARCH.exec(text)?.[1];
  const bare = arch ? text.slice(0, -arch.length - 1) : text;
  const match = RELEASE.exec(bare);
  if (!match) return undefined;
  const [, major, minor, patch, rest] = match;
  const upstream = [Number(major), Number(minor), Number(patch ?? 0)];
  const words = rest === undefined ? [] : rest.split(/[.-]/);
  const build: number[] = [];
  while (words[0] !== undefined && /^\d+$/.test(words[0])) build.push(Number(words.shift()));
  if (words.some((word) => !/^[a-z][a-z0-9_]*$/.test(word) || /^rc\d+$/.test(word))) return undefined;
  const series = `${major}.${minor}`;
  // Debian's flavours are the architectures, in Debian's spelling.
  if (words.length === 0 && build.length > 0 && /^(amd64|arm64|ppc64el)$/.test(arch ?? ''))
    return { upstream, build, branch: `${series} debian` };
  if (words.length === 0) {
    if (build.length > 0) return undefined;
    return { upstream, build, branch: `${series} mainline` };
  }
  // el8_6 is el8 in its sixth minor release, which the build number says as well.
  const distribution = words.map((word) => word.replace(/^(el\d+)_\d+$/, '$1')).join('-');
  const minorRelease = /^el\d+$/.test(distribution) ? ` ${build[0] ?? 0}` : '';
  return { upstream, build, branch: `${series} ${distribution}${minorRelease}` };
}

/** Negative, 0 or positive; undefined when the two are of different branches. */
export function compareKernelVersions(one: KernelVersion, two: KernelVersion): number | undefined {
  if (one.branch !== two.branch) return undefined;
  return compareNumbers(one.upstream, two.upstream) || compareNumbers(one.build, two.build);
}

function compareNumbers(one: readonly number[], two: readonly number[]): number {
  for (let at = 0; at < Math.max(one.length, two.length); at++) {
    const difference = (one[at] ?? 0) - (two[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

export interface FixState {
  state: 'fixed' | 'not fixed' | 'unknown';
  because: string;
}

/** Whether this kernel has a fix that came with these versions, one for each branch that has it. */
export function hasFix(kernel: string, fixedIn: readonly string[]): FixState {
  const running = parseKernelVersion(kernel);
  if (!running) return { state: 'unknown', because: `${kernel} is a version that cannot be compared` };
  for (const text of fixedIn) {
    const fixed = parseKernelVersion(text);
    const order = fixed && compareKernelVersions(running, fixed);
    if (order === undefined) continue;
    return order >= 0
      ? {
          state: 'fixed',
          because: `${kernel} is ${order === 0 ? '' : 'later than '}${text}, which has the fix`,
        }
      : {
          state: 'not fixed',
          because: `${kernel} is earlier than ${text}, the first of its branch with the fix`,
        };
  }
  const branches = fixedIn.length === 0 ? 'none' : fixedIn.join(', ');
  return {
    state: 'unknown',
    because: `no version with the fix is known for the branch of ${kernel} (known: ${branches})`,
  };
}
