// The stand-in by itself, asked by a client that signs by hand. What Drover makes of it: test/ecs/.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../platform/clock/system.ts';
import { VirtualClock } from '../../platform/clock/virtual.ts';
import { type EcsOptions, serveEcs } from './index.ts';
import { type Answer, ask } from './test-client.ts';

const RUN = { ImageId: 'img', InstanceType: 'ecs.ebmg7.32xlarge', VSwitchId: 'vsw-a' };
const type = {
  name: 'ecs.ebmg7.32xlarge',
  vcpus: 128,
  memory_gib: 512,
  enis: 32,
  disks: 17,
  pps: 1,
  bandwidth_kbps: 1,
};

async function cloud(options: Partial<EcsOptions> = {}) {
  const clock = new VirtualClock();
  const accounts = [{ accessKeyId: 'AKID', accessKeySecret: 'secret' }];
  const ecs = await serveEcs({ clock, region: 'r', zones: ['a', 'b'], types: [type], accounts, ...options });
  const call = (action: string, parameters: Record<string, string> = {}) =>
    ask(ecs.endpoint, action, parameters);
  const run = async (more: Record<string, string> = {}) => {
    const { body } = await call('RunInstances', { ...RUN, ...more });
    return (body.InstanceIdSets as { InstanceIdSet: string[] }).InstanceIdSet;
  };
  return { ecs, clock, call, run, [Symbol.asyncDispose]: ecs.close };
}

const code = ({ status, body }: Answer) => `${status} ${body.Code}`;
const shown = ({ body }: Answer) =>
  (body.Instances as { Instance: { InstanceId: string; Status: string }[] }).Instance;

describe('a signature', () => {
  it('is checked, and counts once', async () => {
    await using here = await cloud();
    const { endpoint } = here.ecs;
    const tricky = { InstanceName: `a b*~'()!中+&=%` };
    assert.equal((await ask(endpoint, 'DescribeInstances', tricky)).status, 200);
    assert.equal(
      code(await ask(endpoint, 'DescribeInstances', {}, {}, ['AKID', 'wrong'])),
      '400 SignatureDoesNotMatch',
    );
    assert.equal(
      code(await ask(endpoint, 'DescribeInstances', {}, {}, ['NOBODY', 'x'])),
      '404 InvalidAccessKeyId.NotFound',
    );
    const nonce = { 'x-acs-signature-nonce': 'n1' };
    assert.equal((await ask(endpoint, 'DescribeInstances', {}, nonce)).status, 200);
    assert.equal(code(await ask(endpoint, 'DescribeInstances', {}, nonce)), '400 SignatureNonceUsed');
    const at = (shift_ms: number) => ({
      'x-acs-date': `${new Date(systemClock.now() + shift_ms).toISOString().slice(0, 19)}Z`,
    });
    assert.equal(
      code(await ask(endpoint, 'DescribeInstances', {}, at(-16 * 60_000))),
      '400 InvalidTimeStamp.Expired',
    );
    assert.equal(code(await ask(endpoint, 'DescribeInstances', {}, at(16 * 60_000))), '400 IllegalTimestamp');
    assert.equal((await ask(endpoint, 'DescribeInstances', {}, at(-14 * 60_000))).status, 200);
    assert.equal(code(await here.call('DescribeUnicorns')), '400 InvalidAction.NotFound');
  });
});

