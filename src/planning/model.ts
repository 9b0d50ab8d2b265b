// What is planned for and what can be had, whichever way it was written down: tables, custom resources, a cluster.
import type { Quantity } from '../platform/kube/quantity.ts';

export const RESOURCES_MAX = 32;
export const WORKLOADS_MAX = 10_000;
export const OFFERS_MAX = 500;
/** Classes times zones times offload profiles. */
export const BINS_MAX = 2_000;
export const REPLICAS_MAX = 10_000_000;

/** By name of the resource. What is not named is not needed, or not there. */
export type Amounts = ReadonlyMap<string, Quantity>;

/** Pods that are all equal. */
export interface Workload {
  name: string;
  /** Where it was written, for errors: `pods.csv, line 3`. */
  from: string;
  replicas: number;
  need: Amounts;
  /** Offline Pods live in the offline part of a machine that has one. */
  part: 'Online' | 'Offline';
  /** Kind of workload, as MachineClasses name those that suit them. */
  kind?: string;
  /** Classes that it may be on; undefined: all. */
  classes?: readonly string[];
  /** On one machine at most. */
  perMachine?: number;
  /** Workloads that it may not share a machine with. */
  apart: readonly string[];
  /** Evenly over the zones. */
  spread: boolean;
  /** For print: what its containers need by their role (Main, Operations, Helper), as parts of `need`. */
  containers?: ReadonlyMap<string, Amounts>;
  /** For print: of each of its cloud disks. No machine runs short of it. */
  cloudDiskSize?: Quantity;
}

/** Machines that are all equal, and can be had. */
export interface Offer {
  /** Of its class. */
  name: string;
  from: string;
  room: Amounts;
  /** What a machine keeps for Pods of one part, of resources that it divides. */
  parts?: { online: Amounts; offline: Amounts };
  /** In billionths of whatever prices are in. */
  price: Quantity;
  /** Ours already: filled first, at no price. */
  owned: boolean;
  /** In all zones together. */
  max?: number;
  /** Where it can be had; undefined: in every zone, any number. `max` undefined: any number. */
  zones?: readonly { zone: string; max?: number }[];
  /** One of these is chosen for each machine; its amounts go before those of `room`. */
  profiles?: readonly { name: string; room: Amounts }[];
  /** Kinds of workloads that suit it; undefined: all. */
  kinds?: readonly string[];
}

export interface Wishes {
  /** Percent of everything that stays free. */
  headroom: number;
  /** So many machines may fail together, and all Pods still have room. */
  spares: number;
  /** Any one zone may fail, and all Pods still have room. */
  loseZone: boolean;
  /** Percent of all machines that one class may be at most. */
  shareMax?: number;
  /** Classes at most. */
  typesMax?: number;
  /** Zones to spread over; empty: those that the offers name. */
  zones: readonly string[];
}

export const NO_WISHES: Wishes = { headroom: 0, spares: 0, loseZone: false, zones: [] };

/** Bad input: the message names the place, what is wrong and what would be right. */
export class PlanError extends Error {
  override readonly name = 'PlanError';
}
