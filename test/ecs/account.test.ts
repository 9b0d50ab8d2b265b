// Credentials, rights, clocks, throttling: what concerns the account and not a machine.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { MINUTE } from '../../src/platform/clock/clock.ts';
import { ProviderError } from '../../src/platform/providers/provider.ts';
import { KEY, seeded } from '../providers/ecs.ts';
import { fails, order, region, until } from './region.ts';

const root = join(import.meta.dirname, '../..');

describe('an ECS account', { concurrency: true }, () => {
  it('is told that its host’s clock is off', async () => {
    await using here = await region();
    const { ecs, provider } = here;
    const [id] = seeded(ecs) as [string];
    ecs.faults = { skew_ms: -20 * MINUTE };
    await assert.rejects(provider.describe(id), fails('BadCredentials', 'ClockOff', /more than 15 minutes/));
    ecs.faults = { skew_ms: 20 * MINUTE };
    await assert.rejects(provider.eventLog(id), fails('BadCredentials', 'ClockOff'));
  });

  it('that may only look is told which right is missing, and changes nothing', async () => {
    const actions = ['DescribeInstances', 'DescribeInstanceHistoryEvents'];
    await using here = await region({ accounts: [{ ...KEY, actions }] });
    const { ecs, provider, market } = here;
    const [id] = seeded(ecs) as [string];
    assert.equal((await provider.describe(id)).power, 'On');
    await assert.rejects(
      provider.act(id, 'Reboot', 'key'),
      fails('BadCredentials', 'MissingRights', /ecs:RebootInstances/),
    );
    await assert.rejects(
      market.create(order()),
      fails('BadCredentials', 'MissingRights', /ecs:RunInstances/),
    );
    assert.equal(ecs.instances().length, 1);
  });

  it('that may not even look is not taken for one whose machines are all gone', async () => {
    const actions = ['DeleteInstances', 'DescribeInstanceHistoryEvents'];
    await using here = await region({ accounts: [{ ...KEY, actions }] });
    const { ecs, provider } = here;
    const [id] = seeded(ecs, 1, { 'drover.dev/owned': 'true' }) as [string];
    for (const emptyWithoutRights of [false, true]) {
      ecs.faults = { emptyWithoutRights };
      const refused = fails('BadCredentials', 'MissingRights', /ecs:DescribeInstances/);
      await assert.rejects(provider.act(id, 'Release', 'key'), refused);
      await assert.rejects(Array.fromAsync(provider.list()), refused);
    }
    ecs.faults = { emptyWithoutRights: true };
    await assert.rejects(here.open().describe(id), fails('BadCredentials', 'MissingRights'));
  });

  it('with a key that is unknown, disabled or wrong is told which', async () => {
    await using here = await region();
    const { ecs, open } = here;
    const [id] = seeded(ecs) as [string];
    const other = open({}, { accessKeyId: 'OTHER', accessKeySecret: 'x' });
    await assert.rejects(other.describe(id), fails('BadCredentials', 'AccessKeyUnknown', /AccessKey OTHER/));
    const wrong = open({}, { ...KEY, accessKeySecret: 'x' });
    await assert.rejects(wrong.describe(id), fails('BadCredentials', 'WrongSecret'));
    await assert.rejects(
      open({}, { accessKeyId: 'AKID' }).describe(id),
      fails('BadCredentials', 'NoCredentials', /accessKeySecret/),
    );
    ecs.faults = { badCredentials: true };
    await assert.rejects(open().describe(id), fails('BadCredentials', 'AccessKeyUnknown'));
  });

  it('that is throttled is not called again before the next minute, by that API; others go on', async () => {
    await using here = await region({ limits: { GetInstanceConsoleOutput: 2 } });
    const { ecs, provider, clock, answers } = here;
    const [id] = seeded(ecs) as [string];
    const asked = Array.from({ length: 6 }, () => provider.console(id));
    assert.equal((await provider.describe(id)).power, 'On');
    await Promise.allSettled(asked);
    const { OK = 0, 'Throttling.User': refused = 0 } = answers('GetInstanceConsoleOutput');
    assert.ok(OK >= 2 && refused <= 12, JSON.stringify(answers('GetInstanceConsoleOutput')));
    ecs.faults = { throttled: true, only: (action) => action === 'RebootInstances' };
    const error = await provider.act(id, 'Reboot', 'key-1').catch((error: unknown) => error);
    assert.ok(error instanceof ProviderError && error.failure === 'Throttled');
    const wait_ms = (error.until ?? 0) - clock.now();
    assert.ok(wait_ms <= MINUTE + 2_000, `${wait_ms} ms`);
    await assert.rejects(
      provider.act(id, 'Reboot', 'key-2'),
      fails('Throttled', undefined, /not called before/),
    );
    assert.deepEqual(answers('RebootInstances'), { 'Throttling.User': 1 });
    ecs.faults = {};
    await until('the minute is over', () => clock.now() >= (error.until ?? 0));
    await provider.act(id, 'Reboot', 'key-3');
  });

  it('sees its own instances only, beside another in the same region', async () => {
    const other = { accessKeyId: 'OTHER', accessKeySecret: 'other', owner: 'other' };
    await using here = await region({ accounts: [KEY, other] });
    const { ecs, provider, open } = here;
    const [id] = seeded(ecs) as [string];
    const theirs = open({}, other);
    assert.equal((await provider.describe(id)).power, 'On');
    await assert.rejects(theirs.describe(id), fails('NotFound'));
    assert.deepEqual(await Array.fromAsync(theirs.list()), []);
  });
});

