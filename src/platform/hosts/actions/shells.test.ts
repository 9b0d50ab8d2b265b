// The actions that only read, on the machine that runs the tests, in each shell that a distribution may call /bin/sh.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { Output, wireArgs, wireScript } from '../ssh/wire.ts';
import { type ActionName, type AnswerOf, actionOf, actionsOf, type ParamsOf } from './table.ts';

const SHELLS: readonly (readonly [string, ...string[]])[] = [['dash'], ['bash', '--posix']];
const isLinux = process.platform === 'linux';
const actions = actionsOf();

function answerIn<N extends ActionName>(shell: readonly string[], name: N, params: ParamsOf<N>): AnswerOf<N> {
  const action = actionOf(actions, name);
  const [program = '', ...flags] = shell;
  const args = [...flags, '-c', wireScript(action.script)];
  const { stdout, stderr } = spawnSync(program, args, {
    input: wireArgs(action.args(params)),
    maxBuffer: 2 * action.output_bytes_max,
  });
  const output = new Output(action.output_bytes_max);
  output.take(stdout);
  const end = output.end();
  assert.equal(end.exitCode, 0, `${shell.join(' ')}: ${name}: ${stderr}`);
  return action.parse(end.stdout, params) as AnswerOf<N>;
}

for (const shell of SHELLS) {
  const [program, ...flags] = shell;
  const isThere = spawnSync(program, [...flags, '-c', ':']).status === 0;
  const skip = !isLinux ? 'this is not Linux' : isThere ? false : `there is no ${program} here`;
  test(`what a machine is and how it is, read by ${shell.join(' ')}`, { skip }, () => {
    const facts = answerIn(shell, 'facts', {});
    assert.ok(facts.memory_bytes > 0 && facts.uptime_s > 0 && facts.kernel !== '');
    assert.equal(answerIn(shell, 'load', {}).cpus, facts.cpus);
    const root = answerIn(shell, 'fileSystems', {}).find(({ state }) => state === 'Measured');
    assert.ok(root?.state === 'Measured' && root.size_bytes >= root.used_bytes);
    const { processes } = answerIn(shell, 'fileHandles', { most: 100 });
    assert.ok(processes.some(({ name, handles }) => name !== '' && handles > 2));
    assert.ok(processes.every(({ handles }, at) => at === 0 || handles <= (processes[at - 1]?.handles ?? 0)));
    for (const { path } of answerIn(shell, 'crashFiles', { since: 0 })) assert.match(path, /^\//);
    for (const rule of ['RotatedLogs', 'TemporaryFiles', 'CrashDumps'] as const) {
      const { files, bytes } = answerIn(shell, 'cleanDisk', { rule, dryRun: true });
      assert.ok(files >= 0 && bytes >= 0);
    }
  });
}
