// The program as it is installed: another process, its signals and exit codes.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { install, NAMESPACE } from '../fleet/install.ts';
import { systemClock } from '../platform/clock/system.ts';
import { KubeClient } from '../platform/kube/client.ts';
import { LEASES, type Lease } from '../platform/kube/objects.ts';
import { EmbeddedApi } from '../simulation/api/index.ts';

const bin = fileURLToPath(new URL('../../bin/drover.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'drover-launcher-'));
after(() => rmSync(folder, { recursive: true }));

function launch(...args: string[]) {
  const child = spawn(process.execPath, [bin, ...args], { env: { ...process.env, XDG_CACHE_HOME: folder } });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const ended = new Promise<{ code: number | null; out: string; err: string }>((resolve) =>
    child.on('close', (code) => resolve({ code, out, err })),
  );
  const until = async (pattern: RegExp) => {
    for (let tries = 0; !pattern.test(out); tries++) {
      if (tries > 200) throw new Error(`never printed ${pattern}: ${out}${err}`);
      await systemClock.sleep(100);
    }
  };
  return { child, ended, until, printed: () => out };
}

describe('bin/drover.mjs', () => {
  it('runs a command and passes its exit code on', async () => {
    const version = await launch('version', '--client').ended;
    assert.equal(version.code, 0, version.err);
    assert.match(version.out, /^Drover {3}\d/);
    assert.equal((await launch('frobnicate').ended).code, 2);
    assert.equal((await launch('get', 'm', '--kubeconfig', join(folder, 'none')).ended).code, 1);
  });

  it('drover run ends in order on SIGTERM and gives the lease back', async () => {
    const api = new EmbeddedApi({ clock: systemClock });
    const client = new KubeClient(api.transport({ user: 'admin' }), systemClock);
    await install(client, { defaults: true });
    const served = await api.serve();
    const kubeconfig = join(folder, 'kubeconfig');
    writeFileSync(kubeconfig, served.kubeconfig);
    const { child, ended, until, printed } = launch(
      'run',
      '--identity',
      'me',
      '--metrics-port',
      '0',
      '--kubeconfig',
      kubeconfig,
    );
    await until(/info leading identity=me/);
    assert.equal((await client.get<Lease>(LEASES, 'drover', NAMESPACE))?.spec?.holderIdentity, 'me');
    const [, metrics = ''] = /metrics=(\S+)/.exec(printed()) ?? [];
    assert.match(await (await fetch(metrics)).text(), /^drover_/m);
    const port = new URL(metrics).port;
    const second = await launch('run', '--metrics-port', port, '--kubeconfig', kubeconfig).ended;
    assert.deepEqual(
      [second.code, second.err],
      [1, `error: port ${port} of 127.0.0.1 is taken: give another --metrics-port, or 0 for a free one\n`],
    );
    child.kill('SIGTERM');
    const { code, out, err } = await ended;
    assert.equal(code, 0, err);
    assert.match(out, /info ended identity=me why="ended by SIGTERM"/);
    assert.equal((await client.get<Lease>(LEASES, 'drover', NAMESPACE))?.spec?.holderIdentity, '');
    await served.close();
    api.close();
  });
});
