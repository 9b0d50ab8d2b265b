// Machines whose BMC speaks IPMI 2.0 over LAN (RMCP+), by the ipmitool binary: the protocol's own cryptography is no
// business of ours, and ipmitool knows twenty years of oddities.
import type { IpmiSettings } from '../../../api/machine-provider.ts';
import { BMCS_CANNOT, BMCS_UNLISTED, bmcAddress, bmcLogin, bmcTurns } from '../bmc.ts';
import type { OpenContext } from '../open.ts';
import {
  type Act,
  abilities,
  type BootSource,
  mustBeAble,
  type Provider,
  ProviderError,
  type Reading,
  refused,
  unlisted,
} from '../provider.ts';
import { readInventory } from './inventory.ts';
import { selEntries } from './sel.ts';
import { ipmitool, type Target } from './tool.ts';

const PORT = 623;

const NO_CONSOLE = 'serial over LAN is not followed here: use netconsole';

const CAN = abilities(true, {
  ...BMCS_CANNOT,
  Reboot: 'IPMI asks no operating system to reboot: it can only reset the machine',
  Console: NO_CONSOLE,
});

/** Commands of `ipmitool chassis power`. */
const COMMANDS: Readonly<Partial<Record<Act, string>>> = {
  ForceReboot: 'reset',
  PowerOn: 'on',
  PowerOff: 'off',
  PowerCycle: 'cycle',
  Nmi: 'diag',
};

/** Devices of `ipmitool chassis bootdev`, which are for the next boot only. */
const DEVICES: Readonly<Partial<Record<BootSource, string>>> = {
  None: 'none',
  Pxe: 'pxe',
  Hdd: 'disk',
  Cd: 'cdrom',
  BiosSetup: 'bios',
  Diags: 'diag',
};

export function ipmiProvider(settings: IpmiSettings, { secrets, limit }: OpenContext): Provider {
  const turns = bmcTurns();
  /** Machines whose BMC knows no `chassis power diag`. */
  const withoutNmi = new Map<string, string>();
  const canOf = (id: string) => {
    const why = withoutNmi.get(id);
    return why ? { ...CAN, Nmi: why } : CAN;
  };

  async function tool(id: string, command: readonly string[], signal?: AbortSignal): Promise<string> {
    const { host, port } = bmcAddress(id, PORT);
    const { username, password } = await bmcLogin(secrets, settings.secretRef, host);
    const { cipherSuite, privilege } = settings;
    const target: Target = { host, port, username, password, cipherSuite, privilege };
    return turns.run(host, () => limit(() => ipmitool(target, command, signal), signal), signal);
  }

  async function act(id: string, act: Act, signal?: AbortSignal): Promise<void> {
    mustBeAble(canOf(id), act);
    // A machine that is off takes no cycle (completion code D5h); what is wanted is that it runs.
    const isOff = act === 'PowerCycle' && (await chassis(id, signal)).power === 'Off';
    const command = isOff ? 'on' : (COMMANDS[act] as string);
    try {
      await tool(id, ['chassis', 'power', command], signal);
    } catch (error) {
      if (act === 'Nmi' && error instanceof ProviderError && error.failure === 'Refused')
        withoutNmi.set(id, error.message);
      throw error;
    }
  }

  const chassis = async (id: string, signal?: AbortSignal) =>
    chassisReading(await tool(id, ['chassis', 'status'], signal));

  return {
    describe: async (id, signal) => ({
      ...(await chassis(id, signal)),
      can: canOf(id),
    }),
    act: (id, what, _key, signal) => act(id, what, signal),
    list: () => unlisted(BMCS_UNLISTED),
    eventLog: async (id, signal) => selEntries(await tool(id, ['-c', 'sel', 'list'], signal)),
    bootOnce: async (id, { source, mode }, signal) => {
      const device = DEVICES[source];
      if (!device) throw new ProviderError('Refused', `IPMI has no boot from ${source}`);
      const options = mode === 'UEFI' && device !== 'none' ? ['options=efiboot'] : [];
      await tool(id, ['chassis', 'bootdev', device, ...options], signal);
    },
    inventory: (id, signal) => readInventory((command) => tool(id, command, signal)),
    console: () => refused(NO_CONSOLE),
    close: async () => {},
  };
}

/** Reads `ipmitool chassis status` (Get Chassis Status, IPMI 2.0, 28.2). */
export function chassisReading(text: string): Omit<Reading, 'can'> {
  const values = new Map(
    text.split('\n').map((line) => {
      const [name = '', value = ''] = line.split(/\s*:\s*/, 2);
      return [name.trim(), value.trim().toLowerCase()];
    }),
  );
  const power = values.get('System Power');
  if (power !== 'on' && power !== 'off')
    throw new ProviderError('Broken', `ipmitool chassis status says no power: ${text.slice(0, 200)}`);
  const faults = [
    'Power Overload',
    'Main Power Fault',
    'Power Control Fault',
    'Drive Fault',
    'Cooling/Fan Fault',
  ];
  const health = faults.filter((name) => values.get(name) === 'true').join(', ');
  return { power: power === 'on' ? 'On' : 'Off', console: [], ...(health && { health }) };
}
