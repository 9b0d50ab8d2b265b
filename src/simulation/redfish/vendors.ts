// What four vendors do differently, as data. [I] from issue threads, [D] from the vendor's documents,
// [K] general knowledge that nobody checked here. Versions are those of the schemas we were checked with.

import { MINUTE } from '../../platform/clock/clock.ts';
import type { ResetType } from './board.ts';

export type VendorName = 'Dell' | 'HPE' | 'Lenovo' | 'OpenBMC';

/** Ids with `{n}` (from 1) and `{name}` (the board's) filled in. */
export interface Ids {
  system: string;
  chassis: string;
  manager: string;
}

export interface LogPlace {
  under: 'Systems' | 'Managers';
  id: string;
  name: string;
}

/** A message of the vendor's own registry. */
export interface Said {
  status: number;
  /** Registry prefix and key, such as `IDRAC.2.8.RAC0218`. */
  id: string;
  text: string;
}

export interface Vendor {
  name: VendorName;
  manufacturer: string;
  product: string;
  managerModel: string;
  /** Of one board, and of several behind one service. */
  ids: Ids;
  idsOfMany: Ids;
  resets: readonly ResetType[];
  /** Where the client reads which resets there are. */
  resetsListedIn: 'AllowableValues' | 'ActionInfo' | 'Both';
  /** What a reset answers. 200 is with the message `Success`, 202 with the Location of a task's monitor. */
  resetAnswers: 200 | 202 | 204;
  /**
   * What it says when off is told to go off; `Accepted`: nothing, as if it had done it, and a restart of what is
   * off powers it on.
   */
  wrongState: Said | 'Accepted';
  sel: LogPlace & {
    entryType: 'SEL' | 'Event' | 'Oem';
    oemRecordFormat?: string;
    newestFirst: boolean;
    entriesOnPage_max: number;
  };
  /** A log beside the SEL that has only the BMC's own doings in it: clients take it for the SEL. */
  bmcLog: LogPlace;
  sessions_max: number;
  sessionIdle_ms: number;
  tooManySessions: Said;
  /** Weak tags begin with W/. `Required`: a PATCH without If-Match answers 428. */
  etags: { weak: boolean; ifMatch: 'Optional' | 'Required' };
  /** `IdsOnly`: an error names its messages by id and arguments, without their text. */
  errors: 'Full' | 'IdsOnly';
  /** What a PATCH or DELETE that worked answers. `Success`: 200 with that message in an `error` object. */
  doneAnswers: 'Success' | 'Plain';
  /**
   * Server-sent events: whether it has any, whether it lists a filter (which some refuse all the same), and how many
   * streams it takes at once.
   */
  streams: { uri: boolean; filter: boolean; streams_max: number; refusesFilter?: boolean };
  baseRegistry: string;
  errorCode: string;
  environment: readonly ('Sensors' | 'PowerThermal')[];
  /** Whether accounts have `PasswordChangeRequired`. */
  passwordChangeRequired: boolean;
  /** How long the BMC is away when it restarts. */
  restart_ms: number;
}

