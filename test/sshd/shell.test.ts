import { shellSuite } from '../../src/platform/hosts/actions/shell-suite.ts';
import { Keys } from './keys.ts';
import { reach, refOf } from './reach.ts';
import { noSshd, startSshd } from './start.ts';

for (const reuse_s of [0, 30])
  shellSuite(
    reuse_s === 0 ? 'SSH' : 'SSH with connections that are kept',
    async () => {
      const keys = new Keys();
      const key = keys.make();
      const sshd = await startSshd({ authorized: [key.publicKey] });
      const way = await reach([sshd], key, { reuse_s });
      const end = async () => {
        await way[Symbol.asyncDispose]();
        await sshd[Symbol.asyncDispose]();
        keys[Symbol.dispose]();
      };
      return { shell: way.shell, host: refOf(sshd), end };
    },
    noSshd() ?? false,
  );
