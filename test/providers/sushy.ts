// OpenStack's sushy-tools: a Redfish emulator that others wrote, whose power takes 1 to 11 s to change.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Act } from '../../src/platform/providers/provider.ts';
import { Processes } from '../control-plane/processes.ts';
import { freePort } from '../free-ports.ts';
import { pythonWith } from '../python.ts';
import { proxyTo } from './proxy.ts';
import { eventually, opened, PASSWORD, SECRET, type Stage } from './stage.ts';

const UUID = '11111111-0000-4000-8000-000000000001';
const NAME = 'sushy';
/** Of PASSWORD, at the least cost. */
const PASSWORD_BCRYPT = '$2b$04$UuvEEXe9RrkUT43Jt48cq.FWGdHiz5OlM043PJXiZxgVSvsS40nPC';
/** The reset that each act comes to with what this emulator allows. A cycle is ForceOff and On. */
const RESETS: Readonly<Partial<Record<Act, string>>> = {
  Reboot: 'GracefulRestart',
  ForceReboot: 'ForceRestart',
  PowerOn: 'On',
  PowerOff: 'ForceOff',
  PowerCycle: 'On',
  Nmi: 'Nmi',
};

export const sushyPackages = () => pythonWith('sushy-tools==2.2.0', 'bcrypt==5.0.0');

export async function sushyStage(python: string): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'drover-sushy-'));
  const processes = new Processes(folder);
  const port = await freePort();
  const file = (name: string) => join(folder, name);
  const system = { uuid: UUID, name: 'node-1', power_state: 'On', external_notifier: false, nics: [] };
  const settings = {
    SUSHY_EMULATOR_LISTEN_IP: '127.0.0.1',
    SUSHY_EMULATOR_LISTEN_PORT: port,
    SUSHY_EMULATOR_STATE_DIR: file('state'),
    SUSHY_EMULATOR_AUTH_FILE: file('htpasswd'),
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`);
  lines.push(`SUSHY_EMULATOR_FAKE_SYSTEMS = [${JSON.stringify(system).replace('false', 'False')}]\n`);
  writeFileSync(file('emulator.conf'), lines.join(''));
  writeFileSync(file('htpasswd'), `admin:${PASSWORD_BCRYPT}\n`);
  const url = `http://127.0.0.1:${port}/redfish/v1/Systems/${UUID}`;
  const authorization = `Basic ${Buffer.from(`admin:${PASSWORD}`).toString('base64')}`;
  const truth = async () => {
    const response = await fetch(url, { headers: { authorization } });
    return ((await response.json()) as { PowerState: string }).PowerState;
  };
  const answers = () =>
    fetch(`http://127.0.0.1:${port}/redfish/v1/`).then(
      () => true,
      () => false,
    );
  processes.start(NAME, join(python, 'python'), [
    join(python, 'sushy-emulator'),
    '--fake',
    '--config',
    file('emulator.conf'),
  ]);
  await eventually('the emulator listens', answers);
  const spec = { redfish: { secretRef: SECRET, scheme: 'HTTP' } };
  const proxy = await proxyTo(port);
  const address = `127.0.0.1:${proxy.port}`;
  return {
    provider: opened(spec, { username: 'admin', password: PASSWORD }),
    wrongPassword: opened(spec, { username: 'admin', password: 'wrong' }),
    machine: address,
    unknown: `${address}/redfish/v1/Systems/22222222-0000-4000-8000-000000000002`,
    hasPower: (power) => eventually(`power ${power}`, async () => (await truth()) === power),
    seen: async (act: Act) =>
      proxy.requests.filter((request) => request.includes(`"ResetType":"${RESETS[act]}"`)).length,
    told: () => proxy.requests,
    goAway: proxy.goAway,
    comeBack: proxy.comeBack,
    [Symbol.asyncDispose]: async () => {
      await proxy.goAway();
      await processes.end();
    },
  };
}