describe('an instance', () => {
  it('is not shown at first, then Pending, Starting and Running by the clock', async () => {
    await using here = await cloud();
    const { clock, call, run } = here;
    const [id] = (await run()) as [string];
    const status = async () =>
      shown(await call('DescribeInstances', { InstanceIds: JSON.stringify([id, 'i-none']) }))[0]?.Status;
    assert.equal(await status(), undefined);
    assert.equal(
      code(await call('RebootInstances', { 'InstanceId.1': id })),
      '404 InvalidInstanceId.NotFound',
    );
    await clock.advance(3_000);
    assert.equal(await status(), 'Pending');
    assert.equal(
      code(await call('DeleteInstances', { 'InstanceId.1': id, Force: 'true' })),
      '403 IncorrectInstanceStatus.Initializing',
    );
    await clock.advance(3_000);
    assert.equal(await status(), 'Starting');
    assert.equal(code(await call('RebootInstances', { 'InstanceId.1': id })), '403 IncorrectInstanceStatus');
    await clock.advance(20_000);
    assert.equal(await status(), 'Running');
    assert.equal(code(await call('StartInstances', { 'InstanceId.1': id })), '403 IncorrectInstanceStatus');
    assert.equal(code(await call('DeleteInstances', { 'InstanceId.1': id })), '403 IncorrectInstanceStatus');
    assert.equal((await call('DeleteInstances', { 'InstanceId.1': id, Force: 'true' })).status, 200);
    assert.equal(await status(), undefined);
  });

  it('fails its whole batch, or only itself where SuccessFirst is asked for', async () => {
    await using here = await cloud();
    const { ecs, clock, call, run } = here;
    const [a, b] = (await run({ Amount: '2' })) as [string, string];
    await clock.advance(60_000);
    await call('StopInstances', { 'InstanceId.1': b, ForceStop: 'true' });
    await clock.advance(60_000);
    const both = { 'InstanceId.1': a, 'InstanceId.2': b };
    assert.equal(code(await call('RebootInstances', both)), '403 IncorrectInstanceStatus');
    assert.deepEqual(
      ecs.instances().map(({ status }) => status),
      ['Running', 'Stopped'],
    );
    const { body } = await call('RebootInstances', { ...both, BatchOptimization: 'SuccessFirst' });
    const answers = (body.InstanceResponses as { InstanceResponse: { InstanceId: string; Code: string }[] })
      .InstanceResponse;
    assert.deepEqual(Object.fromEntries(answers.map(({ InstanceId, Code }) => [InstanceId, Code])), {
      [a]: '200',
      [b]: 'IncorrectInstanceStatus',
    });
  });

  it('runs commands by its agent, and leaves one unanswered where no agent is', async () => {
    let answers = true;
    const machineFor: EcsOptions['machineFor'] = () => ({
      start: () => {},
      stop: () => {},
      reboot: () => {},
      redeploy: () => {},
      interrupt: () => {},
      release: () => {},
      console: () => '',
      run: (command) =>
        answers ? { exitCode: command === 'false' ? 1 : 0, output: `ran ${command}` } : undefined,
    });
    await using here = await cloud({ machineFor });
    const { clock, call, run } = here;
    const [id] = (await run()) as [string];
    await clock.advance(60_000);
    const result = async (command: string) => {
      const content = Buffer.from(command).toString('base64');
      const { body } = await call('RunCommand', {
        Type: 'RunShellScript',
        CommandContent: content,
        ContentEncoding: 'Base64',
        'InstanceId.1': id,
      });
      const results = async () => {
        const { body: said } = await call('DescribeInvocationResults', { InvokeId: String(body.InvokeId) });
        const [first] = (
          said.Invocation as { InvocationResults: { InvocationResult: Record<string, unknown>[] } }
        ).InvocationResults.InvocationResult;
        return first as Record<string, unknown>;
      };
      assert.equal((await results()).InvocationStatus, 'Running');
      await clock.advance(60_000);
      return results();
    };
    const done = await result('uptime');
    assert.deepEqual(
      [done.InvocationStatus, done.ExitCode, Buffer.from(String(done.Output), 'base64').toString()],
      ['Success', 0, 'ran uptime'],
    );
    assert.equal((await result('false')).InvocationStatus, 'Failed');
    answers = false;
    assert.equal((await result('uptime')).InvocationStatus, 'Timeout');
  });
});

