// Every parameter of every action, with everything that a shell, a tool or a path could take for more than it is. Twice: as
// callers give them, and past our own checks straight to the host's, over a real sshd.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { type ActionName, actionOf, actionsOf } from '../../src/platform/hosts/actions/table.ts';
import { HostError } from '../../src/platform/hosts/host.ts';
import { Keys } from './keys.ts';
import { type Machine, noMachines, startMachine } from './machine.ts';
import { BASES, nastyStrings } from './nasty.ts';
import { failureOf, type Reach, reach, refOf } from './reach.ts';

const CANARY = '/var/canary';
const DO = `touch ${CANARY}`;

const NASTY = nastyStrings(CANARY);
/** Also where a path in a folder of crashes is wanted. */
const NASTY_PATHS = NASTY.map((text) => `/var/crash/${text}`);
const actions = actionsOf();
const names = Object.keys(actions) as ActionName[];

describe('no command is smuggled in', { skip: noMachines() ?? false }, () => {
  const keys = new Keys();
  const key = keys.make();
  let machine: Machine;
  let way: Reach;
  before(async () => {
    machine = await startMachine({ authorized: [key.publicKey], prepare: 'mkdir -p /var/crash' });
    way = await reach([machine], key, { reuse_s: 60, concurrent_host_max: 8 });
  });
  after(async () => {
    await way[Symbol.asyncDispose]();
    await machine[Symbol.asyncDispose]();
    keys[Symbol.dispose]();
  });
  const clean = (what: string) => {
    assert.equal(existsSync(machine.at(CANARY)) || existsSync(CANARY), false, `a canary was made by ${what}`);
  };

  test('the canary would be seen', async () => {
    const order = { script: DO, args: [], root: true, timeout_ms: 10_000, output_bytes_max: 100 };
    await way.shell.exec(refOf(machine), order);
    assert.throws(() => clean('itself'), /a canary was made/);
    await way.shell.exec(refOf(machine), { ...order, script: `rm ${CANARY}` });
    clean('nobody');
  });

  test('as callers give them: refused, or plain data', async () => {
    const passed: string[] = [];
    for (const name of names) {
      const base = BASES[name];
      for (const [param, usual] of [...Object.entries(base), ['another', 'x']]) {
        for (const text of param === 'path' ? [...NASTY, ...NASTY_PATHS] : NASTY) {
          const params = { ...base, [param as string]: Array.isArray(usual) ? [text] : text };
          try {
            await way.hosts.run(refOf(machine), name, params as never);
            passed.push(`${name}.${param}`);
          } catch (error) {
            assert.ok(error instanceof HostError, String(error));
            if (error.failure !== 'Refused') passed.push(`${name}.${param} ${error.failure}`);
          }
          clean(`${name}.${param} = ${JSON.stringify(text.slice(0, 50))}`);
        }
      }
    }
    // Only names of files may be strange at all; `0x1` and `1e9` happen to look like versions.
    const kinds = [...new Set(passed)].sort();
    assert.deepEqual(kinds, [
      'installKernel.version Failed',
      'installPackage.name',
      'installPackage.version',
      'kexecReboot.kernel Failed',
      'readFile.path Failed',
    ]);
  });

  test('past our own checks: each script refuses them, or takes them as plain data', async () => {
    const passed = new Set<string>();
    for (const name of names) {
      const action = actionOf(actions, name);
      const usual = action.args(action.params.parse(BASES[name]));
      const { script, timeout_ms, output_bytes_max } = action;
      for (const at of usual.keys()) {
        const work = NASTY.map(async (text) => {
          const args = usual.with(at, name === 'readFile' && at === 0 ? `/var/crash/${text}` : text);
          const order = { script, args, root: true, timeout_ms, output_bytes_max };
          try {
            const { exitCode } = await way.shell.exec(refOf(machine), order);
            if (exitCode !== 64) passed.add(`${name} $${at + 1} ${exitCode}: ${text.slice(0, 20)}`);
          } catch (error) {
            // Line ends and NUL are not sent at all.
            assert.ok(error instanceof HostError && error.failure === 'Refused', `${name}: ${error}`);
            assert.match(text, /[\n\0]/);
          }
        });
        await Promise.all(work);
        clean(`$${at + 1} of ${name}`);
      }
    }
    const strange = [...passed].filter(
      (line) => !/^(?:readFile \$1 69|\w+ \$\d+ \d+: (?:a{20}|9{20}|0x1|1e9)$)/.test(line),
    );
    assert.deepEqual(strange, []);
    assert.ok(![...passed].some((line) => line.startsWith('readFile $1 0')));
  });

  test('the host itself, its id and its address', async () => {
    // A plain word may be the name of a host.
    for (const text of NASTY.filter((one) => !/^(?!0x)[a-z\d]+[a-z]\d?$/.test(one))) {
      const { failure } = await failureOf(way.hosts.run({ id: 'm1', ssh: `${text}:22` }, 'load', {}));
      assert.equal(failure, 'Refused', text.slice(0, 50));
      clean(`address ${JSON.stringify(text.slice(0, 50))}`);
    }
    // Each id is a connection of its own.
    for (const id of NASTY.filter((_, at) => at % 4 === 0)) {
      await way.hosts.run({ id, ssh: machine.address }, 'load', {});
      clean(`id ${JSON.stringify(id.slice(0, 50))}`);
    }
    assert.equal(
      (await failureOf(way.hosts.run(refOf(machine), '__proto__' as never, {} as never))).failure,
      'Refused',
    );
  });
});
