import { systemClock } from '../../src/platform/clock/system.ts';
import { EmbeddedApi } from '../../src/simulation/api/index.ts';
import { conformance } from './kube-api.ts';

conformance(
  'the embedded API',
  async () => {
    const api = new EmbeddedApi({ clock: systemClock });
    return {
      transport: api.transport({ user: 'conformance' }),
      close: async () => api.close(),
    };
  },
  { controllers: true },
);