describe('an order', () => {
  it('is checked before anything is made, and a dry run makes nothing', async () => {
    await using here = await cloud();
    const { ecs, call } = here;
    const refused = async (more: Record<string, string>) =>
      code(await call('RunInstances', { ...RUN, ...more }));
    assert.equal(await refused({ Amount: '101' }), '400 InvalidParameter');
    assert.equal(await refused({ Amount: '5', MinAmount: '6' }), '400 InvalidParameter');
    assert.equal(await refused({ ImageId: '' }), '400 MissingParameter');
    assert.equal(await refused({ InstanceType: 'ecs.none' }), '400 InvalidInstanceType.ValueNotSupported');
    assert.equal(await refused({ VSwitchId: 'vsw-x' }), '400 InvalidVSwitchId.NotFound');
    assert.equal(await refused({ ClientToken: 'x'.repeat(65) }), '400 InvalidClientToken.ValueNotSupported');
    assert.equal(
      await refused({ 'Tag.1.Key': 'acs:mine', 'Tag.1.Value': '' }),
      '400 InvalidTagKey.Malformed',
    );
    assert.equal(await refused({ DryRun: 'true' }), '400 DryRunOperation');
    ecs.setStock('a', type.name, 0);
    assert.equal(await refused({ DryRun: 'true' }), '403 OperationDenied.NoStock');
    assert.deepEqual(ecs.instances(), []);
  });

  it('without MinAmount is filled or refused as a whole', async () => {
    await using here = await cloud();
    const { ecs, call, run } = here;
    ecs.setStock('a', type.name, 4);
    assert.equal(code(await call('RunInstances', { ...RUN, Amount: '5' })), '403 OperationDenied.NoStock');
    assert.equal((await run({ Amount: '5', MinAmount: '1' })).length, 4);
  });
});

describe('lists', () => {
  it('come in pages of 10 to 100', async () => {
    await using here = await cloud();
    const { clock, call, run } = here;
    await run({ Amount: '25' });
    await clock.advance(5_000);
    const sizes: number[] = [];
    for (let NextToken = ''; ; ) {
      const page = await call('DescribeInstances', { MaxResults: '10', ...(NextToken && { NextToken }) });
      sizes.push(shown(page).length);
      NextToken = String(page.body.NextToken);
      if (NextToken === '') break;
    }
    assert.deepEqual(sizes, [10, 10, 5]);
    assert.equal(code(await call('DescribeInstances', { MaxResults: '101' })), '400 InvalidParameter');
    assert.equal(
      code(await call('DescribeInstances', { InstanceIds: 'i-1' })),
      '400 InvalidInstanceIds.Malformed',
    );
  });

  it('of events hold only what is over, unless open states are asked for', async () => {
    await using here = await cloud();
    const { ecs, clock, call, run } = here;
    const [id] = (await run()) as [string];
    await clock.advance(60_000);
    ecs.announce({ instance: id, type: 'SystemMaintenance.Reboot', notBefore: clock.now() + 60_000 });
    const events = async (more: Record<string, string> = {}) => {
      const { body } = await call('DescribeInstanceHistoryEvents', more);
      const all = (
        body.InstanceSystemEventSet as { InstanceSystemEventType: { EventCycleStatus: { Name: string } }[] }
      ).InstanceSystemEventType;
      return all.map(({ EventCycleStatus }) => EventCycleStatus.Name);
    };
    assert.deepEqual(await events(), []);
    assert.deepEqual(await events({ 'InstanceEventCycleStatus.1': 'Scheduled' }), ['Scheduled']);
    await clock.advance(120_000);
    assert.deepEqual(await events(), ['Executed']);
  });
});

describe('throttling', () => {
  it('counts by action and minute', async () => {
    await using here = await cloud({ limits: { DescribeInstances: 2 } });
    const { clock, call } = here;
    const answers = async () =>
      [...Array(3)].reduce(
        async (before, _) => [...(await before), (await call('DescribeInstances')).status],
        Promise.resolve<number[]>([]),
      );
    assert.deepEqual(await answers(), [200, 200, 400]);
    assert.equal((await call('DescribeInstanceTypes')).status, 200);
    await clock.advance(60_000);
    assert.deepEqual(await answers(), [200, 200, 400]);
  });
});
