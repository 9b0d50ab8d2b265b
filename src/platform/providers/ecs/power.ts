// Acts on one instance. None but DeleteInstances takes a token: what was sent and not answered is Unknown, and is never
// sent again from here.
import { createHash } from 'node:crypto';
import { SECOND } from '../../clock/clock.ts';
import { messageOf } from '../../kube/errors.ts';
import { type Act, type ActKey, mustBeAble, ProviderError } from '../provider.ts';
import type { EcsApi } from './api.ts';
import { abilitiesOf, type Instance, stateOf } from './instance.ts';
import type { LookUp } from './look-up.ts';

/** Within the guard's 90 s for an act. */
const OFF_MS_MAX = 60 * SECOND;
const POLL_MS = 2 * SECOND;

export async function actOn(
  api: EcsApi,
  lookUp: LookUp,
  id: string,
  act: Act,
  key: ActKey,
  signal?: AbortSignal,
): Promise<void> {
  const found = await lookUp.find(id);
  // Whoever gave it back, it is given back.
  if (found === 'Gone' && act === 'Release') return;
  const instance = typeof found === 'string' ? await lookUp.get(id) : found;
  mustBeAble(abilitiesOf(instance), act);
  await new Acting(api, lookUp, id, signal).do(act, instance, key);
}

class Acting {
  readonly #api: EcsApi;
  readonly #lookUp: LookUp;
  readonly #id: string;
  readonly #signal: AbortSignal | undefined;

  constructor(api: EcsApi, lookUp: LookUp, id: string, signal: AbortSignal | undefined) {
    this.#api = api;
    this.#lookUp = lookUp;
    this.#id = id;
    this.#signal = signal;
  }

  async do(act: Act, instance: Instance, key: ActKey): Promise<void> {
    const state = stateOf(instance);
    switch (act) {
      case 'Reboot':
      case 'ForceReboot':
        if (state === 'Stopped') throw new ProviderError('Refused', 'the power is off');
        if (state === 'Running') return this.#reboot(act === 'ForceReboot');
        // RebootInstances is for what runs. One that hangs in shutting down is got out of it by its power only.
        if (state === 'Stopping' && act === 'ForceReboot') return this.#cycle();
        throw this.#between(state);
      case 'PowerOn':
        if (state === 'Running' || state === 'Starting') return;
        if (state === 'Stopped') return this.#start();
        throw this.#between(state);
      case 'PowerOff':
        if (state === 'Stopped') return;
        return this.#stop();
      case 'PowerCycle':
        if (state === 'Pending') throw this.#between(state);
        return state === 'Stopped' ? this.#start() : this.#cycle();
      case 'Nmi':
        if (state !== 'Running') throw this.#between(state);
        return this.#interrupt();
      case 'Redeploy':
        if (state !== 'Running' && state !== 'Stopped') throw this.#between(state);
        return this.#redeploy();
      case 'Release':
        return this.#release(key);
    }
  }

  #between(state: string): ProviderError {
    return new ProviderError('TryAgain', `${this.#id} is ${state}`, { reason: 'WrongState' });
  }

  /** Off, seen off, and on. From the first call on no failure means that nothing happened. */
  async #cycle(): Promise<void> {
    await this.#stop();
    try {
      await this.#seenOff();
      await this.#start();
    } catch (error) {
      throw new ProviderError('Unknown', `${this.#id}, after its power was taken: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  async #seenOff(): Promise<void> {
    const { clock } = this.#api;
    const deadline = clock.now() + OFF_MS_MAX;
    for (;;) {
      const state = stateOf(await this.#lookUp.get(this.#id));
      if (state === 'Stopped') return;
      if (clock.now() >= deadline) throw new Error(`it is still ${state} after ${OFF_MS_MAX / SECOND} s`);
      await clock.sleep(POLL_MS, this.#signal);
    }
  }

  async #reboot(forceReboot: boolean): Promise<void> {
    const request = { regionId: this.#api.regionId, instanceId: [this.#id], forceReboot };
    await this.#api.call(
      'RebootInstances',
      'Act',
      (client, sdk) => client.rebootInstances(new sdk.RebootInstancesRequest(request)),
      this.#signal,
    );
  }

  async #start(): Promise<void> {
    const request = { regionId: this.#api.regionId, instanceId: [this.#id] };
    await this.#api.call(
      'StartInstances',
      'Act',
      (client, sdk) => client.startInstances(new sdk.StartInstancesRequest(request)),
      this.#signal,
    );
  }

  async #stop(): Promise<void> {
    const request = {
      regionId: this.#api.regionId,
      instanceId: [this.#id],
      forceStop: true,
      // Else a stopped instance may give its hardware back, and not start again for want of stock.
      stoppedMode: 'KeepCharging',
    };
    await this.#api.call(
      'StopInstances',
      'Act',
      (client, sdk) => client.stopInstances(new sdk.StopInstancesRequest(request)),
      this.#signal,
    );
  }

  async #interrupt(): Promise<void> {
    await this.#api.call(
      'SendDiagnosticInterrupt',
      'Act',
      (client, sdk) => {
        const request = { regionId: this.#api.regionId, instanceId: this.#id };
        return client.sendDiagnosticInterrupt(new sdk.SendDiagnosticInterruptRequest(request));
      },
      this.#signal,
    );
  }

  async #redeploy(): Promise<void> {
    await this.#api.call(
      'RedeployInstance',
      'Act',
      (client, sdk) =>
        client.redeployInstance(new sdk.RedeployInstanceRequest({ instanceId: this.#id, forceStop: true })),
      this.#signal,
    );
  }

  async #release(key: ActKey): Promise<void> {
    const request = {
      regionId: this.#api.regionId,
      instanceId: [this.#id],
      force: true,
      clientToken: createHash('sha256').update(key).digest('hex'),
    };
    try {
      await this.#api.call(
        'DeleteInstances',
        'Act',
        (client, sdk) => client.deleteInstances(new sdk.DeleteInstancesRequest(request)),
        this.#signal,
      );
    } catch (error) {
      if (!(error instanceof ProviderError) || error.failure !== 'NotFound') throw error;
    }
  }
}
