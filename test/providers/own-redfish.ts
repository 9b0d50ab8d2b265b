// Our own Redfish service, as four vendors, over HTTPS with a pinned certificate.
import { createHash, X509Certificate } from 'node:crypto';
import { systemClock } from '../../src/platform/clock/system.ts';
import { type Certificates, makeCertificates } from '../../src/platform/kube/kubeconfig/test-server.ts';
import type { Act } from '../../src/platform/providers/provider.ts';
import {
  MadeUpBoard,
  type RedfishService,
  serveRedfish,
  type VendorName,
} from '../../src/simulation/redfish/index.ts';
import { eventually, opened, PASSWORD, SECRET, type Stage } from './stage.ts';

/** What each act comes to, by what the vendor allows. A cycle may be ForceOff and On. */
const RESETS: Readonly<Partial<Record<Act, readonly string[]>>> = {
  Reboot: ['GracefulRestart'],
  ForceReboot: ['ForceRestart'],
  PowerOn: ['On'],
  PowerOff: ['ForceOff'],
  PowerCycle: ['PowerCycle', 'On'],
  Nmi: ['Nmi'],
};
const QUICK = { switch_ms: 100, off_ms: 200, shutdown_ms: 200 };
/** As long as a BMC restarts in this test. */
const DOWN_MS = 3_000;

export interface OwnRedfish extends Stage {
  service: RedfishService;
  board: MadeUpBoard;
  certificates: Certificates;
  /** Secret that the provider was opened with. */
  secret: Record<string, string>;
}

export function fingerprintOf(pem: string): string {
  return createHash('sha256').update(new X509Certificate(pem).raw).digest('hex');
}

export async function ownRedfishStage(vendor: VendorName): Promise<OwnRedfish> {
  const certificates = makeCertificates();
  const board = new MadeUpBoard(systemClock, { name: 'node-1', delays: QUICK });
  board.addLog({ severity: 'Critical', message: 'Uncorrectable ECC, DIMM A3', sensorType: 'Memory' });
  const service = await serveRedfish({
    boards: [board],
    vendor,
    users: [{ name: 'admin', password: PASSWORD, role: 'Operator' }],
    tls: certificates.server,
  });
  const machine = new URL(service.url).host;
  const secret = {
    username: 'admin',
    password: PASSWORD,
    '127.0.0.1.sha256': fingerprintOf(certificates.server.cert),
  };
  const spec = { redfish: { secretRef: SECRET } };
  let back = Promise.resolve();
  return {
    service,
    board,
    certificates,
    secret,
    provider: opened(spec, secret),
    wrongPassword: opened(spec, { ...secret, password: 'wrong' }),
    machine,
    unknown: `${machine}/redfish/v1/Systems/none`,
    hasPower: (power) => eventually(`power ${power}`, () => board.power() === power),
    seen: async (act) => board.orders.filter((order) => RESETS[act]?.includes(order)).length,
    goAway: async () => {
      back = service.restart(DOWN_MS);
    },
    comeBack: async () => back,
    held: async () => service.sessionsOpen,
    [Symbol.asyncDispose]: async () => {
      await service.close();
      certificates.remove();
    },
  };
}
