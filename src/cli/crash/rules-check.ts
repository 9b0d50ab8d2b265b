import type { Command } from 'commander';
import { checkRules } from '../../crash/kernel-log/check-rules.ts';
import { CliError, type Io } from '../io.ts';
import { rulesOf } from './read-log.ts';

export function register(program: Command, io: Io): void {
  program
    .command('check')
    .description('Check a file of rules, and run the tests that stand beside each rule, ours and yours.')
    .argument('[file...]', 'YAML with reports, hardware, planned and frames: see docs/crash-rules.md')
    .action((files: string[]) => check(files, io));
}

async function check(files: readonly string[], io: Io): Promise<void> {
  const { rules, tests, failures } = checkRules(await rulesOf(files, io));
  for (const { rule, want, got, log } of failures)
    io.out(
      `rule ${rule}\n  should be  ${want}\n  is         ${got}\n  of         ${log.trim().split('\n')[0]}\n`,
    );
  io.out(
    `${rules} rules, ${tests} tests, ${failures.length === 0 ? 'all hold' : `${failures.length} fail`}\n`,
  );
  if (failures.length > 0) throw new CliError('');
}
