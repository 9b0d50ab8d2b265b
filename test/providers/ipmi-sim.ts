// OpenIPMI's ipmi_sim: a BMC that others wrote, with power and SEL. It knows no NMI.
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Act } from '../../src/platform/providers/provider.ts';
import { Processes } from '../control-plane/processes.ts';
import { missingPrograms } from '../debian.ts';
import { freePort } from '../free-ports.ts';
import { eventually, opened, PASSWORD_SHORT, SECRET, type Stage } from './stage.ts';

const NAME = 'ipmi_sim';
/** How the machine's power is told to change, as the simulator's script sees it. */
const CALLS: Readonly<Partial<Record<Act, string>>> = {
  ForceReboot: 'set reset 1',
  PowerOn: 'set power 1',
  PowerOff: 'set power 0',
  // Off, and on a second later.
  PowerCycle: 'set power 1',
};

export const noIpmiSim = () => missingPrograms(['openipmi', 'ipmitool'], ['ipmi_sim', 'ipmitool']);

export async function ipmiSimStage({ sensors = true } = {}): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'drover-ipmi-'));
  const processes = new Processes(folder);
  const [port, console] = [await freePort(), await freePort()];
  const file = (name: string) => join(folder, name);
  mkdirSync(file('state'));
  writeFileSync(file('power'), '1\n');
  writeFileSync(file('calls'), '');
  writeFileSync(file('chassis.sh'), CHASSIS, { mode: 0o755 });
  writeFileSync(file('sim.emu'), machineWith(sensors ? SENSORS : ''));
  const kinds = ['callback', 'user', 'operator', 'admin'];
  const lan = [
    'name "bmc"',
    'set_working_mc 0x20',
    'startlan 1',
    `addr 127.0.0.1 ${port}`,
    'priv_limit admin',
    ...kinds.map((kind) => `allowed_auths_${kind} none md2 md5 straight`),
    'guid a123456789abcdefa123456789abcdef',
    'endlan',
    `chassis_control "${file('chassis.sh')} ${folder}"`,
    `console 127.0.0.1 ${console}`,
    `user 2 true "admin" "${PASSWORD_SHORT}" admin 10 none md2 md5 straight`,
  ];
  writeFileSync(file('lan.conf'), `${lan.join('\n')}\n`);
  const spec = { ipmi: { secretRef: SECRET, cipherSuite: 3 } };
  const secret = { username: 'admin', password: PASSWORD_SHORT };
  const provider = opened(spec, secret);
  const machine = `127.0.0.1:${port}`;
  const start = async () => {
    processes.start(NAME, 'ipmi_sim', [
      '-c',
      file('lan.conf'),
      '-f',
      file('sim.emu'),
      '-s',
      file('state'),
      '-n',
    ]);
    const answers = () =>
      opened(spec, secret)
        .describe(machine)
        .then(
          () => true,
          () => false,
        );
    await eventually('ipmi_sim answers', answers);
  };
  await start();
  const calls = () => readFileSync(file('calls'), 'utf8').split('\n');
  return {
    provider,
    wrongPassword: opened(spec, { username: 'admin', password: 'wrong' }),
    machine,
    unknown: { cannot: 'each machine has a BMC of its own: an address where none is does not answer' },
    hasPower: (power) =>
      eventually(
        `power ${power}`,
        () => readFileSync(file('power'), 'utf8').trim() === (power === 'On' ? '1' : '0'),
      ),
    seen: async (act) => calls().filter((call) => call === CALLS[act]).length,
    told: calls,
    goAway: () => processes.stop(NAME),
    comeBack: start,
    [Symbol.asyncDispose]: () => processes.end(),
  };
}

/** Arguments: folder, `get` or `set`, what, value. */
const CHASSIS = `#!/bin/sh
folder=$1
shift
case "$1 $2" in
'get power') echo "power:$(cat "$folder/power")" ;;
'set power') echo "$3" >"$folder/power" ;;
esac
[ "$1" = get ] || echo "$*" >>"$folder/calls"
`;

/** A full record of a sensor with thresholds (IPMI 2.0, table 43-1): a reading of 1 is `factor` of `unit`. */
function sensor(number: number, kind: number, unit: number, factor: number, name: string): string {
  const entity = [3, 1, 0x67, 0x88];
  const masks = [0xc0, 0x0f, 0xc0, 0x7f, 0x38, 0x38];
  const linear = [0, unit, 0, 0, factor, 0, 0, 0, 0, 0, 3];
  const limits = [0x60, 0xb0, 0, 0xb0, 0, 0xa0, 0x90, 0x70, 0, 0, 0, 0, 0, 0, 0, 0];
  const text = [0xc0 | name.length, ...Buffer.from(name)];
  const body = [0x20, 0, number, ...entity, kind, 1, ...masks, ...linear, ...limits, ...text];
  const bytes = [0, 0, 0x51, 1, body.length, ...body].map((byte) => `0x${byte.toString(16)}`);
  return `sensor_add 0x20 0 ${number} ${kind} 0x01
main_sdr_add 0x20 ${bytes.join(' ')}
sensor_set_event_support 0x20 0 ${number} enable scanning per-state ${'000111111000000 '.repeat(4)}`;
}

/** A BMC with one entry in its log: an uncorrectable error of the memory. `sensors` may be none. */
const machineWith = (sensors: string) => `mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02
sel_enable 0x20 1000 0x0a
sel_add 0x20 2 0 0 0 0 0x20 0 0x04 0x0c 0x08 0x6f 0xa1 0xff 0x03
${sensors}mc_enable 0x20
`;

const SENSORS = `${sensor(1, 1, 1, 1, 'CPU1 Temp')}
sensor_set_value 0x20 0 1 61 0
${sensor(2, 4, 18, 100, 'FAN1')}
sensor_set_value 0x20 0 2 55 0
`;
