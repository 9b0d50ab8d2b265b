// Debian's kernel and a small system that crashes it, made once for each change of the files in machine/.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { MINUTE } from '../../src/platform/clock/clock.ts';
import { cacheFolder } from '../control-plane/build.ts';
import { installPackage, mayInstall } from '../debian.ts';

export interface Kernel {
  /** Debian's kernel for virtual machines. */
  vmlinuz: string;
  /** Debian's kernel for all machines, which knows machine checks. */
  wholeVmlinuz: string;
  /** A root file system with our init, busybox and modules. */
  initrd: string;
  /** The same, with the kernel and itself inside, for kdump. */
  kdumpInitrd: string;
}

/** Debug symbols of the kernel for virtual machines: 600 MB, so not kept. */
export async function debugSymbols(work: string): Promise<string> {
  const version = headersVersion();
  const name = `linux-image-${version}-dbg`;
  const file = await downloaded(name, work);
  const path = `usr/lib/debug/boot/vmlinux-${version}`;
  const unpack = `dpkg-deb --fsys-tarfile '${file}' | tar -x -C '${work}' './${path}'`;
  await exec('bash', ['-o', 'pipefail', '-c', unpack], { timeout: STEP_MS_MAX });
  rmSync(file);
  return join(work, path);
}

const SOURCES = join(import.meta.dirname, 'machine');
const SOURCE_FOLDER = '/usr/src';
const HEADERS = /^linux-headers-(.+-cloud-amd64)$/;
const PACKAGES = [
  'qemu-system-x86',
  'busybox-static',
  'makedumpfile',
  'crash',
  'linux-headers-cloud-amd64',
  'gcc',
  'libc6-dev',
  'make',
  'xz-utils',
];
const MODULES = [
  ...['virtio_ring', 'virtio', 'virtio_pci_legacy_dev', 'virtio_pci_modern_dev', 'virtio_pci'],
  ...['virtio_blk', 'failover', 'net_failover', 'virtio_net', 'configfs', 'netconsole'],
  ...['reed_solomon', 'ramoops'],
];
const STEP_MS_MAX = 3 * MINUTE;
const exec = promisify(execFile);

/** Why no kernel can crash here; undefined where it can. Installs what it may. In CI it must be there. */
export function noKernel(): string | undefined {
  const reason = findOrInstall();
  if (reason && process.env.CI) throw new Error(`a kernel must crash in CI: ${reason}`);
  return reason;
}

function findOrInstall(): string | undefined {
  if (process.arch !== 'x64') return 'the kernel that crashes is built for x86-64, on x86-64';
  if (isComplete()) return undefined;
  if (!mayInstall()) return 'needs root on Debian, to install qemu and a kernel’s headers';
  return installPackage(...PACKAGES);
}

function isComplete(): boolean {
  const tools = ['qemu-system-x86_64', 'busybox', 'makedumpfile', 'crash', 'gcc', 'make', 'xz'];
  const folders = ['/usr/bin', '/bin', '/usr/sbin'];
  const found = tools.every((tool) => folders.some((folder) => existsSync(join(folder, tool))));
  return found && headersVersion() !== undefined;
}

/** `6.1.0-56-cloud-amd64`: the newest that is there. */
function headersVersion(): string | undefined {
  const versions = readdirSync(SOURCE_FOLDER).flatMap((name) => HEADERS.exec(name)?.[1] ?? []);
  return versions.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
}

