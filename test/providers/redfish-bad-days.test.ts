// What BMCs do to those who talk to them, and what Drover makes of it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../src/platform/clock/system.ts';
import { makeCertificates } from '../../src/platform/kube/kubeconfig/test-server.ts';
import { ProviderError } from '../../src/platform/providers/provider.ts';
import { MadeUpBoard, serveRedfish, VENDORS } from '../../src/simulation/redfish/index.ts';
import { fingerprintOf, ownRedfishStage } from './own-redfish.ts';
import { eventually, opened, PASSWORD, SECRET } from './stage.ts';

const fails = (failure: string, reason: string, says: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ProviderError, String(error));
  assert.deepEqual([error.failure, error.reason], [failure, reason], error.message);
  assert.match(error.message, says);
  return true;
};
const SPEC = { redfish: { secretRef: SECRET } };

describe('the certificate of a BMC', () => {
  it('that is not the pinned one is told before a byte is sent, with the one that was met', async () => {
    await using stage = await ownRedfishStage('OpenBMC');
    const { secret, machine, service } = stage;
    const before = service.requests.length;
    const other = opened(SPEC, { ...secret, '127.0.0.1.sha256': 'ab'.repeat(32) });
    const met = fingerprintOf(stage.certificates.server.cert);
    await assert.rejects(
      other.describe(machine),
      fails('BadCredentials', 'CertificateChanged', new RegExp(met)),
    );
    assert.equal(service.requests.length, before);
  });

  it('may be signed by the site instead, and by no one else', async () => {
    await using stage = await ownRedfishStage('OpenBMC');
    const { machine, certificates } = stage;
    const secret = { username: 'admin', password: PASSWORD };
    const signed = opened({ redfish: { ...SPEC.redfish, caBundle: certificates.ca } }, secret);
    assert.equal((await signed.describe(machine)).power, 'On');
    await signed.close();
    const strange = makeCertificates();
    const others = opened({ redfish: { ...SPEC.redfish, caBundle: strange.ca } }, secret);
    await assert.rejects(
      others.describe(machine),
      fails('BadCredentials', 'CertificateRefused', /not signed by an authority/),
    );
    strange.remove();
  });

  it('that nobody has vouched for gets no password, nor does one in clear that is not our own host', async () => {
    const secret = { username: 'admin', password: PASSWORD };
    await assert.rejects(
      opened(SPEC, secret).describe('127.0.0.1:1'),
      fails(
        'BadCredentials',
        'CertificateUnknown',
        /give spec\.redfish\.caBundle, or its fingerprint as 127\.0\.0\.1\.sha256/,
      ),
    );
    await assert.rejects(
      opened({ redfish: { ...SPEC.redfish, scheme: 'HTTP' } }, secret).describe('bmc.example'),
      fails('BadCredentials', 'InsecureScheme', /in clear/),
    );
  });
});

