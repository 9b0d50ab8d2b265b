// Runs named actions: checks the parameters, runs the script, reads the answer, and writes each run down.
import { z } from 'zod';
import type { Clock } from '../../clock/clock.ts';
import { HostError, type HostFailure, type HostRef } from '../host.ts';
import { type Action, EXIT_REFUSED, hasControls } from './action.ts';
import type { Ran, Shell } from './shell.ts';
import {
  type ActionName,
  type ActionSettings,
  type AnswerOf,
  actionOf,
  actionsOf,
  type ParamsOf,
} from './table.ts';

/** Of a parameter, in a record. */
const RECORDED_CHARS_MAX = 200;
const SAID_CHARS_MAX = 500;

/** One run, whatever came of it. */
export interface ActionRecord {
  host: string;
  action: string;
  /** JSON of them, cut. */
  params: string;
  began_ms: number;
  took_ms: number;
  outcome: 'Done' | 'Aborted' | HostFailure;
  message?: string;
}

/** Named actions on hosts: docs of each in its family's file, all of them in table.ts. */
export interface Hosts {
  /** Throws HostError (see HOST_FAILURES); the signal's reason when that is aborted. */
  run<N extends ActionName>(
    host: HostRef,
    name: N,
    params: ParamsOf<N>,
    signal?: AbortSignal,
  ): Promise<AnswerOf<N>>;
}

export interface HostsOptions extends ActionSettings {
  clock: Clock;
  /** Must not throw. */
  onRecord(record: ActionRecord): void;
}

export function hostsOver(shell: Shell, { clock, onRecord, ...settings }: HostsOptions): Hosts {
  const actions = actionsOf(settings);

  async function attempt(
    host: HostRef,
    name: ActionName,
    params: unknown,
    signal?: AbortSignal,
  ): Promise<unknown> {
    if (!Object.hasOwn(actions, name)) throw new HostError(`there is no action ${String(name)}`, 'Refused');
    const action = actionOf(actions, name);
    const { args, checked } = argsOf(action, name, params);
    signal?.throwIfAborted();
    const { script, root, timeout_ms, output_bytes_max } = action;
    const ran = await shell.exec(host, { script, args, root, timeout_ms, output_bytes_max }, signal);
    checkEnd(name, ran, output_bytes_max);
    return parsed(action, name, ran.stdout, checked);
  }

  return {
    async run(host, name, params, signal) {
      const began_ms = clock.now();
      const record = (outcome: ActionRecord['outcome'], message?: string) =>
        onRecord({
          host: host.id,
          action: String(name).slice(0, RECORDED_CHARS_MAX),
          params: recorded(params),
          began_ms,
          took_ms: clock.now() - began_ms,
          outcome,
          ...(message && { message }),
        });
      try {
        const answer = await attempt(host, name, params, signal);
        record('Done');
        return answer as AnswerOf<typeof name>;
      } catch (error) {
        record(outcomeOf(error, signal), error instanceof Error ? error.message : String(error));
        throw error;
      }
    },
  };
}

function argsOf(action: Action, name: string, params: unknown): { args: string[]; checked: unknown } {
  const checked = action.params.safeParse(params);
  if (!checked.success) {
    const issues = z.prettifyError(checked.error).slice(0, SAID_CHARS_MAX);
    throw new HostError(`parameters of ${name} are refused: ${issues}`, 'Refused');
  }
  const args = action.args(checked.data);
  // The schemas see to it; this holds should one of them not.
  if (args.some(hasControls)) throw new HostError(`parameters of ${name} hold control characters`, 'Refused');
  return { args, checked: checked.data };
}

function checkEnd(name: string, { exitCode, stderr, truncated }: Ran, most: number): void {
  if (truncated) throw new HostError(`${name} printed more than ${most} bytes`, 'BadOutput');
  if (exitCode === 0) return;
  const said = saidOf(stderr);
  if (exitCode === EXIT_REFUSED)
    throw new HostError(`the host refused ${name}: ${said}`, 'Refused', exitCode);
  throw new HostError(`${name} failed: ${said} (exit code ${exitCode})`, 'Failed', exitCode);
}

function parsed(action: Action, name: string, output: Buffer, params: unknown): unknown {
  try {
    return action.parse(output, params);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new HostError(`what ${name} printed cannot be read: ${message}`, 'BadOutput');
  }
}

/** The last of what it complained, in one line. */
function saidOf(stderr: Buffer): string {
  const text = stderr.toString('utf8').trim().replace(/\s+/g, ' ');
  return text === '' ? 'it gave no reason' : text.slice(-SAID_CHARS_MAX);
}

function outcomeOf(error: unknown, signal?: AbortSignal): ActionRecord['outcome'] {
  if (error instanceof HostError) return error.failure;
  return signal?.aborted ? 'Aborted' : 'Failed';
}

function recorded(params: unknown): string {
  const cut = (_: string, value: unknown) =>
    typeof value === 'string' && value.length > RECORDED_CHARS_MAX
      ? `${value.slice(0, RECORDED_CHARS_MAX)}…`
      : value;
  return (JSON.stringify(params, cut) ?? 'undefined').slice(0, 5 * RECORDED_CHARS_MAX);
}
