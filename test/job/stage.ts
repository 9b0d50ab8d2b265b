// Shells over Jobs on a real control plane.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobSettings } from '../../src/api/machine-provider.ts';
import type { Clock } from '../../src/platform/clock/clock.ts';
import { systemClock } from '../../src/platform/clock/system.ts';
import type { Shell } from '../../src/platform/hosts/actions/shell.ts';
import { jobShell } from '../../src/platform/hosts/job/job-shell.ts';
import { KubeClient } from '../../src/platform/kube/client.ts';
import { NAMESPACES } from '../../src/platform/kube/objects.ts';
import { type ControlPlane, startControlPlane } from '../control-plane/start.ts';

export const SETTINGS: JobSettings = {
  namespace: 'drover-hosts',
  image: 'busybox:1.37',
  priorityClassName: 'system-node-critical',
  imagePullSecrets: [],
};

export interface JobStage extends AsyncDisposable {
  plane: ControlPlane;
  client: KubeClient;
  folder: string;
  /** As `user`: admin by default. */
  shell(settings?: Partial<JobSettings>, user?: string): Shell;
  shellBy(client: KubeClient, clock?: Clock): Shell;
  /** Whose runs keep their output there. */
  shellIn(folder: string): Shell;
  makeNamespace(name: string, podSecurity: 'privileged' | 'baseline'): Promise<void>;
}

export async function jobStage(users: readonly string[] = []): Promise<JobStage> {
  const plane = await startControlPlane({ users: users.map((name) => ({ name })) });
  const folder = mkdtempSync(join(tmpdir(), 'drover-job-'));
  const opened = [plane.transport()];
  const clientAs = (user?: string) => {
    const transport = plane.transport(user);
    opened.push(transport);
    return new KubeClient(transport, systemClock);
  };
  const client = clientAs();
  const makeNamespace = async (name: string, podSecurity: string) => {
    const labels = { 'pod-security.kubernetes.io/enforce': podSecurity };
    await client.create(
      NAMESPACES,
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } },
      'test',
    );
  };
  const runs = join(folder, 'runs');
  const over = (
    kube: KubeClient,
    rest: { settings?: Partial<JobSettings> | undefined; clock?: Clock; folder?: string },
  ) =>
    jobShell(
      { ...SETTINGS, ...rest.settings },
      {
        clock: rest.clock ?? systemClock,
        client: (cluster) => (cluster === 'home' ? kube : undefined),
        folder: rest.folder ?? runs,
      },
    );
  await makeNamespace(SETTINGS.namespace, 'privileged');
  return {
    plane,
    client,
    folder,
    shell: (settings, user) => over(user === undefined ? client : clientAs(user), { settings }),
    shellBy: (kube, clock) => over(kube, { ...(clock && { clock }) }),
    shellIn: (other) => over(client, { folder: other }),
    makeNamespace,
    async [Symbol.asyncDispose]() {
      for (const transport of opened) transport.close();
      await plane.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