describe('credentials of ECS', { concurrency: true }, () => {
  it('come from the RAM role of the instance, and are renewed before they end', async () => {
    await using here = await region({ identities: { ramRole: 'drover', lifetime_ms: 11 * MINUTE } });
    const { ecs, open } = here;
    const [id] = seeded(ecs) as [string];
    const ramRole = { endpoint: `http://${ecs.endpoint}` };
    const provider = open({ credentials: { ramRole } });
    assert.equal((await provider.describe(id)).power, 'On');
    const keys = () => new Set(ecs.calls.map(({ accessKeyId }) => accessKeyId));
    await until('new ones are in use', async () => {
      await provider.describe(id);
      return keys().size > 1;
    });
    const wrong = open({ credentials: { ramRole: { ...ramRole, name: 'nobody' } } });
    await assert.rejects(wrong.describe(id), fails('BadCredentials', 'NoCredentials', /no RAM role nobody/));
  });

  it('come for the token of a service account (RRSA)', async () => {
    const tokenFile = join(mkdtempSync(join(tmpdir(), 'drover-rrsa-')), 'token');
    const role = { roleArn: 'acs:ram::1:role/drover', providerArn: 'acs:ram::1:oidc-provider/ack' };
    await using here = await region({ identities: { oidc: { ...role, token: 'a.b.c' } } });
    const { ecs, open } = here;
    const [id] = seeded(ecs) as [string];
    const oidc = {
      roleArn: role.roleArn,
      oidcProviderArn: role.providerArn,
      tokenFile,
      stsEndpoint: `http://${ecs.endpoint}`,
    };
    await assert.rejects(
      open({ credentials: { oidc } }).describe(id),
      fails('BadCredentials', 'NoCredentials', /tokenFile.*ENOENT/),
    );
    writeFileSync(tokenFile, 'wrong\n');
    await assert.rejects(
      open({ credentials: { oidc } }).describe(id),
      fails('BadCredentials', 'NoCredentials', /OIDCToken.Invalid/),
    );
    writeFileSync(tokenFile, 'a.b.c\n');
    assert.equal((await open({ credentials: { oidc } }).describe(id)).power, 'On');
  });

  it('that can’t be fetched now may be there later', async () => {
    await using here = await region();
    const { ecs, open } = here;
    const [id] = seeded(ecs) as [string];
    const ramRole = { endpoint: 'http://127.0.0.1:9' };
    await assert.rejects(open({ credentials: { ramRole } }).describe(id), fails('TryAgain'));
  });
});

describe('the SDK', () => {
  const script = `
    import Module from 'node:module';
    const has = () => Object.keys(Module._cache).some((path) => path.includes('@alicloud'));
    process.on('exit', () => console.log(has() ? 'loaded' : 'not loaded'));
    process.argv.splice(1, 9, 'drover', ...JSON.parse(process.env.ARGS));
    await import(process.env.FILE);
  `;
  const loaded = (FILE: string, ...args: string[]) => {
    const env = { ...process.env, FILE, ARGS: JSON.stringify(args) };
    const options = { cwd: root, env, encoding: 'utf8' } as const;
    return execFileSync(process.execPath, ['--input-type=module', '-e', script], options)
      .trim()
      .split('\n')
      .at(-1);
  };

  it('is not loaded with Drover, nor with its commands: 55 MB and half a second', () => {
    assert.match(loaded(join(root, 'src/drover.ts')) ?? '', /not loaded$/);
    for (const command of ['get', 'start', 'run'])
      assert.match(loaded(join(root, 'src/cli/main.ts'), command, '--help') ?? '', /not loaded$/);
    assert.match(loaded('@alicloud/ecs20140526') ?? '', /^loaded$/, 'else this test would see nothing');
  });
});
