// Evidence in a real S3-speaking store that checks signatures, and in one that misbehaves.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { run } from '../../src/cli/test-io.ts';
import type { Blobs } from '../../src/platform/blobs/blobs.ts';
import { testBlobs } from '../../src/platform/blobs/blobs-suite.ts';
import { openBlobs } from '../../src/platform/blobs/open.ts';
import { TRIES_MAX } from '../../src/platform/blobs/s3-blobs.ts';
import { type Clock, HOUR, MINUTE } from '../../src/platform/clock/clock.ts';
import { systemClock } from '../../src/platform/clock/system.ts';
import { noS3 } from './build.ts';
import { type S3Server, startS3 } from './start.ts';

const KEY = `ab/${'c'.repeat(62)}.zst`;

const reason = await noS3();

describe('an S3-compatible store', { skip: reason ?? false, timeout: 20 * MINUTE }, () => {
  let server: S3Server;
  before(async () => {
    server = await startS3(['evidence', 'other-1']);
  });
  after(() => server[Symbol.asyncDispose]());
  const open = (place: string, env = {}, clock: Clock = systemClock): Blobs =>
    openBlobs(`s3://${place}?endpoint=${server.endpoint}`, { ...server.env, ...env }, clock);

  testBlobs('a bucket', () => ({ blobs: open('evidence'), dir: server.folderOf('evidence') }));
  testBlobs('a bucket, below a prefix', () => ({
    blobs: open('other-1/fleet_a/crashes'),
    dir: join(server.folderOf('other-1'), 'fleet_a/crashes'),
  }));

  it('says that the bucket is missing', async () => {
    const nowhere = open('nowhere');
    const missing = /there is no bucket "nowhere"; create it.*404 NoSuchBucket/;
    await assert.rejects(nowhere.put(Buffer.from('x')), missing);
    await assert.rejects(nowhere.get(KEY), missing);
    await assert.rejects(nowhere.delete(KEY), missing);
  });
  it('says which of the keys is wrong', async () => {
    const put = (env: object) => open('evidence', env).put(Buffer.from('x'));
    await assert.rejects(put({ AWS_ACCESS_KEY_ID: 'nobody' }), /does not know the key of AWS_ACCESS_KEY_ID/);
    await assert.rejects(
      put({ AWS_SECRET_ACCESS_KEY: 'wrong' }),
      /AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID/,
    );
  });
  it('says that this machine’s clock is wrong', async () => {
    const clock = { ...clockOf(systemClock), now: () => systemClock.now() - HOUR };
    await assert.rejects(open('evidence', {}, clock).put(Buffer.from('x')), /clock is 3\d{3} s behind.*NTP/);
  });
  it('takes what drover crash import keeps, and show reads it back', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'drover-s3-cli-'));
    try {
      const log = join(folder, 'console.log');
      writeFileSync(log, 'sysrq: Trigger a crash\nKernel panic - not syncing: sysrq triggered crash\n');
      const place = ['--data', folder, '--evidence', `s3://evidence/cli?endpoint=${server.endpoint}`];
      const env = server.env;
      const imported = await run(['crash', 'import', log, '-m', 'm1', ...place, '-o', 'json'], { env });
      assert.equal(imported.code, 0, imported.err);
      const [{ id }] = JSON.parse(imported.out);
      const shown = await run(['crash', 'show', id, '--log', ...place], { env });
      assert.match(shown.out, /sysrq triggered crash/);
      const elsewhere = await run(['crash', 'show', id, '--log', '--data', folder]);
      assert.match(elsewhere.err, /no evidence/);
      const keyless = await run(['crash', 'show', id, '--log', ...place]);
      assert.match(keyless.err, /set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
  it('says that it is gone', async () => {
    const lost = await startS3(['evidence']);
    const waits: number[] = [];
    const setting = `s3://evidence?endpoint=${lost.endpoint}`;
    await lost[Symbol.asyncDispose]();
    const blobs = openBlobs(setting, server.env, impatient(waits));
    await assert.rejects(blobs.put(Buffer.from('x')), /does not answer at http.*ECONNREFUSED.*tried 3 times/);
    assert.equal(waits.length, TRIES_MAX - 1);
  });
});

describe('an S3-compatible store that misbehaves', () => {
  const env = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret', AWS_SESSION_TOKEN: 'token' };

  it('is asked again after 429, 500 and a broken line, later each time, and never for ever', async () => {
    const answers = [429, 'broken', 200, 503, 503, 503] as const;
    let asked = 0;
    await using bad = await badServer((request, response) => {
      request.resume();
      const answer = answers[asked++];
      if (answer === 'broken') request.socket.destroy();
      else response.writeHead(answer ?? 500).end();
    });
    const waits: number[] = [];
    const blobs = openBlobs(bad.setting, env, impatient(waits));
    await blobs.put(Buffer.from('x'));
    assert.deepEqual(waits, [500, 1000]);
    await assert.rejects(blobs.put(Buffer.from('x')), /overloaded or broken.*503/);
    assert.equal(asked, 6);
  });
  it('is not asked again where that can’t help', async () => {
    let asked = 0;
    await using bad = await badServer((_, response) => {
      asked++;
      response.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>');
    });
    await assert.rejects(openBlobs(bad.setting, env, impatient([])).get(KEY), /s3:GetObject.*s3:ListBucket/);
    assert.equal(asked, 1);
  });
  it('has a limit to its silence', async () => {
    await using bad = await badServer(() => {});
    const hurried = { ...clockOf(systemClock), sleep: async () => {} };
    const blobs = openBlobs(bad.setting, env, {
      ...hurried,
      timer: (_delay_ms, wake) => systemClock.timer(50, wake),
    });
    await assert.rejects(blobs.get(KEY), /no answer within 60 s \(tried 3 times\)/);
  });
  it('sends no more than we take', async () => {
    await using bad = await badServer((_, response) => {
      response.writeHead(200);
      const piece = Buffer.alloc(8 << 20);
      const more = () => {
        while (!response.destroyed && response.write(piece));
      };
      response.on('drain', more);
      more();
    });
    await assert.rejects(
      openBlobs(bad.setting, env, impatient([])).get(KEY),
      /answer of more than 68157440 bytes/,
    );
  });
  it('that stands elsewhere is told, and is not followed with our keys', async () => {
    await using bad = await badServer((_, response) =>
      response
        .writeHead(301, { location: 'http://127.0.0.1:1/', 'x-amz-bucket-region': 'eu-north-1' })
        .end('<Error><Code>PermanentRedirect</Code></Error>'),
    );
    await assert.rejects(openBlobs(bad.setting, env, impatient([])).get(KEY), /set region=eu-north-1/);
  });
  it('gets the session’s token, signed', async () => {
    let seen: Record<string, unknown> = {};
    await using bad = await badServer((request, response) => {
      seen = request.headers;
      response.writeHead(204).end();
    });
    await openBlobs(bad.setting, env, systemClock).delete(KEY);
    assert.equal(seen['x-amz-security-token'], 'token');
    assert.match(
      String(seen.authorization),
      /SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token/,
    );
  });
});

function clockOf(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    timer: (delay_ms, wake) => clock.timer(delay_ms, wake),
    sleep: (delay_ms, signal) => clock.sleep(delay_ms, signal),
    random: () => clock.random(),
    id: (length) => clock.id(length),
  };
}

/** Does not wait, but notes how long it should have. */
function impatient(waits: number[]): Clock {
  const sleep = async (delay_ms: number) => {
    waits.push(delay_ms);
  };
  return { ...clockOf(systemClock), sleep, random: () => 0.5 };
}

async function badServer(answer: RequestListener): Promise<AsyncDisposable & { setting: string }> {
  const server = createServer(answer);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    setting: `s3://evidence?endpoint=http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
