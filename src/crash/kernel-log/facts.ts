// What a report says of its surroundings: kernel, machine, process, CPU, taints, modules.
import type { LogLine } from './line.ts';

export interface Facts {
  kernel?: string;
  hardwareName?: string;
  /** The letters of https://docs.kernel.org/admin-guide/tainted-kernels.html */
  taints?: string;
  process?: string;
  pid?: number;
  cpu?: number;
  workqueue?: string;
  modules?: string[];
}

const MODULES_MAX = 300;

// CPU: 1 [UID: 0] PID: 8377 Comm: java Not tainted 4.12.0-rc7+ #2
const CPU = /^CPU: (\d{1,5})\b/;
const PID = / PID: (\d{1,9}) /;
const COMM = / Comm: (\S[^\n]{0,40}?) (?:Not tainted|Tainted: |Kdump: )/;
const PIDCOMM = /^Pid: (\d{1,9}), comm: (\S{1,40}) /;
const TAINTED = /(?:Not tainted|Tainted: ([A-Z ()]{1,40}?))(?: +\[[A-Z, =()]{1,100}\],?)? +\(?(\d\S{2,100})/;
const VERSION = /^Linux version (\S{1,100})/;

/** The first answer counts: a report speaks of its own CPU before it speaks of others. */
export function factsOf(lines: readonly LogLine[]): Facts {
  const facts: Facts = {};
  for (const { text } of lines) {
    if (text.startsWith('CPU: ') || text.startsWith('Pid: ')) ofCpu(text, facts);
    else if (text.startsWith('Hardware name: ')) facts.hardwareName ??= text.slice(15).trim();
    else if (text.startsWith('Workqueue: ')) facts.workqueue ??= text.slice(11).trim();
    else if (text.startsWith('Modules linked in:')) facts.modules ??= modulesOf(text);
    else if (facts.kernel === undefined && text.includes('ainted')) ofTaint(text, facts);
    else if (facts.kernel === undefined && text.startsWith('Linux version ')) ofVersion(text, facts);
  }
  return facts;
}

function ofCpu(text: string, facts: Facts): void {
  const cpu = CPU.exec(text)?.[1];
  if (cpu !== undefined) facts.cpu ??= Number(cpu);
  const old = PIDCOMM.exec(text);
  const pid = old?.[1] ?? PID.exec(text)?.[1];
  if (pid !== undefined) facts.pid ??= Number(pid);
  const process = old?.[2]?.replace(/,$/, '') ?? COMM.exec(text)?.[1];
  if (process !== undefined) facts.process ??= process;
  ofTaint(text, facts);
}

function ofTaint(text: string, facts: Facts): void {
  const found = TAINTED.exec(text);
  if (!found) return;
  facts.taints ??= (found[1] ?? '').replace(/[ ()]/g, '').replace(/^G/, '');
  if (found[2]) facts.kernel ??= found[2].replace(/\)$/, '');
}

function ofVersion(text: string, facts: Facts): void {
  const version = VERSION.exec(text)?.[1];
  if (version !== undefined) facts.kernel = version;
}

/** Modules that were loaded, without their marks: `nvme(O) mlx5_core [last unloaded: x]`. */
function modulesOf(text: string): string[] {
  const names = text.slice('Modules linked in:'.length).split('[')[0] as string;
  return names
    .split(' ')
    .map((name) => name.split('(')[0] as string)
    .filter((name) => name !== '')
    .slice(0, MODULES_MAX);
}
