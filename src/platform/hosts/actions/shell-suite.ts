// What every way to hosts must do, whatever it stands on. Called by the tests of each.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { HostError, type HostFailure, type HostRef } from '../host.ts';
import type { Order, Shell } from './shell.ts';

export interface ShellUnderTest {
  shell: Shell;
  /** One that answers, with a POSIX shell and coreutils. */
  host: HostRef;
  end(): Promise<void>;
}

const ORDER: Order = { script: ':', args: [], root: false, timeout_ms: 20_000, output_bytes_max: 100_000 };

export function shellSuite(name: string, open: () => Promise<ShellUnderTest>, skip: string | false): void {
  describe(`a shell over ${name}`, { skip }, () => {
    let under: ShellUnderTest;
    before(async () => {
      under = await open();
    });
    after(() => under?.end());
    const exec = (order: Partial<Order>, signal?: AbortSignal) =>
      under.shell.exec(under.host, { ...ORDER, ...order }, signal);
    const fails = (run: Promise<unknown>, failure: HostFailure) =>
      assert.rejects(run, (error) => error instanceof HostError && error.failure === failure);

    test('arguments come as they are: no shell on the way reads them', async () => {
      const args = [
        '',
        ' a  b ',
        '$(id)',
        '`id`',
        "it's",
        '"',
        '\\n',
        '-n',
        '--',
        '*',
        '%s',
        '大促',
        ';',
        '#',
        '!',
      ];
      const { stdout, exitCode } = await exec({ script: `printf '%s|' "$#" "$@"`, args });
      assert.equal(stdout.toString(), [String(args.length), ...args].map((arg) => `${arg}|`).join(''));
      assert.equal(exitCode, 0);
    });

    test('an argument that cannot travel is refused', async () => {
      await fails(exec({ args: ['a\nb'] }), 'Refused');
      await fails(exec({ args: ['a\0b'] }), 'Refused');
    });

    test('every exit code of the script is an answer, with what it complained', async () => {
      for (const code of [0, 1, 64, 127, 130, 255]) {
        const { exitCode, stderr } = await exec({
          script: `echo "no $1" >&2; exit "$1"`,
          args: [String(code)],
        });
        assert.deepEqual([exitCode, stderr.toString()], [code, `no ${code}\n`]);
      }
    });

    test('output is exact, byte by byte, also without a line end and with ones only', async () => {
      for (const [script, wanted] of [
        [String.raw`printf '\000\377\r\n\n'`, '00ff0d0a0a'],
        [`printf 'no end'`, Buffer.from('no end').toString('hex')],
        [':', ''],
      ] as const)
        assert.equal((await exec({ script })).stdout.toString('hex'), wanted);
    });

    test('too much output is cut at the limit, and said', async () => {
      const script = 'head -c "$1" /dev/zero';
      const fits = await exec({ script, args: ['100000'] });
      assert.deepEqual([fits.stdout.length, fits.truncated, fits.exitCode], [100_000, false, 0]);
      const over = await exec({ script, args: ['5000000'] });
      assert.deepEqual([over.stdout.length, over.truncated], [100_000, true]);
    });

    test('a script that does not end in time is TimedOut; one that is called off ends at once', async () => {
      await fails(exec({ script: 'sleep 5', timeout_ms: 500 }), 'TimedOut');
      const stop = new AbortController();
      const run = exec({ script: 'sleep 5' }, stop.signal);
      stop.abort(new Error('enough'));
      await assert.rejects(run, /enough/);
    });

    test('a script reads nothing from us beyond its arguments', async () => {
      assert.equal((await exec({ script: 'cat; echo end', args: ['x'] })).stdout.toString(), 'end\n');
    });
  });
}
