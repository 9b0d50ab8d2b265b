// What groups crashes of one root cause, whatever the build, the kernel version or the architecture.
import { createHash } from 'node:crypto';

/** Of one crash, as far as it tells its root cause. */
export interface Traits {
  title: string;
  class: string;
  frame?: string | undefined;
  corrupted: boolean;
}

/**
 * A short name of the title, freed of what differs between kernels. Damaged reports of one class share a
 * signature of their own: their names cannot be trusted, but they must not vanish.
 */
export function signatureOf({ title, class: kind, frame, corrupted }: Traits): string {
  const name = corrupted && frame === undefined ? `damaged ${kind}` : stable(title);
  return `c-${createHash('sha256').update(name).digest('hex').slice(0, 10)}`;
}

/** Old kernels say SyS_read, new ones __x64_sys_read: titles have `read` or `sys_read` for both. */
function stable(title: string): string {
  return title
    .replaceAll(/\b(?:sys_|SyS_|ksys_)(?=\w)/g, '')
    .replaceAll(/\b(\w+?)(?:_unlocked|_locked)\b/g, '$1')
    .replaceAll(/\bslab-(?=out-of-bounds|use-after-free)/g, '')
    .toLowerCase();
}
