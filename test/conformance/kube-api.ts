// What Drover relies on in a Kubernetes API server. The real kube-apiserver is right by definition: a
// sentence here that it does not keep is wrong.

import { randomBytes } from 'node:crypto';
import { after, before, describe } from 'node:test';
import type { Transport } from '../../src/platform/kube/transport.ts';
import { applies } from './apply.ts';
import { customResources } from './custom-resources.ts';
import { Client, ok, WIDGET_CRD } from './fixture.ts';
import { lists } from './lists.ts';
import { objects } from './objects.ts';
import { patches } from './patches.ts';
import { pods } from './pods.ts';
import { watches } from './watches.ts';

const ESTABLISH_TRIES = 50;
const ESTABLISH_WAIT_MS = 100;

export interface ConformanceOptions {
  /** A controller manager runs beside the server: owners are collected, budgets are counted. */
  controllers?: boolean;
}

/** Registers the suite; `open` is called once. */
export function conformance(
  name: string,
  open: () => Promise<{ transport: Transport; close(): Promise<void> }>,
  options: ConformanceOptions = {},
): void {
  describe(name, () => {
    let opened: Awaited<ReturnType<typeof open>>;
    let client: Client;
    before(async () => {
      opened = await open();
      client = new Client(opened.transport, `conformance-${randomBytes(4).toString('hex')}`);
      await prepare(client);
    });
    after(async () => {
      await client.delete(
        `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${WIDGET_CRD.metadata.name}`,
      );
      await client.delete(`/api/v1/namespaces/${client.namespace}`);
      await opened.close();
    });
    const use = () => client;
    objects(use);
    lists(use);
    watches(use);
    patches(use);
    applies(use);
    customResources(use);
    pods(use, options.controllers ?? false);
  });
}

async function prepare(client: Client): Promise<void> {
  ok(await client.post('/api/v1/namespaces', { metadata: { name: client.namespace } }), 201);
  // Pods need it; a controller manager may have been quicker.
  await client.post(client.in('serviceaccounts'), { metadata: { name: 'default' } });
  ok(await client.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', WIDGET_CRD), 201);
  for (let tries = 0; tries < ESTABLISH_TRIES; tries++) {
    const { status } = await client.get(client.widgets());
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, ESTABLISH_WAIT_MS));
  }
  throw new Error('the test CRD was not established in time');
}
