// For tests only: certificates made with openssl, and servers on the loopback that use them.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import { type AddressInfo, connect, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Identity {
  cert: string;
  key: string;
}

export interface Certificates {
  folder: string;
  ca: string;
  /** For 127.0.0.1 and api.test. */
  server: Identity;
  client: Identity;
  remove(): void;
}

export function testFolder(): string {
  return mkdtempSync(join(tmpdir(), 'drover-kube-'));
}

export function makeCertificates(): Certificates {
  const folder = join(testFolder(), 'certificates');
  mkdirSync(folder);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-days',
    '2',
    '-subj',
    '/CN=test-ca',
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
  );
  const sign = (name: string, extension: string) => {
    writeFileSync(join(folder, 'extension'), extension);
    openssl('req', ...newKey, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    const by = [
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '2',
      '-extfile',
      'extension',
    ];
    openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-out', `${name}.crt`);
    return { cert: read(`${name}.crt`), key: read(`${name}.key`) };
  };
  const read = (file: string) => readFileSync(join(folder, file), 'utf8');
  return {
    folder,
    ca: read('ca.crt'),
    server: sign('server', 'subjectAltName=IP:127.0.0.1,DNS:api.test'),
    client: sign('client', 'extendedKeyUsage=clientAuth'),
    remove: () => rmSync(join(folder, '..'), { recursive: true, force: true }),
  };
}

export interface Listening {
  url: string;
  port: number;
  close(): void;
}

export async function listen(
  server: Server & { closeAllConnections?(): void },
  scheme = 'https',
): Promise<Listening> {
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.closeAllConnections?.();
    server.close();
  };
  return { url: `${scheme}://127.0.0.1:${port}`, port, close };
}

/** An API server that asks for, but does not demand, client certificates of our authority. */
export function serveTls(certificates: Certificates, handler: http.RequestListener): Promise<Listening> {
  const options = {
    ...certificates.server,
    ca: certificates.ca,
    requestCert: true,
    rejectUnauthorized: false,
  };
  return listen(https.createServer(options, handler));
}

/** A CONNECT proxy; sends every tunnel to `port` and notes what was asked for. */
export async function serveProxy(port: number, status = 200): Promise<Listening & { asked: string[] }> {
  const asked: string[] = [];
  const server = http.createServer();
  server.on('connect', (request, client) => {
    asked.push(`${request.url} ${request.headers['proxy-authorization'] ?? ''}`.trim());
    if (status !== 200) return client.end(`HTTP/1.1 ${status} No\r\n\r\n`);
    const upstream = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    for (const socket of [upstream, client]) socket.on('error', () => socket.destroy());
    return undefined;
  });
  return { ...(await listen(server, 'http')), asked };
}

export function sendJson(response: http.ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
