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

export class HostError extends Error {
  override readonly name = 'HostError';
}
