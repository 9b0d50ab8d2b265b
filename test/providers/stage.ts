// What the conformance suite needs of a provider under test: the real protocol on the other side, and the truth of it
// that does not go through Drover.
import { after } from 'node:test';
import { type MachineProvider, machineProviderKind } from '../../src/api/machine-provider.ts';
import { systemClock } from '../../src/platform/clock/system.ts';
import type { KubeClient } from '../../src/platform/kube/client.ts';
import type { SecretReader } from '../../src/platform/kube/secrets.ts';
import type { Act, Provider } from '../../src/platform/providers/provider.ts';
import { Outsides } from '../../src/platform/providers/registry.ts';
import { make } from '../../src/test-builders.ts';

export interface Stage extends AsyncDisposable {
  provider: Provider;
  /** A machine that runs. */
  machine: string;
  /** An id that no machine has; or why this provider can't know. */
  unknown: string | { cannot: string };
  /** The same provider with a password that is wrong; or why it needs none. */
  wrongPassword: Provider | { cannot: string };
  /** Resolves when the outside has seen the machine's power so; throws after a while. */
  hasPower(power: 'On' | 'Off'): Promise<void>;
  /** How often the outside was told to do this to the machine. Reset and cycle may be one to it. */
  seen(act: Act): Promise<number>;
  /** Nobody answers any more, for any machine. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  /** It takes calls and never answers. */
  standStill?(): Promise<void>;
  goOn?(): Promise<void>;
  /** What the other side has been told so far, in its own words. */
  told?(): string[];
  /** Sessions or connections that it holds open for us. */
  held?(): Promise<number>;
}

/** Sessions and timers of theirs would keep the process. */
const all: Provider[] = [];
after(() => Promise.all(all.map((provider) => provider.close())));

export const SECRET = { namespace: 'drover', name: 'bmc' };
export const PASSWORD = 'correct horse';
/** IPMI's are 20 bytes at most, and ipmi_sim's have no spaces. */
export const PASSWORD_SHORT = 'correct-horse';

/** As Drover opens it, with its guard and its limits. */
export function opened(
  spec: unknown,
  secret: Readonly<Record<string, string>> = {},
  client: () => KubeClient | undefined = () => undefined,
): Provider {
  const secrets: SecretReader = async () => secret;
  const object: MachineProvider = make(machineProviderKind, 'under-test', spec);
  const { provider } = new Outsides({ clock: systemClock, secrets, client }).get(object);
  all.push(provider);
  return provider;
}

/** Asks again and again until it holds. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>, within_ms = 20_000) {
  const deadline = systemClock.now() + within_ms;
  while (!(await holds())) {
    if (systemClock.now() > deadline) throw new Error(`not within ${within_ms} ms: ${what}`);
    await systemClock.sleep(50);
  }
}
