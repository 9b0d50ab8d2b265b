// A BMC of OpenStack's pyghmi: power, NMI and SEL over IPMI 2.0.
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Act } from '../../src/platform/providers/provider.ts';
import { Processes } from '../control-plane/processes.ts';
import { freePort } from '../free-ports.ts';
import { pythonWith } from '../python.ts';
import { eventually, opened, PASSWORD_SHORT, SECRET, type Stage } from './stage.ts';

const NAME = 'pyghmi';
const BMC = join(import.meta.dirname, 'pyghmi-bmc.py');
/** What it tells of each act. */
const TOLD: Readonly<Partial<Record<Act, string>>> = {
  ForceReboot: 'reset',
  PowerOn: 'on',
  PowerOff: 'off',
  PowerCycle: 'cycle',
  Nmi: 'nmi',
};

export const pyghmiPackages = () => pythonWith('pyghmi==1.6.19');

export async function pyghmiStage(python: string): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'drover-pyghmi-'));
  const processes = new Processes(folder);
  const port = await freePort();
  const told = () => readFileSync(join(processes.logs, `${NAME}.log`), 'utf8').split('\n');
  const times = (word: string) => told().filter((line) => line === word).length;
  const start = async () => {
    const ready = processes.isRunning(NAME) ? 0 : times0(() => times('ready'));
    processes.start(NAME, join(python, 'python'), [BMC, String(port), 'admin', PASSWORD_SHORT]);
    await eventually('the BMC is ready', () => times('ready') > ready);
  };
  await start();
  const spec = { ipmi: { secretRef: SECRET, cipherSuite: 3 } };
  return {
    provider: opened(spec, { username: 'admin', password: PASSWORD_SHORT }),
    wrongPassword: opened(spec, { username: 'admin', password: 'wrong' }),
    machine: `127.0.0.1:${port}`,
    unknown: { cannot: 'each machine has a BMC of its own: an address where none is does not answer' },
    hasPower: (power) =>
      eventually(`power ${power}`, () => {
        const last = told().findLast((line) => line === 'on' || line === 'off' || line === 'ready');
        return (last === 'off' ? 'Off' : 'On') === power;
      }),
    seen: async (act) => times(TOLD[act] ?? ''),
    told,
    goAway: () => processes.stop(NAME),
    comeBack: start,
    [Symbol.asyncDispose]: () => processes.end(),
  };
}

/** Before its first start it has no log. */
function times0(count: () => number): number {
  try {
    return count();
  } catch {
    return 0;
  }
}
