import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { systemClock } from '../../platform/clock/system.ts';
import { collectCrashEvidence } from '../../platform/hosts/actions/collect.ts';
import { HostError } from '../../platform/hosts/host.ts';
import { limiter } from '../../platform/limits.ts';
import { ProviderError } from '../../platform/providers/provider.ts';
import { simulatedOutside } from '../../platform/providers/simulated.ts';
import { SimulatedFleet } from './fleet.ts';
import { serveFleet } from './server.ts';

const fleet = new SimulatedFleet({
  clock: systemClock,
  machines: 4,
  zones: 2,
  durations: { boot_ms: [20, 30], dump_ms: [20, 30] },
});
const { endpoint, close } = await serveFleet(fleet, { port: 0 });
after(close);
const { provider, hosts, prober } = simulatedOutside(
  endpoint,
  limiter(systemClock, { perSecond: 1000, concurrent: 100 }),
);
const send = async (path: string, body?: string) => {
  const response = await fetch(`${endpoint}/v1/${path}`, body === undefined ? {} : { method: 'POST', body });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const target = (machine: string) => ({
  machine,
  id: machine,
  ssh: `${machine}:22`,
  kubelet: `${machine}:10250`,
});

describe('a simulated fleet over HTTP', () => {
  it('shows a machine', async () => {
    const { power, can } = await provider.describe('m00001');
    assert.equal(power, 'On');
    assert.equal(can.Nmi, true);
  });

  it('reboots once for a call, with its key', async () => {
    await provider.act('m00001', 'Reboot', 'op-1');
    assert.deepEqual(
      fleet.acts.map(({ machine, act, key }) => [machine, act, key]),
      [['m00001', 'Reboot', 'op-1']],
    );
  });

  it('passes failures on by name', async () => {
    const failure = (name: string) => (error: unknown) =>
      error instanceof ProviderError && error.failure === name;
    await assert.rejects(provider.describe('nobody'), failure('NotFound'));
    fleet.get('m00002').powerOff();
    await assert.rejects(provider.act('m00002', 'ForceReboot', 'op-2'), failure('Refused'));
    fleet.providerFaults.down = true;
    await assert.rejects(provider.describe('m00001'), failure('TryAgain'));
    fleet.providerFaults.down = false;
    fleet.providerFaults.lostAnswers = 1;
    await assert.rejects(provider.act('m00002', 'PowerOn', 'op-3'), failure('Unknown'));
    fleet.providerFaults.lostAnswers = 0;
  });

  it('strikes, probes all machines in order, and knows nothing of others', async () => {
    assert.equal((await send('fault', JSON.stringify({ machine: 'm00003', kind: 'hang' }))).status, 200);
    const probes = await prober.probe(['m00004', 'm00003', 'nobody'].map(target), AbortSignal.timeout(5000));
    assert.deepEqual(probes, [
      { ssh: 'Answers', kubelet: 'Answers' },
      { ssh: 'Silent', kubelet: 'Silent' },
      undefined,
    ]);
    assert.equal((await send('fault', JSON.stringify({ machine: 'm00003', kind: 'crash' }))).status, 409);
  });

  it('restarts a service, unless it is stubborn', async () => {
    await send('fault', JSON.stringify({ machine: 'm00004', kind: 'kubelet', stubborn: true }));
    const host = { id: 'm00004', ssh: '' };
    const restart = () => hosts.run(host, 'restartUnit', { unit: 'kubelet' });
    await assert.rejects(restart(), (error) => error instanceof HostError && error.failure === 'Failed');
    fleet.get('m00004').stubborn.clear();
    assert.equal((await restart()).active, 'active');
    assert.ok(fleet.get('m00004').services.kubelet);
  });

  it('cleans a full disk by rule, and hands out what a crash left', async () => {
    const host = { id: 'm00004', ssh: '' };
    await send('fault', JSON.stringify({ machine: 'm00004', kind: 'disk-full' }));
    const dry = await hosts.run(host, 'cleanDisk', { rule: 'RotatedLogs', dryRun: true });
    assert.ok(dry.bytes > 0 && fleet.get('m00004').diskFull);
    await hosts.run(host, 'cleanDisk', { rule: 'RotatedLogs', dryRun: false });
    assert.equal(fleet.get('m00004').diskFull, false);
    const machine = fleet.get('m00004');
    machine.panic({ dump: true });
    while (machine.phase !== 'Running') await systemClock.sleep(10);
    const { files } = await collectCrashEvidence(hosts, host, 0, { clock: systemClock });
    assert.equal(files.length, 1);
    assert.match(Buffer.from(files[0]?.bytes ?? []).toString(), /Kernel panic/);
    fleet.get('m00003').hang();
    const failed = hosts.run({ id: 'm00003', ssh: '' }, 'crashFiles', { since: 0 });
    await assert.rejects(failed, (error) => error instanceof HostError && error.failure === 'Silent');
  });

  it('refuses what is no call of ours', async () => {
    for (const [path, body] of [
      ['describe', '{'],
      ['describe', '{"id":1}'],
      ['act', '{"id":"m00001","act":"explode","key":"k"}'],
      ['fault', '{"machine":"m00001","kind":"flood"}'],
      ['run', '{"id":"m00001","action":"restartUnit","params":{"unit":"sshd"}}'],
      ['run', '{"id":"m00001","action":"sh","params":{}}'],
    ] as const) {
      const { status, body: said } = await send(path, body);
      assert.deepEqual([status, said.failure], [400, 'Refused'], `${path} ${body}`);
    }
    assert.equal((await send('toString', '{}')).status, 404);
    assert.equal((await send('describe')).status, 404);
  });

  it('tells the truth', async () => {
    const { body } = await send('state');
    const machines = body.machines as { name: string; phase: string }[];
    assert.equal(machines.length, 4);
    assert.equal(machines[2]?.phase, 'Hung');
    assert.equal((body.acts as unknown[]).length, fleet.acts.length);
  });
});
