import { startControlPlane } from '../control-plane/start.ts';
import { conformance } from './kube-api.ts';

conformance(
  'kube-apiserver',
  async () => {
    const plane = await startControlPlane({ scheduler: false });
    return { transport: plane.transport(), close: () => plane.stop() };
  },
  { controllers: true },
);
