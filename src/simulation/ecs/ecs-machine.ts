// What stands behind one instance: a machine that is made up here, or one of a simulated fleet.

export interface EcsMachine {
  /** Power comes, and it boots. */
  start(): void;
  /** @param force takes the power away, where it else asks the operating system. */
  stop(force: boolean): void;
  reboot(force: boolean): void;
  /** It comes up on other hardware, its local disks empty. */
  redeploy(): void;
  release(): void;
  /** Non-maskable interrupt. */
  interrupt(): void;
  /** What its console has shown since the last boot. */
  console(): string;
  /** What its agent makes of a command; undefined while no agent answers. */
  run(command: string): CommandRun | undefined | Promise<CommandRun | undefined>;
}

/** What a command printed, stdout and stderr together. */
export interface CommandRun {
  exitCode: number;
  output: string | Buffer;
}

/** Made for one instance, before it starts. */
export type MachineFor = (instance: { id: string; name: string; type: string; zone: string }) => EcsMachine;

/** Does what it is told, and answers every command with its own text. */
export const madeUpMachine: MachineFor = ({ id, name }) => {
  let isUp = false;
  let boots = 0;
  const boot = () => {
    isUp = true;
    boots++;
  };
  return {
    start: boot,
    stop: () => {
      isUp = false;
    },
    reboot: boot,
    redeploy: boot,
    interrupt: boot,
    release: () => {
      isUp = false;
    },
    console: () =>
      boots === 0
        ? ''
        : `[    0.000000] Linux version 5.10.134-19.al8.x86_64, boot ${boots}\n${name} login: \n`,
    run: (command) => (isUp ? { exitCode: 0, output: `${id}: ${command}\n` } : undefined),
  };
};
