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
}

export class HostError extends Error {
  override readonly name = 'HostError';
}
