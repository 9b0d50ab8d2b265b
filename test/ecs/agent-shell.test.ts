import { shellSuite } from '../../src/platform/hosts/actions/shell-suite.ts';
import { agentMachine } from './agent-machine.ts';

shellSuite(
  'the ECS agent',
  async () => {
    const machine = await agentMachine();
    return { shell: machine.shell, host: machine.host, end: async () => machine[Symbol.asyncDispose]() };
  },
  false,
);
