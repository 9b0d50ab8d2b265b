// The state of one service: its boards and their ids, and what the resource families keep.

import type { Clock } from '../../platform/clock/clock.ts';
import { Accounts } from './accounts.ts';
import type { Board, LogEntry } from './board.ts';
import { Subscriptions } from './deliver.ts';
import { uuidFrom } from './draw.ts';
import type { Faults } from './faults.ts';
import { Journal } from './journal.ts';
import { Sessions } from './sessions.ts';
import { Tasks } from './tasks.ts';
import { type Ids, idsOf, type Vendor } from './vendors.ts';

/** Of a BMC's own log; the oldest goes. */
const BMC_LOG_MAX = 500;

export interface BootOverride {
  target: string;
  enabled: 'Disabled' | 'Once' | 'Continuous';
  mode: 'UEFI' | 'Legacy';
}

/** A board, and what its BMC keeps of it. */
export interface Unit extends Ids {
  board: Board;
  uuid: string;
  boot: BootOverride;
  /** What the BMC itself did: logins, restarts. */
  bmcLog: LogEntry[];
  ntpServers: string[];
  ntpEnabled: boolean;
}

export interface User {
  name: string;
  password: string;
  role: 'Administrator' | 'Operator' | 'ReadOnly';
}

export class Service {
  readonly clock: Clock;
  readonly vendor: Vendor;
  readonly uuid: string;
  readonly units: readonly Unit[];
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly tasks: Tasks;
  readonly subscriptions: Subscriptions;
  readonly journal = new Journal();
  faults: Faults = {};
  /** While the BMC restarts. */
  isAway = false;
  /** The BMC reboots itself, answers already on their way go out first. */
  restartSoon: () => void = () => {};
  readonly #unsubscribe: (() => void)[];
  #lastBmcId = 0;

  constructor(clock: Clock, vendor: Vendor, boards: readonly Board[], users: readonly User[]) {
    this.clock = clock;
    this.vendor = vendor;
    this.uuid = uuidFrom(clock);
    this.units = boards.map((board, i) => ({
      ...idsOf(vendor, board.name, i + 1, boards.length),
      board,
      uuid: uuidFrom(clock),
      boot: { target: 'None', enabled: 'Disabled', mode: 'UEFI' },
      bmcLog: [],
      ntpServers: [],
      ntpEnabled: false,
    }));
    this.accounts = new Accounts(users);
    this.sessions = new Sessions(clock, vendor);
    this.tasks = new Tasks(clock);
    this.subscriptions = new Subscriptions(clock);
    this.#unsubscribe = this.units.map((unit) =>
      unit.board.subscribe((event) => {
        if (event.kind === 'power' && event.power === 'On' && unit.boot.enabled === 'Once') {
          unit.boot = { ...unit.boot, target: 'None', enabled: 'Disabled' };
        }
        this.subscriptions.tell(this, unit, event);
      }),
    );
  }

  /** Writes into the logs of the BMCs themselves. */
  note(message: string, units: readonly Unit[] = this.units): void {
    for (const { bmcLog } of units) {
      if (bmcLog.length === BMC_LOG_MAX) bmcLog.shift();
      const id = String(++this.#lastBmcId);
      bmcLog.push({ id, created_ms: this.clock.now(), severity: 'OK', message });
    }
  }

  /** What a BMC forgets when it restarts. */
  forget(): void {
    this.sessions.clear();
    this.tasks.clear();
    this.subscriptions.closeStreams();
  }

  end(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.forget();
    this.subscriptions.end();
  }
}
