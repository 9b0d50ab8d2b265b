// Stands between Drover and a service that does not tell what it was asked: remembers every request, can hold answers
// back, and can go away.
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Proxy {
  port: number;
  /** `POST /path {"ResetType":"On"}` */
  requests: string[];
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
}

export async function proxyTo(target: number): Promise<Proxy> {
  const requests: string[] = [];
  let server = await listen(0);
  const { port } = server.address() as AddressInfo;

  function listen(at: number): Promise<Server> {
    const created = createServer((incoming, answer) => {
      void bodyOf(incoming).then((body) => {
        requests.push(`${incoming.method} ${incoming.url} ${body}`.trim());
        const { method, url: path, headers } = incoming;
        const outgoing = request({ host: '127.0.0.1', port: target, method, path, headers }, (response) => {
          answer.writeHead(response.statusCode ?? 502, response.headers);
          response.pipe(answer);
        });
        outgoing.on('error', () => answer.destroy());
        outgoing.end(body);
      });
    });
    return new Promise((resolve) => created.listen(at, '127.0.0.1', () => resolve(created)));
  }

  return {
    port,
    requests,
    goAway: () =>
      new Promise((gone) => {
        server.close(() => gone());
        server.closeAllConnections();
      }),
    comeBack: async () => {
      server = await listen(port);
    },
  };
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
