import assert from 'node:assert/strict';
import { request } from 'node:https';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { systemClock } from '../../platform/clock/system.ts';
import { makeCertificates } from '../../platform/kube/kubeconfig/test-server.ts';
import { MadeUpBoard, serveRedfish } from './index.ts';
import { firstMessage, scene } from './test-client.ts';

describe('the protocol', () => {
  it('lets everybody read where to begin, and nothing else', async () => {
    await using dell = await scene('Dell');
    for (const path of ['', '/', '/odata', '/$metadata']) {
      assert.equal((await dell.send(path, { user: undefined })).status, 200, path);
    }
    for (const path of ['/Systems', '/SessionService/Sessions', '/no-such']) {
      const refused = await dell.send(path, { user: undefined });
      assert.equal(refused.status, 401, path);
      assert.equal(refused.headers.get('www-authenticate'), 'Basic realm="Redfish"');
    }
    assert.deepEqual(await (await fetch(`${dell.service.url}/redfish`)).json(), { v1: '/redfish/v1/' });
  });

  it('answers HEAD as GET without a body, and says what is allowed', async () => {
    await using dell = await scene('Dell');
    const head = await dell.send('/Systems/System.Embedded.1', { method: 'HEAD' });
    assert.deepEqual([head.status, head.text], [200, '']);
    assert.equal(head.headers.get('allow'), 'GET, HEAD, PATCH');
    assert.equal(head.headers.get('odata-version'), '4.0');
    assert.equal(head.headers.get('cache-control'), 'no-cache');
    assert.match(String(head.headers.get('link')), /ComputerSystem\.v1_16_0\.json>; rel=describedby/);
    const put = await dell.send('/Systems/System.Embedded.1', { method: 'PUT', body: {} });
    assert.deepEqual([put.status, put.headers.get('allow')], [405, 'GET, HEAD, PATCH']);
  });

  it('tells apart what is wrong with a request', async () => {
    await using dell = await scene('Dell');
    const sessions = '/SessionService/Sessions';
    const post = (body: string, type: string) =>
      dell.send(sessions, { method: 'POST', body, user: undefined, headers: { 'content-type': type } });
    const cases = [
      [await post('{}', 'text/plain'), 415, 'HeaderInvalid'],
      [await post('{"UserName":', 'application/json'), 400, 'MalformedJSON'],
      [await post('[1]', 'application/json'), 400, 'UnrecognizedRequestBody'],
      [await post('{"UserName":"root"}', 'application/json'), 400, 'PropertyMissing'],
      [await post(`{"UserName":"${'x'.repeat(70_000)}"}`, 'application/json'), 413, 'PayloadTooLarge'],
      [await dell.send('/Systems/none'), 404, 'InvalidURI'],
      [await dell.send('/Systems/%zz'), 404, 'InvalidURI'],
      [await dell.send('/Systems', { headers: { accept: 'text/html' } }), 406, 'HeaderInvalid'],
      [await dell.send('/Systems', { headers: { 'odata-version': '3.0' } }), 412, 'HeaderInvalid'],
    ] as const;
    for (const [reply, status, key] of cases) {
      assert.deepEqual([reply.status, firstMessage(reply.json).key], [status, key]);
    }
  });

  it('writes errors with their text, or with ids only as HPE does', async () => {
    await using dell = await scene('Dell');
    await using hpe = await scene('HPE');
    const full = firstMessage((await dell.send('/Systems/none')).json);
    assert.match(String(full.text), /\/redfish\/v1\/Systems\/none was not found/);
    const { json } = await hpe.send('/Systems/none');
    assert.deepEqual(json, {
      error: {
        code: 'iLO.0.10.ExtendedInfo',
        message: 'See @Message.ExtendedInfo for more information.',
        '@Message.ExtendedInfo': [
          { MessageId: 'Base.1.4.InvalidURI', MessageArgs: ['/redfish/v1/Systems/none'] },
        ],
      },
    });
  });

  it('answers a method that no one knows with 501', async () => {
    await using dell = await scene('Dell');
    const { port } = new URL(dell.service.url);
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = connect(Number(port), '127.0.0.1', () =>
        socket.write('BREW /redfish/v1 HTTP/1.1\r\nHost: x\r\n\r\n'),
      );
      socket.on('data', (chunk) => {
        text += chunk.toString();
      });
      socket.on('end', () => resolve(text));
      socket.on('error', reject);
    });
    assert.match(answer, /^HTTP\/1\.1 501 /);
  });

  it('is spoken over TLS with the certificate that was given', async () => {
    const certificates = makeCertificates();
    const boards = [new MadeUpBoard(systemClock)];
    await using service = await serveRedfish({ boards, vendor: 'OpenBMC', tls: certificates.server });
    certificates.remove();
    assert.match(service.url, /^https:/);
    const get = (ca: string | undefined) =>
      new Promise<number | string>((resolve) => {
        const options = { agent: false, ...(ca === undefined ? {} : { ca }) };
        request(`${service.url}/redfish/v1/`, options, (response) => {
          response.resume().once('end', () => resolve(response.statusCode ?? 0));
        })
          .on('error', (error) => resolve(error.message))
          .end();
      });
    assert.equal(await get(certificates.ca), 200);
    assert.match(String(await get(undefined)), /certificate/);
  });
});
