import { Command, CommanderError } from 'commander';
import { COMMANDS, type CommandEntry } from './commands.ts';
import { CliError, EXIT, type Io } from './io.ts';

/** Options of the program that take a value, wherever they stand. */
const GLOBAL_VALUES = ['--kubeconfig', '--context'];

/** Runs one command line, without the program's own name; returns the exit code. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  const program = programOf();
  try {
    await add(program, COMMANDS, wordsIn(args), io);
    inherit(program, io);
    if (args.length === 0) program.help();
    await program.parseAsync(args, { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    return tell(error, io);
  }
}

function programOf(): Command {
  return new Command('drover')
    .description(
      'Runs large bare-metal Kubernetes fleets: finds, explains and heals broken machines inside limits.',
    )
    .option('--kubeconfig <file>', 'kubeconfig to use, instead of $KUBECONFIG or ~/.kube/config')
    .option('--context <name>', 'context of the kubeconfig, instead of the current one')
    .helpCommand(false)
    .showSuggestionAfterError()
    .addHelpText('after', "\nUse 'drover COMMAND --help' for more about a command.");
}

/** Global options are taken after the command too, as kubectl does; errors come back to us. */
function inherit(command: Command, io: Io): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => io.out(text),
    writeErr: (text) => io.err(text),
    getOutHelpWidth: () => io.terminal?.columns ?? 80,
  });
  for (const each of command.commands) inherit(each, io);
}

/** Loads the command that the words name; the others are only a line of the help. */
async function add(
  parent: Command,
  entries: readonly CommandEntry[],
  [wanted, ...rest]: readonly string[],
  io: Io,
): Promise<void> {
  for (const entry of entries) {
    const isWanted = entry.name === wanted;
    if ('load' in entry && (isWanted || entry.isDefault)) {
      (await entry.load()).register(parent, io);
      if (entry.isDefault) showWith(parent, entry.name);
      continue;
    }
    const command = parent.command(entry.name).description(entry.summary);
    if (!isWanted || !('commands' in entry)) continue;
    command.helpCommand(false).action(() => command.help());
    await add(command, entry.commands, rest, io);
  }
}

/** The help of a group shows the options of the command that it stands for. */
function showWith(group: Command, name: string): void {
  const command = group.commands.find((each) => each.name() === name);
  group.addHelpText('after', () => `\n${command?.helpInformation() ?? ''}`);
}

/** What is neither an option nor the value of a global one. */
function wordsIn(args: readonly string[]): string[] {
  return args.filter((arg, at) => !arg.startsWith('-') && !GLOBAL_VALUES.includes(args[at - 1] ?? ''));
}

function tell(error: unknown, io: Io): number {
  if (error instanceof CommanderError) {
    // Commander has said it already; help and version end well.
    return error.exitCode === 0 || error.code === 'commander.help' ? EXIT.ok : EXIT.usage;
  }
  if (error instanceof CliError) {
    if (error.message) io.err(`${error.message}\n`);
    return error.exitCode;
  }
  const stack = io.env.DROVER_DEBUG && error instanceof Error ? `\n${error.stack}` : '';
  io.err(`error: ${error instanceof Error ? error.message : String(error)}${stack}\n`);
  return EXIT.error;
}

/** The whole life of the process. */
export async function runProcess(): Promise<void> {
  const { processIo } = await import('./process.ts');
  const code = await main(process.argv.slice(2), processIo());
  // A pipe takes 64 KB at once: what it has not taken yet would be lost.
  await Promise.all([process.stdout, process.stderr].map(written));
  process.exit(code);
}

/** When all that was written before has been taken. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => void stream.write('', () => resolve()));
}

if (import.meta.main) await runProcess();
