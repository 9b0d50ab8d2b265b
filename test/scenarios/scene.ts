// What a scenario may do, whatever it is played on: the embedded API under a stepped clock, or a real control
// plane with Drover and its machines in processes of their own.

import assert from 'node:assert/strict';
import { typeMetaOf } from '../../src/api/crd.ts';
import { type Incident, incidentKind } from '../../src/api/incident.ts';
import type { Kind } from '../../src/api/kind.ts';
import { type Machine, machineKind } from '../../src/api/machine.ts';
import { type NodeOperation, nodeOperationKind } from '../../src/api/node-operation.ts';
import { MINUTE } from '../../src/platform/clock/clock.ts';
import type { KubeClient } from '../../src/platform/kube/client.ts';
import { type KubeObject, NODES, type Node } from '../../src/platform/kube/objects.ts';
import type { Fault, FaultKind } from '../../src/simulation/fleet/faults.ts';
import type { Struck } from '../../src/simulation/fleet/fleet.ts';

const PERSON = 'scenario';

/** Where it is played. */
export interface Ground {
  client: KubeClient;
  strike(kind: FaultKind, machine: string, more?: { lasts_ms?: number; stubborn?: boolean }): Promise<Fault>;
  /** Power acts so far, as the machines saw them. */
  acts(): Promise<readonly Struck[]>;
  /** Lets time pass until `look` finds something; undefined where it does not in time. */
  passUntil<T>(limit_ms: number, look: () => Promise<T | undefined>): Promise<T | undefined>;
  pass(duration_ms: number): Promise<void>;
  now(): number;
}

/** One machine on a ground, with short verbs. */
export class Scene {
  readonly ground: Ground;
  readonly client: KubeClient;
  /** The machine that this scenario is about. */
  readonly machine: string;

  constructor(ground: Ground, machine: string) {
    this.ground = ground;
    this.client = ground.client;
    this.machine = machine;
  }

  async eventually<T>(what: string, limit_ms: number, look: () => Promise<T | undefined>): Promise<T> {
    const found = await this.ground.passUntil(limit_ms, look);
    assert.ok(found !== undefined, `${what}: not within ${limit_ms / 1000} s. ${await this.#story()}`);
    return found;
  }

  /** For what goes wrong at three in the morning: the incident and the operations as they stand. */
  async #story(): Promise<string> {
    const { stage, diagnosis, waiting, attempts } = (await this.incident())?.status ?? {};
    const operations = (await this.operations()).map(({ metadata, spec, status }) => ({
      name: metadata.name,
      type: spec.type,
      state: status?.state,
      waiting: status?.waiting?.message,
    }));
    return JSON.stringify({ stage, cause: diagnosis?.cause, waiting, attempts, operations });
  }

  async incidents(): Promise<Incident[]> {
    const { items } = await this.client.list<KubeObject & Incident>(incidentKind.resource);
    return items.filter(({ spec }) => spec.machine === this.machine);
  }

  async incident(): Promise<Incident | undefined> {
    return (await this.incidents()).at(-1);
  }

  async operations(): Promise<NodeOperation[]> {
    const { items } = await this.client.list<KubeObject & NodeOperation>(nodeOperationKind.resource);
    return items.filter(({ spec }) => spec.machine === this.machine);
  }

  async node(): Promise<Node> {
    return (await this.client.get<Node>(NODES, this.machine)) ?? assert.fail(`no Node ${this.machine}`);
  }

  async object(): Promise<Machine> {
    const found = await this.client.get<KubeObject & Machine>(machineKind.resource, this.machine);
    return found ?? assert.fail(`no Machine ${this.machine}`);
  }

  /** Power acts on this machine. */
  async acts(): Promise<string[]> {
    return (await this.ground.acts()).filter(({ machine }) => machine === this.machine).map(({ act }) => act);
  }

  /** Resolves with the incident once it has ended. */
  ended(limit_ms = 10 * MINUTE): Promise<Incident> {
    return this.eventually('its incident has ended', limit_ms, async () => {
      const incident = await this.incident();
      return incident?.status?.endedAt ? incident : undefined;
    });
  }

  /** Resolves with the incident once it waits for `reason`. */
  waits(reason: string, limit_ms = 3 * MINUTE): Promise<Incident> {
    return this.eventually(`it waits for ${reason}`, limit_ms, async () => {
      const incident = await this.incident();
      return incident?.status?.waiting?.reason === reason ? incident : undefined;
    });
  }

  create(kind: Kind, name: string, spec: unknown): Promise<KubeObject> {
    const object = { ...typeMetaOf(kind), metadata: { name }, spec };
    return this.client.create<KubeObject>(kind.resource, object, PERSON);
  }

  patch(kind: Kind, name: string, patch: unknown): Promise<KubeObject> {
    return this.client.mergePatch<KubeObject>(kind.resource, name, patch, { fieldManager: PERSON });
  }

  patchNode(patch: unknown, subresource?: string): Promise<KubeObject> {
    const options = { fieldManager: PERSON, ...(subresource && { subresource }) };
    return this.client.mergePatch<KubeObject>(NODES, this.machine, patch, options);
  }

  /** A label by which policies and budgets of this scenario select its machine alone. */
  async mark(): Promise<{ matchLabels: Record<string, string> }> {
    const labels = { scenario: this.machine };
    await this.patch(machineKind, this.machine, { metadata: { labels } });
    return { matchLabels: labels };
  }
}

export interface Scenario {
  name: string;
  play(scene: Scene): Promise<void>;
}