export const VENDORS: Readonly<Record<VendorName, Vendor>> = {
  Dell: {
    name: 'Dell',
    manufacturer: 'Dell Inc.',
    product: 'Integrated Dell Remote Access Controller',
    managerModel: '14G Monolithic',
    ids: { system: 'System.Embedded.1', chassis: 'System.Embedded.1', manager: 'iDRAC.Embedded.1' },
    idsOfMany: { system: 'System.Modular.{n}', chassis: 'System.Modular.{n}', manager: 'iDRAC.Modular.{n}' },
    // 14G: no GracefulRestart, no PowerCycle; 400 "not in the list" [I]
    resets: ['On', 'ForceOff', 'ForceRestart', 'GracefulShutdown', 'PushPowerButton', 'Nmi'],
    resetsListedIn: 'AllowableValues',
    resetAnswers: 204,
    // [K]
    wrongState: {
      status: 409,
      id: 'IDRAC.2.8.PSU501',
      text: 'Unable to perform the requested power operation because',
    },
    sel: {
      under: 'Managers',
      id: 'Sel',
      name: 'SEL Log Service',
      entryType: 'SEL',
      newestFirst: true,
      entriesOnPage_max: 50,
    },
    bmcLog: { under: 'Managers', id: 'Lclog', name: 'LifeCycle Controller Log Service' },
    // locked out for 20 to 30 minutes beyond it [I]
    sessions_max: 8,
    sessionIdle_ms: 30 * MINUTE,
    tooManySessions: {
      status: 503,
      id: 'IDRAC.2.8.RAC0218',
      text: 'The maximum number of user sessions is reached.',
    },
    etags: { weak: true, ifMatch: 'Optional' },
    errors: 'Full',
    doneAnswers: 'Plain',
    // EventFormatType against its measurements [D]; how many it takes differs by firmware [K]
    streams: { uri: true, filter: true, streams_max: 8 },
    baseRegistry: 'Base.1.12',
    errorCode: 'Base.1.12.GeneralError',
    environment: ['Sensors', 'PowerThermal'],
    passwordChangeRequired: true,
    restart_ms: 4 * MINUTE,
  },
  HPE: {
    name: 'HPE',
    manufacturer: 'HPE',
    product: 'ProLiant DL380 Gen10',
    managerModel: 'iLO 5',
    ids: { system: '1', chassis: '1', manager: '1' },
    idsOfMany: { system: '{n}', chassis: '{n}', manager: '{n}' },
    resets: [
      'On',
      'ForceOff',
      'GracefulShutdown',
      'ForceRestart',
      'Nmi',
      'PushPowerButton',
      'GracefulRestart',
    ],
    resetsListedIn: 'AllowableValues',
    // 200 with "Success" in an error object, 400 in a wrong state, both seen on iLO 4 [I]
    resetAnswers: 200,
    wrongState: { status: 400, id: 'iLO.2.24.InvalidOperationForSystemState', text: 'Not now:' },
    sel: {
      under: 'Systems',
      id: 'IML',
      name: 'Integrated Management Log',
      entryType: 'Oem',
      oemRecordFormat: 'Hpe-IML',
      newestFirst: false,
      entriesOnPage_max: 1000,
    },
    bmcLog: { under: 'Managers', id: 'IEL', name: 'iLO Event Log' },
    sessions_max: 13,
    sessionIdle_ms: 30 * MINUTE,
    tooManySessions: {
      status: 503,
      id: 'iLO.2.24.CreateLimitReachedForResource',
      text: 'The create operation failed because the resource has reached its limit.',
    },
    etags: { weak: true, ifMatch: 'Optional' },
    errors: 'IdsOnly',
    doneAnswers: 'Success',
    // [K]
    streams: { uri: true, filter: false, streams_max: 4 },
    baseRegistry: 'Base.1.4',
    errorCode: 'iLO.0.10.ExtendedInfo',
    environment: ['PowerThermal'],
    passwordChangeRequired: false,
    restart_ms: 1.5 * MINUTE,
  },
  Lenovo: {
    name: 'Lenovo',
    manufacturer: 'Lenovo',
    product: 'ThinkSystem SR650 V2',
    managerModel: 'Lenovo XClarity Controller',
    ids: { system: '1', chassis: '1', manager: '1' },
    idsOfMany: { system: '{n}', chassis: '{n}', manager: '{n}' },
    resets: ['On', 'ForceOff', 'ForceOn', 'ForceRestart', 'GracefulShutdown', 'GracefulRestart', 'Nmi'],
    resetsListedIn: 'Both',
    // Some BMC must answer by a task; which real one does is not known to us.
    resetAnswers: 202,
    wrongState: 'Accepted',
    sel: {
      under: 'Systems',
      // Whitley and later [D]; StandardLog on Purley
      id: 'PlatformLog',
      name: 'LogService',
      entryType: 'Oem',
      oemRecordFormat: 'Lenovo',
      newestFirst: false,
      entriesOnPage_max: 100,
    },
    bmcLog: { under: 'Systems', id: 'AuditLog', name: 'LogService' },
    sessions_max: 16,
    sessionIdle_ms: 5 * MINUTE,
    tooManySessions: {
      status: 503,
      id: 'Base.1.12.SessionLimitExceeded',
      text: 'The session establishment failed due to the number of simultaneous sessions exceeding the limit of the implementation.',
    },
    // 428 without If-Match [I]
    etags: { weak: false, ifMatch: 'Required' },
    errors: 'Full',
    doneAnswers: 'Plain',
    // [D]
    streams: { uri: true, filter: true, streams_max: 2 },
    baseRegistry: 'Base.1.12',
    errorCode: 'Base.1.12.GeneralError',
    environment: ['PowerThermal'],
    passwordChangeRequired: true,
    restart_ms: 2 * MINUTE,
  },
  OpenBMC: {
    name: 'OpenBMC',
    manufacturer: 'OpenBMC Project',
    product: 'OpenBMC',
    managerModel: 'OpenBmc',
    ids: { system: 'system', chassis: 'chassis', manager: 'bmc' },
    idsOfMany: { system: '{name}', chassis: '{name}', manager: 'bmc-{name}' },
    resets: [
      'On',
      'ForceOff',
      'ForceOn',
      'ForceRestart',
      'GracefulShutdown',
      'GracefulRestart',
      'PowerCycle',
      'Nmi',
    ],
    // bmcweb names only the ActionInfo [I]
    resetsListedIn: 'ActionInfo',
    resetAnswers: 204,
    wrongState: 'Accepted',
    sel: {
      under: 'Systems',
      id: 'EventLog',
      name: 'Event Log Service',
      entryType: 'Event',
      newestFirst: false,
      entriesOnPage_max: 1000,
    },
    bmcLog: { under: 'Managers', id: 'Journal', name: 'Open BMC Journal Log Service' },
    sessions_max: 64,
    sessionIdle_ms: 30 * MINUTE,
    tooManySessions: {
      status: 503,
      id: 'Base.1.16.SessionLimitExceeded',
      text: 'The session establishment failed due to the number of simultaneous sessions exceeding the limit of the implementation.',
    },
    etags: { weak: false, ifMatch: 'Optional' },
    errors: 'Full',
    doneAnswers: 'Plain',
    // [K]
    streams: { uri: true, filter: false, streams_max: 10 },
    baseRegistry: 'Base.1.16',
    errorCode: 'Base.1.16.GeneralError',
    environment: ['Sensors'],
    passwordChangeRequired: true,
    restart_ms: 1.5 * MINUTE,
  },
};

/** The ids of a board that is the n-th (from 1) of so many. */
export function idsOf(vendor: Vendor, name: string, n: number, boards: number): Ids {
  const fill = (id: string) => id.replace('{n}', String(n)).replace('{name}', name);
  const { system, chassis, manager } = boards === 1 ? vendor.ids : vendor.idsOfMany;
  return { system: fill(system), chassis: fill(chassis), manager: fill(manager) };
}
