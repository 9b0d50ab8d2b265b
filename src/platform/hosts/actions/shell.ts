// What a way to hosts has to be able to do: SSH, a Kubernetes Job, a provider's agent.
import type { HostRef } from '../host.ts';

export interface Order {
  /** One line of POSIX sh, of the code: never made from parameters. */
  script: string;
  /** Reach the script as "$1", "$2" …; without line ends and NUL. */
  args: readonly string[];
  /** Run as root. */
  root: boolean;
  /** For the run itself; reaching the host has limits of the transport's own. */
  timeout_ms: number;
  output_bytes_max: number;
}

export interface Ran {
  /** Undefined where the output was cut: then the run was not waited for. */
  exitCode: number | undefined;
  /** At most output_bytes_max, and no more than what the script printed. */
  stdout: Buffer;
  /** The end of it. */
  stderr: Buffer;
  /** Whether there was more output than wanted. */
  truncated: boolean;
  duration_ms: number;
}

export interface Shell {
  /**
   * Runs it and waits. A script that fails is an answer, with its exit code.
   *
   * Throws HostError Unreachable, Silent, BadCredentials, HostKeyChanged, HostKeyUnknown, CertificateExpired,
   * NotAllowed, TimedOut, Cut or Refused; the signal's reason when that is aborted.
   */
  exec(host: HostRef, order: Order, signal?: AbortSignal): Promise<Ran>;
}

/** How much of an action's complaints is kept. */
export const STDERR_BYTES_MAX = 4096;
