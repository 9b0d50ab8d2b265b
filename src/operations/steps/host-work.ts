// What an operation does on its host, by named actions: it may take minutes, so a look starts it, and later looks
// ask whether it has ended. All of it is harmless twice: after a crash of ours it is simply begun again.
import { CLEAN_RULES_USUAL, type CleanRuleName } from '../../api/diagnosis.ts';
import type { Hosts } from '../../platform/hosts/actions/run.ts';
import { HostError, type HostRef } from '../../platform/hosts/host.ts';
import { messageOf } from '../../platform/kube/errors.ts';
import { hostOf } from '../../signals/targets.ts';
import { noProvider, type Step, type StepContext, type StepResult } from './step.ts';

const AGAIN_MS = 500;
/** Until it may act again. */
const REFUSED_MS = 5_000;

/** `restartUnit` or `cleanDisk`, by the operation's type. */
export const hostWork: Step = async (context) => {
  const { operation, machine, belief, outside } = context;
  if (!outside) return { is: 'failed', why: noProvider(machine.spec.provider.name) };
  const no = context.refusal();
  if (no) return { is: 'waiting', why: no, again_ms: REFUSED_MS };
  const host = hostOf(machine, belief.nodeFace);
  const outcome = await context.background((signal) => workOf(context, outside.hosts, host, signal));
  if (outcome === 'Running')
    return {
      is: 'waiting',
      again_ms: AGAIN_MS,
      why: { reason: 'OnHost', message: `${operation.spec.type} is under way on ${host.ssh}` },
    };
  if ('message' in outcome) return { is: 'done', message: outcome.message };
  return failed(context, outcome.error);
};

function workOf(
  { operation }: StepContext,
  hosts: Hosts,
  host: HostRef,
  signal: AbortSignal,
): Promise<string> {
  const { type, service, cleanRules = CLEAN_RULES_USUAL } = operation.spec;
  return type === 'CleanDisk'
    ? clean(hosts, host, cleanRules, signal)
    : restart(hosts, host, service as NonNullable<typeof service>, signal);
}

async function restart(
  hosts: Hosts,
  host: HostRef,
  unit: 'kubelet' | 'containerd',
  signal: AbortSignal,
): Promise<string> {
  const { active } = await hosts.run(host, 'restartUnit', { unit }, signal);
  return `${unit} restarted: ${active}`;
}

/** One rule after the other, all of them: how much is enough the kubelet says. A rule that can't be done stops no other. */
async function clean(
  hosts: Hosts,
  host: HostRef,
  rules: readonly CleanRuleName[],
  signal: AbortSignal,
): Promise<string> {
  const said: string[] = [];
  let freed_bytes = 0;
  let trouble: unknown;
  for (const rule of rules) {
    try {
      const { files, bytes } = await hosts.run(host, 'cleanDisk', { rule, dryRun: false }, signal);
      freed_bytes += bytes;
      if (files > 0) said.push(`${rule} ${files} files, ${gibOf(bytes)}`);
    } catch (error) {
      if (!(error instanceof HostError) || error.failure !== 'Failed') throw error;
      trouble ??= error;
    }
  }
  if (freed_bytes > 0) return `${gibOf(freed_bytes)} freed: ${said.join('; ')}`;
  throw trouble ?? new Error(`nothing was there to be removed by ${rules.join(', ')}`);
}

const gibOf = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

function failed(context: StepContext, error: unknown): StepResult {
  const { type, service } = context.operation.spec;
  const [reason, what] =
    type === 'CleanDisk'
      ? ['CleaningFailed', 'the disks could not be cleaned']
      : ['RestartFailed', `${service} could not be restarted`];
  return { is: 'failed', why: { reason, message: `${what}: ${messageOf(error)}`.slice(0, 1000) } };
}
