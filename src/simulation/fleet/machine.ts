import type { Service } from '../../api/diagnosis.ts';
import { type Clock, DAY, type Timer } from '../../platform/clock/clock.ts';
import type { LogEntry } from '../../platform/providers/provider.ts';
import { lastWords } from './last-words.ts';

/** What a machine does while nobody looks. */
export type Phase = 'Off' | 'Booting' | 'Running' | 'Panicked' | 'Dumping' | 'Hung';

export interface Durations {
  /** Power-on self-test, kernel and services, in milliseconds: a number drawn between the two for each boot. */
  boot_ms: readonly [number, number];
  /** Writing a crash dump. */
  dump_ms: readonly [number, number];
}

export interface Place {
  zone: string;
  rack: string;
}

/** Why a boot began: `key` is that of the outside act, undefined where the machine did it by itself. */
export interface Boot {
  machine: string;
  at: number;
  key: string | undefined;
}

const CONSOLE_LINES_MAX = 40;
const DUMPS_MAX = 3;
const LOG_ENTRIES_MAX = 100;

/**
 * One simulated server: power, kernel, two services, a cable, a clock. It changes by faults and by acts, and
 * shows itself only through its faces (fleet.ts) and its kubelet (kubelets.ts).
 */
export class SimulatedMachine {
  readonly name: string;
  readonly place: Place;
  readonly model: string;
  phase: Phase = 'Running';
  bootID: string;
  /** When the present boot's services came up. */
  upAt: number;
  readonly services: Record<Service, boolean> = { kubelet: true, containerd: true };
  /** Services that no restart brings back, only a boot. */
  readonly stubborn = new Set<Service>();
  linkUp = true;
  /** Logs have filled its disk; `diskStubborn`: with what no rule may remove. */
  diskFull = false;
  diskStubborn = false;
  /** Its power supply is dead: nothing powers it on until a person has changed it. */
  supplyDead = false;
  /** How far its clock is behind, in milliseconds. */
  clockBehind_ms = 0;
  readonly console: string[] = [];
  /** What kdump has written to its disk. */
  readonly dumps: { at: number; path: string; log: string }[] = [];
  /** The log of its BMC, oldest first. */
  readonly eventLog: LogEntry[] = [];
  /** Told each entry as it is written. */
  readonly logListeners = new Set<(entry: LogEntry) => void>();
  readonly #clock: Clock;
  readonly #durations: Durations;
  readonly #onBoot: (boot: Boot) => void;
  readonly #onChange: (machine: SimulatedMachine) => void;
  #timer: Timer | undefined;

  constructor(options: {
    name: string;
    place: Place;
    model: string;
    clock: Clock;
    durations: Durations;
    onBoot: (boot: Boot) => void;
    onChange: (machine: SimulatedMachine) => void;
  }) {
    this.name = options.name;
    this.place = options.place;
    this.model = options.model;
    this.#clock = options.clock;
    this.#durations = options.durations;
    this.#onBoot = options.onBoot;
    this.#onChange = options.onChange;
    this.bootID = this.#newBootID();
    // It has been running for long: a fleet does not begin with everything just booted.
    this.upAt = options.clock.now() - DAY;
    this.print(`${this.name} login:`);
  }

