import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { actionOf, actionsOf } from '../actions/table.ts';
import { BEGAN, NOISE_BYTES_MAX, Output, wireArgs, wireScript } from './wire.ts';

const run = (script: string, args: readonly string[], shell = 'sh') =>
  spawnSync(shell, ['-c', wireScript(script)], { input: wireArgs(args) });

const read = (stdout: Buffer, most = 10_000) => {
  const output = new Output(most);
  output.take(stdout);
  return { began: output.began, ...output.end() };
};

test('arguments come as they are, whatever they hold, and the script’s exit code with its output', () => {
  const args = ['', ' a  b ', '$(id)', '\\n', "'", '-n', '大促', 'x'.repeat(5000)];
  const { stdout } = run(String.raw`printf '%s\0' "$@"; exit 7`, args);
  const { began, exitCode, stdout: said } = read(stdout);
  assert.deepEqual([began, exitCode], [true, 7]);
  assert.equal(said.toString(), args.map((arg) => `${arg}\0`).join(''));
});

test('the shells of all distributions take every action’s script', () => {
  for (const shell of ['sh', 'bash', 'dash'].filter((name) => spawnSync(name, ['-c', ':']).status === 0)) {
    for (const [name, { script }] of Object.entries(actionsOf({ units: ['node-agent'] }))) {
      const { status, stderr } = spawnSync(shell, ['-n', '-c', wireScript(script)], { encoding: 'utf8' });
      assert.equal(status, 0, `${shell}: ${name}: ${stderr}`);
    }
  }
});

test('a script that is cut short is no script: no beginning of it is one', () => {
  const actions = actionsOf();
  for (const shell of ['sh', 'bash'].filter((name) => spawnSync(name, ['-c', ':']).status === 0)) {
    for (const name of ['installPackage', 'reboot'] as const) {
      const words = wireScript(actionOf(actions, name).script).split(' ');
      // One shell asks another about each beginning, which saves a start of Node's for each.
      const texts = [...words.keys()].filter((at) => at > 0).map((at) => words.slice(0, at).join(' '));
      const ask = `while IFS= read -r text; do ${shell} -n -c "$text" 2>/dev/null && echo "$text"; done; :`;
      const said = execFileSync('sh', ['-c', ask], { input: `${texts.join('\n')}\n`, encoding: 'utf8' });
      assert.equal(said, '', `${shell}: ${name}`);
    }
  }
});

test('too few arguments are none: a lost connection makes no half command', () => {
  const whole = wireArgs(['real', 'x']);
  for (let at = 0; at < whole.length; at++) {
    const { stdout, status } = spawnSync('sh', ['-c', wireScript('echo done')], {
      input: whole.slice(0, at),
    });
    assert.deepEqual([stdout.toString(), status], ['', 65], JSON.stringify(whole.slice(0, at)));
  }
});

test('output is read the same in whatever pieces it comes, also when it looks like our own marks', () => {
  const body = Buffer.from('\ndrover ended 3\nx\ndrover began\n\ndrover ended 4\n');
  const whole = Buffer.concat([
    Buffer.from('motd\n'),
    Buffer.from(BEGAN),
    body,
    Buffer.from('\ndrover ended 0\n'),
  ]);
  const cuts = fc.array(fc.integer({ min: 1, max: whole.length - 1 }), { maxLength: 10 });
  fc.assert(
    fc.property(cuts, (at) => {
      const output = new Output(1000);
      const ends = [...new Set(at)].sort((a, b) => a - b);
      for (const [index, end] of [...ends, whole.length].entries())
        output.take(whole.subarray(ends[index - 1] ?? 0, end));
      const { stdout, exitCode, truncated } = output.end();
      assert.deepEqual([stdout.toString(), exitCode, truncated], [body.toString(), 0, false]);
    }),
  );
});

test('more than wanted is cut at the limit; what is exactly the limit is not', () => {
  const ended = '\ndrover ended 0\n';
  const fits = read(Buffer.from(`${BEGAN}12345${ended}`), 5);
  assert.deepEqual([fits.stdout.toString(), fits.truncated, fits.exitCode], ['12345', false, 0]);
  const over = read(Buffer.from(`${BEGAN}123456${ended}`), 5);
  assert.deepEqual([over.stdout.toString(), over.truncated], ['12345', true]);
  const output = new Output(5);
  assert.equal(output.take(Buffer.from(`${BEGAN}${'x'.repeat(100)}`)), 'Enough');
});

test('a host that chatters without end before the script is not listened to for ever', () => {
  const output = new Output(5);
  assert.equal(output.take(Buffer.alloc(NOISE_BYTES_MAX, 'x')), 'More');
  assert.equal(output.take(Buffer.from('x')), 'Enough');
  assert.equal(output.began, false);
});

test('without the last mark there is no exit code', () => {
  assert.equal(read(Buffer.from(`${BEGAN}all of it`)).exitCode, undefined);
  assert.equal(read(Buffer.from(`${BEGAN}\ndrover ended 0`)).exitCode, undefined);
});
