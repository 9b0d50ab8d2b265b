import { Command, CommanderError } from 'commander';
import { COMMANDS } from './commands.ts';
import { CliError, EXIT, type Io } from './io.ts';

/** Options of the program that take a value, wherever they stand. */
const GLOBAL_VALUES = ['--kubeconfig', '--context'];

/** Runs one command line, without the program's own name; returns the exit code. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  const program = programOf();
  try {
    const wanted = commandIn(args);
    for (const { name, summary, load } of COMMANDS) {
      if (name === wanted) (await load()).register(program, io);
      else program.command(name).description(summary);
    }
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
function inherit(program: Command, io: Io): void {
  const plain = (command: Command) =>
    command.exitOverride().configureOutput({
      writeOut: (text) => io.out(text),
      writeErr: (text) => io.err(text),
      getOutHelpWidth: () => io.terminal?.columns ?? 80,
    });
  plain(program);
  for (const command of program.commands) plain(command);
}

function commandIn(args: readonly string[]): string | undefined {
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] as string;
    if (GLOBAL_VALUES.includes(arg)) index++;
    else if (!arg.startsWith('-')) return arg;
  }
  return undefined;
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
  process.exit(await main(process.argv.slice(2), processIo()));
}

if (import.meta.main) await runProcess();
