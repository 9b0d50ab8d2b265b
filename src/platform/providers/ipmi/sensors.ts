// What a BMC measures, and why the machine came up last: for people, who wait some seconds for it.
import { type Inventory, ProviderError } from '../provider.ts';

type Sensor = Inventory['sensors'][number];
type Tool = (command: readonly string[]) => Promise<string>;

/** A full rack server has 200; a BMC that lists without end is cut. */
const SENSORS_MAX = 1000;

/** ipmitool's words for the units of IPMI 2.0, table 43-15, in UCUM's. */
const UNITS: Readonly<Record<string, string>> = {
  'degrees C': 'Cel',
  'degrees F': '[degF]',
  'degrees K': 'K',
  Volts: 'V',
  Amps: 'A',
  Watts: 'W',
  Joules: 'J',
  percent: '%',
  unspecified: '',
};

/** Of a threshold that is passed; `ns` is a sensor that is there and does not measure just now. */
const HEALTH: Readonly<Record<string, string>> = {
  ok: 'OK',
  nc: 'Warning',
  lnc: 'Warning',
  unc: 'Warning',
  cr: 'Critical',
  lcr: 'Critical',
  ucr: 'Critical',
  nr: 'Critical',
  lnr: 'Critical',
  unr: 'Critical',
};

/**
 * Sensors with a value, by `sdr list full`. Where the repository is empty ipmitool would erase it to fill it anew, which is
 * the owner's to do: so it is asked for its size first, and nothing is listed then. Throws ProviderError.
 */
export async function readSensors(tool: Tool): Promise<Sensor[]> {
  const info = await tool(['sdr', 'info']);
  const count = /^Record Count\s*:\s*(\d+)/m.exec(info)?.[1];
  if (count === undefined || Number(count) === 0)
    throw new ProviderError(
      'Refused',
      'its repository of sensors is empty, or says no size: ipmitool would erase it to fill it anew, and is not asked',
    );
  return sensorsOf(await tool(['-c', 'sdr', 'list', 'full']));
}

/** Reads lines of `name,value,unit,state`. A name may have commas; states that are no measure (0x…) are left out. */
export function sensorsOf(csv: string): Sensor[] {
  return csv
    .split('\n')
    .flatMap((line) => sensorOf(line.trim()))
    .slice(0, SENSORS_MAX);
}

function sensorOf(line: string): Sensor[] {
  const parts = /^(.+),([^,]*),([^,]*),([a-z]{2,3})$/.exec(line);
  if (!parts) return [];
  const [, name = '', value = '', unit = '', state = ''] = parts;
  if (value.startsWith('0x') || unit === 'discrete') return [];
  const reading = value === '' ? Number.NaN : Number(value);
  const health = HEALTH[state];
  return [
    {
      name,
      unit: UNITS[unit] ?? unit,
      ...(Number.isFinite(reading) && { reading }),
      ...(health && { health }),
    },
  ];
}

/** ipmitool's words for Get System Restart Cause (IPMI 2.0, table 28-11), in ours. It says `unknown` and `OEM` of the rest. */
const CAUSES: Readonly<Record<string, string>> = {
  'chassis power control command': 'a power command to its BMC',
  'reset via pushbutton': 'its reset button',
  'power-up via pushbutton': 'its power button',
  'watchdog expired': 'its watchdog, which had run out',
  'power-up due to always-restore power policy': 'power that came back (it is set to come up then)',
  'power-up due to restore-previous power policy': 'power that came back (it had been on before)',
  'reset via PEF': 'a reset by an event filter of its BMC',
  'power-cycle via PEF': 'a power cycle by an event filter of its BMC',
  'soft reset': 'a reset by its own system',
  'power-up via RTC wakeup': 'its clock, which was set to wake it',
};

/** Undefined where the BMC does not know. Of a machine that is up since long it is what began that boot. */
export function restartCauseOf(text: string): string | undefined {
  const said = /^System restart cause:\s*(.*?)\s*$/m.exec(text)?.[1];
  return said === undefined ? undefined : CAUSES[said];
}
