// The binaries of a real control plane: from KUBEBUILDER_ASSETS (the envtest bundle) where that is set,
// else built from the Go modules beside this file, once for each change of them.

import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

export interface Binaries {
  etcd: string;
  apiServer: string;
  controllerManager: string;
  scheduler: string;
  kubectl: string;
}

const MODULE_FOLDER = import.meta.dirname;
/** Oldest Go that can fetch the newer toolchain that go.mod asks for, through the module proxy. */
const GO_MINOR_MIN = 21;
const PROGRESS_MS = 15_000;
/** `go build tool` names etcd's binary after its package. */
const BUILT_NAMES: Binaries = {
  etcd: 'server',
  apiServer: 'kube-apiserver',
  controllerManager: 'kube-controller-manager',
  scheduler: 'kube-scheduler',
  kubectl: 'kubectl',
};

type Log = (line: string) => void;
const toStderr: Log = (line) => console.error(line);

/** Paths of all five. Builds those that are missing: about 8 minutes on two cores the first time. */
export async function controlPlaneBinaries(log: Log = toStderr): Promise<Binaries> {
  const assets = process.env.KUBEBUILDER_ASSETS;
  if (!assets) return builtBinaries(log);
  const given = (name: string) => {
    const path = join(assets, name);
    if (existsSync(path)) return path;
    throw new Error(
      `KUBEBUILDER_ASSETS is ${assets}, but ${path} is not there; unset it, or fetch the envtest bundle`,
    );
  };
  const found = { etcd: given('etcd'), apiServer: given('kube-apiserver'), kubectl: given('kubectl') };
  const controllerManager = join(assets, BUILT_NAMES.controllerManager);
  const scheduler = join(assets, BUILT_NAMES.scheduler);
  if (existsSync(controllerManager) && existsSync(scheduler))
    return { ...found, controllerManager, scheduler };
  return { ...(await builtBinaries(log)), ...found };
}

/** Where builds are kept: outside of the checkout, so that a fresh clone finds them. */
export function cacheFolder(): string {
  const { DROVER_CACHE, XDG_CACHE_HOME } = process.env;
  return DROVER_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'drover');
}

/** Folder of the build that belongs to go.mod and go.sum as they are now; it may not exist yet. */
export function buildFolder(): string {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum']) hash.update(readFileSync(join(MODULE_FOLDER, file)));
  hash.update(JSON.stringify([process.platform, process.arch, buildArguments()]));
  return join(cacheFolder(), 'control-plane', hash.digest('hex').slice(0, 16), 'bin');
}

async function builtBinaries(log: Log): Promise<Binaries> {
  const folder = buildFolder();
  const binaries = inFolder(folder);
  if (Object.values(binaries).every((path) => existsSync(path))) return binaries;
  const go = await findGo(log);
  const unfinished = join(folder, '..', `unfinished-${process.pid}`);
  mkdirSync(unfinished, { recursive: true });
  try {
    await build(go, unfinished, log);
    if (existsSync(folder)) rmSync(folder, { recursive: true });
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return binaries;
}

function inFolder(folder: string): Binaries {
  const path = (of: keyof Binaries) => join(folder, BUILT_NAMES[of]);
  return {
    etcd: path('etcd'),
    apiServer: path('apiServer'),
    controllerManager: path('controllerManager'),
    scheduler: path('scheduler'),
    kubectl: path('kubectl'),
  };
}

/** Without the version stamp kubectl refuses to parse the server's version. */
function buildArguments(): string[] {
  const version = /^\s*k8s\.io\/kubernetes (v1\.(\d+)\.\S+)/m.exec(
    readFileSync(join(MODULE_FOLDER, 'go.mod'), 'utf8'),
  );
  if (!version) throw new Error('test/control-plane/go.mod requires no k8s.io/kubernetes v1.x.y');
  const stamp = { gitVersion: version[1], gitMajor: '1', gitMinor: version[2], gitTreeState: 'clean' };
  const flags = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((pkg) =>
    Object.entries(stamp).map(([name, value]) => `-X ${pkg}.${name}=${value}`),
  );
  return ['build', '-trimpath', '-ldflags', ['-s -w', ...flags].join(' ')];
}

async function build(go: string, folder: string, log: Log): Promise<void> {
  const started = performance.now();
  const minutes = () => ((performance.now() - started) / 60_000).toFixed(1);
  log('control plane: building etcd and Kubernetes (8 minutes on two cores, then it is kept) …');
  const child = spawn(go, [...buildArguments(), '-v', '-o', `${folder}/`, 'tool'], {
    cwd: MODULE_FOLDER,
    env: { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: process.env.GOTOOLCHAIN ?? 'auto' },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  let packages = 0;
  const problems: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    // -v prints the import path of each package as it is compiled
    if (/^[\w.~/-]+$/.test(line)) packages++;
    else problems.push(line);
  });
  const progress = setInterval(
    () => log(`control plane: ${packages} packages, ${minutes()} min`),
    PROGRESS_MS,
  );
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  clearInterval(progress);
  if (code !== 0) throw new Error(`go build ended with ${code}:\n${problems.slice(-30).join('\n')}`);
  log(`control plane: built in ${minutes()} min`);
}

/** Path of a Go that can build what go.mod files here ask for; installs one where it may. */
export async function findGo(log: Log): Promise<string> {
  const go = await usableGo();
  if (go) return go;
  if (process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    log('control plane: no Go here, installing golang-go with apt-get …');
    try {
      await run('apt-get', ['update', '-qq']);
      await run('apt-get', ['install', '-y', '-qq', 'golang-go']);
    } catch (error) {
      log(`control plane: apt-get failed: ${error instanceof Error ? error.message : error}`);
    }
    const installed = await usableGo();
    if (installed) return installed;
  }
  throw new Error(
    `the real control plane is built with Go: install Go 1.${GO_MINOR_MIN} or newer (it fetches what go.mod asks for), ` +
      'or set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kubectl',
  );
}

async function usableGo(): Promise<string | undefined> {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/go/bin', '/usr/lib/go/bin'];
  for (const folder of folders) {
    const go = join(folder, 'go');
    if (!isExecutable(go)) continue;
    // its own version, not that of the toolchain it would fetch
    const { stdout } = await run(go, ['env', 'GOVERSION'], {
      cwd: tmpdir(),
      env: { ...process.env, GOTOOLCHAIN: 'local' },
    });
    const minor = Number(/^go1\.(\d+)/.exec(stdout)?.[1]);
    if (minor >= GO_MINOR_MIN) return go;
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const run = promisify(execFile);
