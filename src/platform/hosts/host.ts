import type { Service } from '../../api/diagnosis.ts';

/** Which host, and how it is reached. */
export interface HostRef {
  /** What the provider calls the machine. */
  id: string;
  /** `host:port` of sshd. */
  ssh: string;
}

/**
 * Named actions on a host. No caller can pass a command: a closed list of services, checked at the API,
 * becomes an argument vector, never a shell string.
 */
export interface Hosts {
  /** `systemctl restart SERVICE`. Throws HostError when the host did not answer or the unit did not start. */
  restartService(host: HostRef, service: Service): Promise<void>;
  /**
   * What kdump, pstore and rasdaemon left on the host since then, at most EVIDENCE_BYTES_MAX; only read. Empty where
   * nothing is, or where hosts cannot be read. Throws HostError when the host did not answer.
   *
   * @param since epoch milliseconds, by our clock; a host's clock may be off by an hour
   */
  crashEvidence(host: HostRef, since: number): Promise<HostFile[]>;
}

/** A file that a host keeps of a crash. */
export interface HostFile {
  /** Absolute, as it is on the host. */
  path: string;
  bytes: Uint8Array;
  /** ISO 8601, by the host's clock: not to be trusted alone. */
  changedAt?: string;
}

/** Of one host, together. A kernel's log is 1 to 16 MB. */
export const EVIDENCE_BYTES_MAX = 32 << 20;

/** What a failed run on a host means. */
export const HOST_FAILURES = {
  Unreachable: 'nobody takes connections there, or no way leads there',
  Silent: 'it took the connection, then nothing came: a hang',
  BadCredentials: 'it does not accept our key',
  HostKeyChanged: 'its key is another than the one known: a new installation, or somebody in between',
  HostKeyUnknown: 'its key is not among the known ones',
  CertificateExpired: 'our certificate or the host’s is not valid at this time',
  NotAllowed: 'logged in, but sudo does not allow this action',
  TimedOut: 'it ran and did not end in time; it may still run',
  Cut: 'the connection was lost in the middle; the outcome is not known',
  Failed: 'the action itself failed, or the host could not begin it',
  BadOutput: 'what came back is not what the action prints',
  Refused: 'it was not tried: a parameter or an option is wrong',
} as const;
export type HostFailure = keyof typeof HOST_FAILURES;

/**
 * After these nobody knows whether the action was done, or will be: a host that hangs after the login may wake and run it.
 * After all others but `Failed` and `BadOutput` it was not begun.
 */
export const OUTCOME_OPEN: ReadonlySet<HostFailure> = new Set(['Silent', 'TimedOut', 'Cut']);

export class HostError extends Error {
  override readonly name = 'HostError';
  readonly failure: HostFailure;
  /** Of the action, where it ended by itself. */
  readonly exitCode: number | undefined;

  constructor(message: string, failure: HostFailure = 'Failed', exitCode?: number) {
    super(message);
    this.failure = failure;
    this.exitCode = exitCode;
  }
}
