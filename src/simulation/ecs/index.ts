// A stand-in for the ECS API of Alibaba Cloud, for tests and simulations: README.md.

export type { Cloud, CloudOptions, Durations, Instance, OrderMade, Status, TypeFacts } from './cloud.ts';
export { type CommandRun, type EcsMachine, type MachineFor, madeUpMachine } from './ecs-machine.ts';
export { type Announcement, announce, type EventState, finish, type SystemEvent } from './events.ts';
export type { Faults } from './faults.ts';
export type { Identities } from './metadata.ts';
export { type Call, type EcsOptions, type EcsService, serveEcs } from './server.ts';
export type { Account } from './signature.ts';
