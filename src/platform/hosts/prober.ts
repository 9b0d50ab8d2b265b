// Patrol looks at two TCP ports of each machine from where the controller stands: the fastest sign that
// something is wrong, and a vantage point that does not go through the control plane.

/**
 * What one port did. `Answers`: the service spoke (sshd its banner, the kubelet its TLS hello).
 * `Silent`: the kernel took the connection, but nothing spoke: the sign of a hang. `Refused`: the host
 * lives, the service does not listen. `Timeout`: nothing came back at all.
 */
export type Answer = 'Answers' | 'Silent' | 'Refused' | 'Timeout';

export interface Target {
  /** Name of the machine. */
  machine: string;
  /** What its provider calls it. */
  id: string;
  /** `host:port` */
  ssh: string;
  kubelet: string;
}

export interface Probe {
  ssh: Answer;
  kubelet: Answer;
}

export interface Prober {
  /**
   * Probes all targets, in one round with bounded concurrency; the answer has their order. A target that
   * could not be probed for a reason on our side (no file handles, no route) is `undefined`: no evidence.
   */
  probe(targets: readonly Target[], signal: AbortSignal): Promise<(Probe | undefined)[]>;
}