/** About 15 s the first time. */
export async function builtKernel(): Promise<Kernel> {
  const known = builtAs(headersVersion());
  if (known.isThere) return known.kernel;
  // Debian hands out only the newest kernel: the headers must be its.
  if (mayInstall()) installPackage(...PACKAGES);
  const version = headersVersion();
  if (!version) throw new Error('there are no kernel headers: ask noKernel() first');
  const { kernel, isThere } = builtAs(version);
  if (isThere) return kernel;
  const work = mkdtempSync(join(tmpdir(), 'drover-kernel-'));
  try {
    const { vmlinuz, wholeVmlinuz, initrd, kdumpInitrd } = await build(version, work);
    keepFile(kernel.vmlinuz, vmlinuz);
    keepFile(kernel.wholeVmlinuz, wholeVmlinuz);
    keepFile(kernel.initrd, initrd);
    keepFile(kernel.kdumpInitrd, kdumpInitrd);
    return kernel;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function builtAs(version = 'none'): { kernel: Kernel; isThere: boolean } {
  const folder = join(cacheFolder(), 'kernel-crash', `${version}-${sourcesHash()}`);
  const file = (name: string) => join(folder, name);
  const kernel = {
    vmlinuz: file('vmlinuz'),
    wholeVmlinuz: file('whole-vmlinuz'),
    initrd: file('initrd.gz'),
    kdumpInitrd: file('kdump-initrd.gz'),
  };
  return { kernel, isThere: Object.values(kernel).every((path) => existsSync(path)) };
}

/** Another test may be building the same. */
function keepFile(path: string, bytes: Buffer): void {
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, bytes);
  renameSync(draft, path);
}

function sourcesHash(): string {
  const hash = createHash('sha256');
  for (const path of [...globSync(join(SOURCES, '*')).sort(), import.meta.filename])
    hash.update(readFileSync(path));
  return hash.digest('hex').slice(0, 16);
}

async function build(version: string, work: string): Promise<Record<keyof Kernel, Buffer>> {
  const root = join(work, 'root');
  for (const name of ['bin', 'modules', 'proc', 'sys', 'dev'])
    mkdirSync(join(root, name), { recursive: true });
  const image = await unpackedImage(version, work);
  const vmlinuz = vmlinuzIn(image);
  const wholeVmlinuz = vmlinuzIn(await unpackedImage(version.replace('-cloud', ''), work));
  await takeModules(image, join(root, 'modules'));
  await compile(version, work, root);
  cpSync('/bin/busybox', join(root, 'bin/busybox'));
  cpSync(join(SOURCES, 'init.sh'), join(root, 'init'));
  chmodSync(join(root, 'init'), 0o755);
  const initrd = padded(gzipSync(await archive(root), { level: 1 }));

  const layer = join(work, 'layer');
  mkdirSync(layer);
  writeFileSync(join(layer, 'vmlinuz'), vmlinuz);
  writeFileSync(join(layer, 'initrd'), initrd);
  return { vmlinuz, wholeVmlinuz, initrd, kdumpInitrd: Buffer.concat([initrd, await archive(layer)]) };
}

/** The kernel's package, unpacked only: nothing of this machine is to boot from it. */
async function unpackedImage(version: string, work: string): Promise<string> {
  const file = await downloaded(`linux-image-${version}`, work);
  const image = join(work, `image-${version}`);
  await exec('dpkg', ['-x', file, image], { timeout: STEP_MS_MAX });
  return image;
}

async function downloaded(name: string, work: string): Promise<string> {
  await exec('apt-get', ['-o', 'APT::Sandbox::User=root', 'download', name], {
    cwd: work,
    timeout: STEP_MS_MAX,
  });
  const file = globSync(join(work, `${name}_*.deb`))[0];
  if (!file) throw new Error(`${name} can't be downloaded`);
  return file;
}

function vmlinuzIn(image: string): Buffer {
  const path = globSync(join(image, 'boot/vmlinuz-*'))[0];
  if (!path) throw new Error(`${image} holds no kernel`);
  return readFileSync(path);
}

async function takeModules(image: string, to: string): Promise<void> {
  for (const path of globSync(join(image, '**/kernel/**/*.ko*'))) {
    const name = basename(path).split('.')[0] as string;
    if (!MODULES.includes(name)) continue;
    cpSync(path, join(to, basename(path)));
    if (path.endsWith('.xz')) await exec('xz', ['-d', join(to, basename(path))]);
  }
}

async function compile(version: string, work: string, root: string): Promise<void> {
  const module = join(work, 'module');
  mkdirSync(module);
  cpSync(join(SOURCES, 'flaky.c'), join(module, 'flaky.c'));
  writeFileSync(join(module, 'Makefile'), 'obj-m := flaky.o\n');
  const headers = join(SOURCE_FOLDER, `linux-headers-${version}`);
  await exec('make', ['-C', headers, `M=${module}`, 'modules'], { timeout: STEP_MS_MAX });
  const built = join(root, 'modules/flaky.ko');
  cpSync(join(module, 'flaky.ko'), built);
  await exec('strip', ['-g', built]);
  await exec('gcc', ['-static', '-Os', '-o', join(root, 'bin/kdump'), join(SOURCES, 'kdump.c')]);
}

/** What follows a packed archive must begin at a multiple of four, or the kernel does not see it. */
function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}

async function archive(folder: string): Promise<Buffer> {
  const command = 'find . | busybox cpio -o -H newc';
  const options = { cwd: folder, encoding: 'buffer', maxBuffer: 256 << 20, timeout: STEP_MS_MAX } as const;
  return (await exec('sh', ['-c', command], options)).stdout;
}
