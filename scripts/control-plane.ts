// A real Kubernetes control plane by hand: `build` makes its binaries, `up` runs one until Ctrl-C.

import { controlPlaneBinaries } from '../test/control-plane/build.ts';
import { PACKS } from '../test/control-plane/scheduler.ts';
import { startControlPlane } from '../test/control-plane/start.ts';

const USAGE = 'usage: node scripts/control-plane.ts build | up';

async function up(): Promise<void> {
  await using controlPlane = await startControlPlane();
  console.log(`API server  ${controlPlane.url}`);
  console.log(`logs        ${controlPlane.logs}`);
  console.log(`\nexport KUBECONFIG=${controlPlane.kubeconfigPath}\n`);
  console.log(`schedulers  default-scheduler, ${PACKS}\n`);
  console.log('There are no nodes. Ctrl-C ends it and removes everything.');
  await interrupted();
}

function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    const alive = setInterval(() => {}, 60_000); // the children alone do not keep us running
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        clearInterval(alive);
        resolve();
      });
    }
  });
}

switch (process.argv[2]) {
  case 'build':
    for (const path of Object.values(await controlPlaneBinaries())) console.log(path);
    break;
  case 'up':
    await up();
    break;
  default:
    console.error(USAGE);
    process.exitCode = 2;
}
