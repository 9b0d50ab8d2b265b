// A Redfish service of our own, for tests of clients and for simulations: README.md.

export {
  type Board,
  type BoardEvent,
  type Firmware,
  type Health,
  type LogEntry,
  type Power,
  RESET_TYPES,
  Refusal,
  type ResetType,
  type Sensor,
} from './board.ts';
export type { Faults } from './faults.ts';
export { FleetBoard } from './fleet-board.ts';
export type { Seen } from './journal.ts';
export { MadeUpBoard, type MadeUpBoardOptions } from './made-up-board.ts';
export { type RedfishOptions, type RedfishService, serveRedfish } from './server.ts';
export type { User } from './service.ts';
export { VENDORS, type Vendor, type VendorName } from './vendors.ts';
