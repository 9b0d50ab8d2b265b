import { shellSuite } from '../../src/platform/hosts/actions/shell-suite.ts';
import { startKubelet } from './kubelet.ts';
import { jobStage } from './stage.ts';

shellSuite(
  'a Kubernetes Job',
  async () => {
    const stage = await jobStage();
    const kubelet = await startKubelet({ node: 'n1', transport: stage.plane.transport() });
    return {
      shell: stage.shell(),
      host: { id: 'i-1', ssh: '192.0.2.1:22', node: { cluster: 'home', name: 'n1' } },
      end: async () => {
        await kubelet[Symbol.asyncDispose]();
        await stage[Symbol.asyncDispose]();
      },
    };
  },
  false,
);
