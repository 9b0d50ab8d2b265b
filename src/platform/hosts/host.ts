/** Which host, and how it is reached. */
export interface HostRef {
  /** What the provider calls the machine. */
  id: string;
  /** `host:port` of sshd. */
  ssh: string;
  /** Its Node, and the cluster of that, for a way that goes through the cluster. */
  node?: { cluster: string; name: string };
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