  /** Ends whatever runs and boots; without a power supply nothing happens. */
  boot(key: string | undefined): void {
    if (this.supplyDead) return;
    this.#onBoot({ machine: this.name, at: this.#clock.now(), key });
    this.#become(
      'Booting',
      'reboot: Restarting system',
      `Linux version 5.10.134-19.an8.x86_64 (${this.name})`,
    );
    this.#after(this.#draw(this.#durations.boot_ms), () => {
      this.bootID = this.#newBootID();
      this.upAt = this.#clock.now();
      this.services.kubelet = true;
      this.services.containerd = true;
      this.stubborn.clear();
      this.#become('Running', 'systemd[1]: Reached target multi-user.target', `${this.name} login:`);
    });
  }

  /** Kernel panic; with kdump it writes its dump and boots, without it stays where it is. */
  panic(options: { dump: boolean }): void {
    if (this.phase === 'Off') return;
    const at = this.#clock.now();
    this.logs('Critical', 'OS Critical Stop', 'Run-time critical stop');
    const words = lastWords(this.model, (at - this.upAt) / 1000);
    for (const line of words) this.print(line);
    const text = 'Kernel panic - not syncing: Fatal exception';
    if (!options.dump) {
      this.#become('Panicked', text, `---[ end ${text} ]---`);
      return;
    }
    this.#become('Dumping', text, 'kdump: saving vmcore-dmesg.txt', 'kdump: saving vmcore');
    this.#after(this.#draw(this.#durations.dump_ms), () => {
      const [day = '', time = ''] = new Date(at).toISOString().slice(0, 19).split('T');
      const path = `/var/crash/127.0.0.1-${day}-${time}/vmcore-dmesg.txt`;
      this.dumps.push({ at, path, log: `${[...words, text].join('\n')}\n` });
      if (this.dumps.length > DUMPS_MAX) this.dumps.shift();
      this.boot(undefined);
    });
  }

  hang(): void {
    if (this.phase !== 'Running') return;
    this.#become('Hung', 'watchdog: BUG: soft lockup - CPU#7 stuck for 23s! [java:40112]');
  }

  powerOff(): void {
    this.#become('Off');
  }

  loseSupply(): void {
    this.logs('Critical', 'Power Supply', 'Power supply input lost (AC/DC)');
    this.powerOff();
  }

  /** The same machine on other hardware: what the old one lacked does not follow it. Its local disks are lost. */
  redeploy(key: string): void {
    this.supplyDead = false;
    this.diskFull = false;
    this.diskStubborn = false;
    this.dumps.length = 0;
    this.eventLog.length = 0;
    this.logs('OK', 'Event Logging Disabled', 'Log area reset/cleared');
    if (!this.linkUp) this.setLink(true);
    this.boot(key);
  }

  /** A hung or running kernel panics and dumps; one that is past that takes no notice. */
  interrupt(): void {
    if (this.phase === 'Running' || this.phase === 'Hung') {
      this.logs('Critical', 'Critical Interrupt', 'NMI/Diag Interrupt');
      this.print('NMI: IOCK error (debug interrupt?) for reason 61 on CPU 0.');
      this.panic({ dump: true });
    }
  }

  /** What a person does who stands before it. */
  repair(): void {
    this.supplyDead = false;
    if (this.diskFull) this.setDiskFull(false);
    if (!this.linkUp) this.setLink(true);
    if (this.phase !== 'Running' || this.stubborn.size > 0) this.boot(undefined);
  }

  setService(service: Service, up: boolean): void {
    this.services[service] = up;
    this.print(`systemd[1]: ${up ? 'Started' : 'Stopped'} ${service}.service`);
    this.#onChange(this);
  }

  setDiskFull(full: boolean): void {
    this.diskFull = full;
    if (!full) this.diskStubborn = false;
    this.#onChange(this);
  }

  setLink(up: boolean): void {
    this.linkUp = up;
    this.print(`mlx5_core 0000:3b:00.0 eth0: NIC Link is ${up ? 'Up' : 'Down'}`);
    this.#onChange(this);
  }

  /** Its BMC writes an entry. */
  logs(severity: LogEntry['severity'], sensor: string, message: string): void {
    const id = String(Number(this.eventLog.at(-1)?.id ?? 0) + 1);
    const entry = { id, at: new Date(this.#clock.now()).toISOString(), severity, sensor, message };
    this.eventLog.push(entry);
    if (this.eventLog.length > LOG_ENTRIES_MAX) this.eventLog.shift();
    for (const listener of this.logListeners) listener(entry);
  }

  print(line: string): void {
    this.console.push(line);
    if (this.console.length > CONSOLE_LINES_MAX) this.console.shift();
  }

  #become(phase: Phase, ...lines: string[]): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.phase = phase;
    for (const line of lines) this.print(line);
    this.#onChange(this);
  }

  #after(delay_ms: number, wake: () => void): void {
    this.#timer = this.#clock.timer(delay_ms, wake);
  }

  #draw([least, most]: readonly [number, number]): number {
    return least + this.#clock.random() * (most - least);
  }

  #newBootID(): string {
    const hex = () =>
      Math.floor(this.#clock.random() * 2 ** 32)
        .toString(16)
        .padStart(8, '0');
    const all = hex() + hex() + hex() + hex();
    return [all.slice(0, 8), all.slice(8, 12), all.slice(12, 16), all.slice(16, 20), all.slice(20)].join('-');
  }
}
