// Titles: what is filled into them, and what is taken out so that one cause has one name everywhere.
import { canonical } from './frames.ts';
import type { Captures } from './pattern.ts';

const VALUE_LENGTH_MAX = 120;

/** `KASAN: {kind} in {frame}`; a frame that is not known is called corrupted, as kernel testers do. */
export function fillTitle(template: string, holes: Captures): string {
  const filled = template.replaceAll(/\{([a-zA-Z]+)\}/g, (_, hole: string) => {
    if (hole === 'frame') return holes.frame ?? 'corrupted';
    const value = holes[hole] ?? '';
    return value === '' ? 'corrupted' : plain(value);
  });
  return filled.trim();
}

/** Without what differs from crash to crash: addresses, numbers, devices, offsets. */
function plain(value: string): string {
  return value
    .slice(0, VALUE_LENGTH_MAX)
    .replaceAll(/\+0x[0-9a-f]+\/0x[0-9a-f]+/g, '')
    .replaceAll(/\b(?:0x)?[0-9a-f]{12,16}\b|\b0x[0-9a-f]+\b/g, 'ADDR')
    .replaceAll(/(?<![\w./-])\d+(?![\w/])/g, 'NUM')
    .replaceAll(/ {2,}/g, ' ')
    .replace(/[ .]+$/, '');
}

const SYSCALL = /^__(?:x64|ia32|x32|arm64|s390x?|riscv|powerpc|loongarch|mips)_(?:compat_)?sys_(\w+)$/;
const SYSCALL_BODY =
  /^(?:__se_sys|__do_sys|SyS|SYSC|__se_compat_sys|__do_compat_sys|compat_SyS|C_SYSC)_(\w+)$/;

/** A function as one speaks of it: the same system call has many names, by architecture and kernel version. */
export function spokenName(func: string): string {
  const name = canonical(func);
  if (name.includes(':')) return name;
  const entry = SYSCALL.exec(name);
  if (entry) return `sys_${entry[1]}`;
  const body = SYSCALL_BODY.exec(name);
  return body ? (body[1] as string) : name;
}
