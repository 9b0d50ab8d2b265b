// What Drover may do on a simulated host: the named actions that its machines have something for.
import type { Service } from '../../api/diagnosis.ts';
import type { Cleaning } from '../../platform/hosts/actions/clean-disk.ts';
import type { CrashFile, Piece } from '../../platform/hosts/actions/crash-files.ts';
import type { Hosts } from '../../platform/hosts/actions/run.ts';
import type { UnitState } from '../../platform/hosts/actions/units.ts';
import { HostError } from '../../platform/hosts/host.ts';
import type { SimulatedFleet } from './fleet.ts';
import type { SimulatedMachine } from './machine.ts';

const ACT_MS = 2_000;
const LOG_BYTES = 40 * 2 ** 30;
const DISK_BYTES = 200 * 2 ** 30;

export function simulatedHosts(fleet: SimulatedFleet): Hosts {
  return {
    async run({ id }, name, params) {
      const machine = fleet.get(id);
      const act = ACTIONS[name];
      if (!act) throw new HostError(`simulated hosts have no action ${name}`, 'Refused');
      mustAnswer(fleet, machine);
      if (TAKES_TIME.has(name)) {
        await fleet.clock.sleep(ACT_MS);
        mustAnswer(fleet, machine);
      }
      return act(machine, params as never) as never;
    },
  };
}

function mustAnswer(fleet: SimulatedFleet, machine: SimulatedMachine): void {
  if (machine.phase === 'Hung')
    throw new HostError(`${machine.name} takes connections and says nothing`, 'Silent');
  if (machine.phase !== 'Running' || !fleet.isConnected(machine))
    throw new HostError(`${machine.name} does not answer`, 'Unreachable');
}

const TAKES_TIME: ReadonlySet<string> = new Set(['restartUnit', 'cleanDisk']);

const ACTIONS: Readonly<Record<string, (machine: SimulatedMachine, params: never) => unknown>> = {
  restartUnit,
  cleanDisk,
  crashFiles,
  readFile,
};

function restartUnit(machine: SimulatedMachine, { unit }: { unit: string }): UnitState {
  const service = unit as Service;
  if (machine.stubborn.has(service))
    throw new HostError(`${unit}.service: Main process exited, code=exited, status=1/FAILURE`);
  machine.setService(service, true);
  return { unit, load: 'loaded', active: 'active', sub: 'running', result: 'success' };
}

function cleanDisk(machine: SimulatedMachine, { rule, dryRun }: { rule: string; dryRun: boolean }): Cleaning {
  const freed = machine.diskFull && rule === 'RotatedLogs' && !machine.diskStubborn ? LOG_BYTES : 0;
  const before = machine.diskFull ? 0 : LOG_BYTES;
  if (freed > 0 && !dryRun) machine.setDiskFull(false);
  return {
    files: freed > 0 ? 400 : 0,
    bytes: freed,
    named: freed > 0 ? [{ path: '/var/log/app.log-20261101.gz', size_bytes: LOG_BYTES / 400 }] : [],
    open: 0,
    availableBefore_bytes: before,
    availableAfter_bytes: dryRun ? before : Math.min(DISK_BYTES, before + freed),
  };
}

function crashFiles({ dumps }: SimulatedMachine, { since }: { since: number }): CrashFile[] {
  return dumps
    .filter(({ at }) => at >= since)
    .map(({ at, path, log }) => ({
      path,
      size_bytes: log.length,
      changedAt: new Date(at).toISOString(),
      state: 'Complete',
    }));
}

function readFile(
  { dumps, name }: SimulatedMachine,
  { path, from_bytes, bytes_max }: { path: string; from_bytes: number; bytes_max: number },
): Piece {
  const dump = dumps.find((each) => each.path === path);
  if (!dump) throw new HostError(`${name} has no ${path}`);
  const bytes = Buffer.from(dump.log).subarray(from_bytes, from_bytes + bytes_max);
  return {
    size_bytes: dump.log.length,
    changedAt: new Date(dump.at).toISOString(),
    bytes,
    isLast: from_bytes + bytes.length >= dump.log.length,
  };
}
