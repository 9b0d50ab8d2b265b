// A shell over the agent of one instance of the stand-in. What the agent is told, this machine's own /bin/sh runs.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { machineProviderKind } from '../../src/api/machine-provider.ts';
import type { Clock } from '../../src/platform/clock/clock.ts';
import { scaledClock } from '../../src/platform/clock/scaled.ts';
import { systemClock } from '../../src/platform/clock/system.ts';
import type { Shell } from '../../src/platform/hosts/actions/shell.ts';
import type { HostRef } from '../../src/platform/hosts/host.ts';
import { limiter } from '../../src/platform/limits.ts';
import { ecsAgent } from '../../src/platform/providers/ecs/agent.ts';
import { EcsApi } from '../../src/platform/providers/ecs/api.ts';
import {
  type CommandRun,
  type EcsMachine,
  type EcsService,
  madeUpMachine,
  serveEcs,
} from '../../src/simulation/ecs/index.ts';
import { make } from '../../src/test-builders.ts';
import { KEY, seeded, specOf, TYPES, ZONES } from '../providers/ecs.ts';

/** A second of theirs is a twentieth of ours; what the commands do themselves takes the time it takes. */
const SPEED = 20;

export interface AgentMachine extends AsyncDisposable {
  ecs: EcsService;
  clock: Clock;
  shell: Shell;
  host: HostRef;
  /** Where runs leave their output. */
  folder: string;
  /** What the agent was told, as it came. */
  commands: string[];
}

/** @param agent instead of one that runs what it is told */
export async function agentMachine(agent?: EcsMachine['run']): Promise<AgentMachine> {
  await import('@alicloud/ecs20140526');
  const clock = scaledClock(systemClock, SPEED, systemClock.random, systemClock.id);
  const folder = mkdtempSync(join(tmpdir(), 'drover-agent-'));
  const commands: string[] = [];
  const stop = new AbortController();
  const run: EcsMachine['run'] = (command) => {
    commands.push(command);
    return agent ? agent(command) : ran(command, stop.signal);
  };
  const ecs = await serveEcs({
    clock,
    region: 'cn-beijing',
    zones: ZONES,
    types: TYPES,
    accounts: [KEY],
    machineFor: (instance) => ({ ...madeUpMachine(instance), run }),
  });
  const [id] = seeded(ecs) as [string];
  const { spec } = make(machineProviderKind, 'ecs', specOf(ecs.endpoint));
  if (!spec.ecs) throw new Error('the spec has no ecs');
  const limit = limiter(clock, { perSecond: 1000, concurrent: 32 });
  const api = new EcsApi(spec.ecs, { clock, secrets: async () => KEY, limit, onRecord: () => {} });
  return {
    ecs,
    clock,
    shell: ecsAgent(api, { folder: join(folder, 'runs') }),
    host: { id, ssh: '192.0.2.1:22' },
    folder: join(folder, 'runs'),
    commands,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ecs.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function ran(command: string, signal: AbortSignal): Promise<CommandRun | undefined> {
  const options = { encoding: 'buffer', maxBuffer: 64 << 20, signal } as const;
  return new Promise((resolve) => {
    // `2>&1`: the agent keeps them together.
    execFile('/bin/sh', ['-c', `exec 2>&1\n${command}`], options, (error, stdout) => {
      const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : 137;
      resolve(signal.aborted ? undefined : { exitCode, output: stdout });
    });
  });
}
