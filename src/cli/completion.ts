import type { Command, Option } from 'commander';
import { COMMANDS, type CommandEntry } from './commands.ts';
import type { Io } from './io.ts';
import { RESOURCES } from './resources.ts';

export function register(program: Command, io: Io): void {
  program
    .command('completion')
    .description('Print a completion script: source <(drover completion bash)')
    .argument('<shell>', 'bash, zsh or fish')
    .action(async (shell: string) => {
      const words = await wordsOf(io);
      const write = SHELLS[shell];
      if (!write)
        throw program.error(`error: unknown shell "${shell}"; one of: ${Object.keys(SHELLS).join(', ')}`);
      io.out(write(words));
    });
}

interface Words {
  name: string;
  summary: string;
  flags: readonly string[];
  /** What may stand after it. */
  values: readonly string[];
}

/** Asks every command's own file for its flags, so that none is written down twice. */
async function wordsOf(io: Io): Promise<Words[]> {
  const { Command } = await import('commander');
  const global = ['--kubeconfig', '--context', '--help'];
  const words: Words[] = [];
  for (const entry of COMMANDS) {
    const { name, summary } = entry;
    const flags = await flagsOf(entry, io);
    words.push({ name, summary, flags: [...flags, ...global], values: valuesOf(entry) });
  }
  return words;

  /** Those of a group are all that its commands take. */
  async function flagsOf(entry: CommandEntry, io: Io): Promise<string[]> {
    if ('commands' in entry) {
      const all = await Promise.all(entry.commands.map((each) => flagsOf(each, io)));
      return [...new Set(all.flat())];
    }
    const program = new Command('drover');
    (await entry.load()).register(program, io);
    const options: readonly Option[] = program.commands[0]?.options ?? [];
    return options.flatMap(({ short, long }) => [short, long].filter((flag) => flag !== undefined));
  }
}

function valuesOf(entry: CommandEntry): string[] {
  if ('commands' in entry) return entry.commands.map(({ name }) => name);
  const command = entry.name;
  if (command === 'get') return RESOURCES.flatMap(({ names }) => names);
  if (command === 'completion') return Object.keys(SHELLS);
  return command === 'explain' || command === 'fault' ? ['machine/', 'node/'] : [];
}

const SHELLS: Readonly<Record<string, (words: readonly Words[]) => string>> = {
  bash: (words) => `# bash completion of drover
_drover() {
  local word="\${COMP_WORDS[COMP_CWORD]}" command="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      --kubeconfig|--context) ((i++)) ;;
      -*) ;;
      *) command="\${COMP_WORDS[i]}"; break ;;
    esac
  done
  local words=""
  case "$command" in
    "") words="${words.map(({ name }) => name).join(' ')} --kubeconfig --context --help" ;;
${words.map(({ name, flags, values }) => `    ${name}) words="${[...values, ...flags].join(' ')}" ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _drover drover
`,
  zsh: (words) => `#compdef drover
_drover() {
  local -a commands
  commands=(
${words.map(({ name, summary }) => `    '${name}:${quoted(summary)}'`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe 'command' commands
    return
  fi
  case "$words[2]" in
${words.map(({ name, flags, values }) => `    ${name}) compadd -- ${[...values, ...flags].join(' ')} ;;`).join('\n')}
  esac
  _files
}
compdef _drover drover
`,
  fish: (words) =>
    [
      '# fish completion of drover',
      ...words.map(
        ({ name, summary }) =>
          `complete -c drover -n __fish_use_subcommand -f -a ${name} -d '${quoted(summary)}'`,
      ),
      ...words.map(
        ({ name, flags, values }) =>
          `complete -c drover -n '__fish_seen_subcommand_from ${name}' -a '${[...values, ...flags].join(' ')}'`,
      ),
      '',
    ].join('\n'),
};

/** Fit for single quotes of any shell. */
function quoted(text: string): string {
  return text.replaceAll("'", '’');
}