describe('sessions', () => {
  it('are one for all calls, two requests at most at once, and none after', async () => {
    await using stage = await ownRedfishStage('Dell');
    const { provider, service, machine } = stage;
    await Promise.all(Array.from({ length: 12 }, () => provider.describe(machine)));
    await provider.eventLog(machine);
    assert.equal(service.sessionsMost, 1);
    assert.ok(service.concurrentMost <= 2, `${service.concurrentMost} at once`);
    await provider.close();
    assert.equal(service.sessionsOpen, 0);
  });

  it('that vanish early are opened anew', async () => {
    await using stage = await ownRedfishStage('HPE');
    await stage.provider.describe(stage.machine);
    stage.service.dropSessions();
    assert.equal((await stage.provider.describe(stage.machine)).power, 'On');
    await stage.provider.close();
  });

  it('that others have used up are done without', async () => {
    const board = new MadeUpBoard(systemClock, {});
    const users = [{ name: 'admin', password: PASSWORD, role: 'Operator' as const }];
    const service = await serveRedfish({ boards: [board], vendor: 'Dell', users });
    const login = () =>
      fetch(`${service.url}/redfish/v1/SessionService/Sessions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ UserName: 'admin', Password: PASSWORD }),
      });
    while ((await login()).status === 201);
    const provider = opened(
      { redfish: { ...SPEC.redfish, scheme: 'HTTP' } },
      { username: 'admin', password: PASSWORD },
    );
    assert.equal((await provider.describe(new URL(service.url).host)).power, 'On');
    await service.close();
  });
});

describe('an answer', () => {
  it('of 200 with an error in it is an error', async () => {
    await using stage = await ownRedfishStage('OpenBMC');
    await stage.provider.describe(stage.machine);
    stage.service.faults = { errorWith200: true };
    await assert.rejects(
      stage.provider.describe(stage.machine),
      fails('Broken', 'ErrorWithStatusOk', /with status 200/),
    );
    await assert.rejects(
      stage.provider.act(stage.machine, 'ForceReboot', 'k'),
      fails('Broken', 'ErrorWithStatusOk', /./),
    );
    assert.deepEqual(stage.board.orders, []);
  });

  it('that is cut off in the middle is no answer', async () => {
    await using stage = await ownRedfishStage('OpenBMC');
    await stage.provider.describe(stage.machine);
    stage.service.faults = { badBody: true };
    await assert.rejects(
      stage.provider.describe(stage.machine),
      (error: unknown) => error instanceof ProviderError,
    );
  });

  it('that never came to a reset means that it may have happened', async () => {
    await using stage = await ownRedfishStage('OpenBMC');
    await stage.provider.describe(stage.machine);
    stage.service.faults = { lostAnswers: true, only: ({ method }) => method === 'POST' };
    await assert.rejects(
      stage.provider.act(stage.machine, 'ForceReboot', 'k'),
      fails('Unknown', 'Unknown', /POST/),
    );
    assert.deepEqual(stage.board.orders, ['ForceRestart'], 'and it did, once');
  });

  it('that did not come after a reset was accepted does not make it one that never happened', async () => {
    await using stage = await ownRedfishStage('Lenovo');
    await stage.provider.describe(stage.machine);
    // It has answered 202, and is gone when it is asked for the task.
    stage.service.faults = { lostAnswers: true, only: ({ path }) => /Tasks/.test(path) };
    await assert.rejects(
      stage.provider.act(stage.machine, 'ForceReboot', 'k'),
      fails('Unknown', 'Unknown', /ForceRestart was accepted/),
    );
    assert.deepEqual(stage.board.orders, ['ForceRestart']);
    const dell = await ownRedfishStage('Dell');
    await dell.provider.describe(dell.machine);
    // Off was accepted; whether it is off, nobody says.
    let posted = false;
    dell.service.faults = {
      lostAnswers: true,
      only: ({ method }) => {
        posted ||= method === 'POST';
        return posted && method === 'GET';
      },
    };
    await assert.rejects(
      dell.provider.act(dell.machine, 'PowerCycle', 'k'),
      fails('Unknown', 'Unknown', /./),
    );
    assert.deepEqual(dell.board.orders, ['ForceOff']);
    await dell[Symbol.asyncDispose]();
  });

  it('that never came to a question is asked again', async () => {
    await using stage = await ownRedfishStage('Dell');
    await stage.provider.describe(stage.machine);
    let lost = 0;
    stage.service.faults = {
      lostAnswers: true,
      only: ({ method, path }) => method === 'GET' && /Entries/.test(path) && lost++ < 1,
    };
    const log = await stage.provider.eventLog(stage.machine);
    assert.ok(
      log.some(
        ({ message, severity, sensor }) =>
          /DIMM A3/.test(message) && severity === 'Critical' && sensor === 'Memory',
      ),
    );
  });

  it('of a role that may only read is told as missing rights', async () => {
    const board = new MadeUpBoard(systemClock, {});
    const users = [{ name: 'admin', password: PASSWORD, role: 'ReadOnly' as const }];
    await using service = await serveRedfish({ boards: [board], vendor: 'OpenBMC', users });
    const spec = { redfish: { ...SPEC.redfish, scheme: 'HTTP' } };
    const provider = opened(spec, { username: 'admin', password: PASSWORD });
    const machine = new URL(service.url).host;
    assert.equal((await provider.describe(machine)).power, 'On');
    await assert.rejects(
      provider.act(machine, 'ForceReboot', 'k'),
      fails('BadCredentials', 'MissingRights', /./),
    );
    assert.deepEqual(board.orders, []);
    await provider.close();
  });
});

describe('a machine', () => {
  it('whose reset is accepted and ignored is not lied about: its power says so', async () => {
    await using stage = await ownRedfishStage('Dell');
    stage.service.faults = { resetIgnored: true };
    await stage.provider.act(stage.machine, 'PowerOff', 'k');
    assert.equal((await stage.provider.describe(stage.machine)).power, 'On');
  });

  it('says what it is made of, in the old form of sensors and in the new', async () => {
    for (const vendor of ['Dell', 'HPE', 'Lenovo', 'OpenBMC'] as const) {
      await using stage = await ownRedfishStage(vendor);
      const { model, serial, firmware, sensors } =
        (await stage.provider.inventory?.(stage.machine)) ?? assert.fail();
      assert.deepEqual([model, serial], [stage.board.model, stage.board.serial], vendor);
      assert.ok(
        firmware.some(({ name, version }) => name === 'System BIOS' && version === '2.19.1'),
        vendor,
      );
      const cpu = sensors.find(({ name }) => name === 'CPU1 Temp');
      assert.deepEqual([cpu?.reading, cpu?.unit, cpu?.health], [54, 'Cel', 'OK'], vendor);
    }
  });

  it('of an enclosure is named by its path; without one it is not guessed', async () => {
    const boards = ['a', 'b'].map(
      (name) => new MadeUpBoard(systemClock, { name, delays: { switch_ms: 50 } }),
    );
    const users = [{ name: 'admin', password: PASSWORD, role: 'Operator' as const }];
    await using service = await serveRedfish({ boards, vendor: 'OpenBMC', users });
    const provider = opened(
      { redfish: { ...SPEC.redfish, scheme: 'HTTP' } },
      { username: 'admin', password: PASSWORD },
    );
    const { host } = new URL(service.url);
    let said = '';
    await assert.rejects(provider.describe(host), (error: ProviderError) => {
      said = error.message;
      return error.failure === 'NotFound';
    });
    const [path] = /\/redfish\/v1\/Systems\/[\w.-]+/.exec(said.slice(said.indexOf('name one of'))) ?? [];
    assert.ok(path, said);
    await provider.act(`${host}${path}`, 'PowerOff', 'k');
    await eventually(
      'one of them is off',
      () => boards.filter((board) => board.power() === 'Off').length === 1,
    );
    assert.equal(boards.flatMap(({ orders }) => orders).length, 1);
    await provider.close();
  });

  it('whose BMC hangs costs its own callers their time, and others nothing', async () => {
    await using sick = await ownRedfishStage('OpenBMC');
    await using well = await ownRedfishStage('OpenBMC');
    const provider = opened(SPEC, sick.secret);
    sick.service.faults = { hang: true };
    let ended = false;
    const slow = provider.describe(sick.machine).catch(() => {
      ended = true;
    });
    const both = opened(SPEC, well.secret);
    for (let turn = 0; turn < 20; turn++) assert.equal((await both.describe(well.machine)).power, 'On');
    assert.equal(ended, false);
    sick.service.faults = {};
    await sick.service.close();
    await slow;
    await both.close();
  });

  it('whose clock was not set has no times in its log, and one of many pages comes whole', async () => {
    await using stage = await ownRedfishStage('Dell');
    for (let index = 0; index < 180; index++)
      stage.board.addLog({ severity: 'Warning', message: `Correctable ECC ${index}`, sensorType: 'Memory' });
    const log = (await stage.provider.eventLog(stage.machine)).filter(({ message }) =>
      /Correctable ECC \d/.test(message),
    );
    assert.equal(log.length, 180);
    assert.deepEqual(
      log.map(({ message }) => message),
      Array.from({ length: 180 }, (_, index) => `Correctable ECC ${index}`),
    );
    assert.ok(Object.keys(VENDORS).length >= 4);
  });
});
