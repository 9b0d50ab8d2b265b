// How full file systems are, one row a mount. What no disk or server stands behind is left out, and so are the
// mounts of Pods. Each is asked by itself and has seconds to answer: one hung NFS server must not hide the others.
import { z } from 'zod';
import { SECOND } from '../../clock/clock.ts';
import { action, badOutput, SAY_NO, script } from './action.ts';
import { countOf, fieldsOf, linesOf, quoted } from './lines.ts';

const ASK_S_MAX = 3;
/** After so many that hang, no other network file system is asked. */
const HUNG_MAX = 3;
export const MOUNTS_MAX = 1000;

const PSEUDO = [
  'autofs bdev binder binfmt_misc bpf cgroup cgroup2 configfs cpuset debugfs devpts devtmpfs efivarfs',
  'fuse.lxcfs fusectl hugetlbfs mqueue none nsfs overlay proc pstore ramfs resctrl rpc_pipefs',
  'securityfs selinuxfs squashfs sysfs tracefs',
]
  .join(' ')
  .split(' ');

const OF_PODS = [
  '/var/lib/kubelet/pods/*',
  '/var/lib/kubelet/plugins/*',
  '/var/lib/containerd/*',
  '/var/lib/docker/*',
  '/run/containerd/*',
  '/run/netns/*',
];

export interface Mount {
  device: string;
  type: string;
  mount: string;
}
export type FileSystem = Mount &
  (
    | {
        state: 'Measured';
        size_bytes: number;
        used_bytes: number;
        /** For those who are not root. */
        available_bytes: number;
        /** 0 where the file system makes them as it goes (btrfs, xfs on some versions). */
        inodes: number;
        inodesUsed: number;
      }
    /** Did not answer in time, answered an error, or was not asked because others hang. */
    | { state: 'Hung' | 'Failed' | 'NotAsked' }
  );

const SCRIPT = String.raw`
  ${SAY_NO}
  [ -r /proc/self/mounts ] || cannot 'the mounts cannot be read';
  hung=0;
  head -n ${MOUNTS_MAX} /proc/self/mounts | while read -r device mount type rest; do
    case "$type" in ${PSEUDO.join('|')}) continue;; esac;
    case "$mount" in ${OF_PODS.join('|')}) continue;; esac;
    net=no; case "$type" in nfs|nfs4|cifs|smb3|ceph|fuse.*|9p|lustre) net=yes;; esac;
    if [ "$net" = yes ] && [ "$hung" -ge ${HUNG_MAX} ]; then found=NotAsked;
    else
      found=$(timeout -s KILL ${ASK_S_MAX} stat -f -c '%S %b %f %a %c %d' -- "$(printf '%b' "$mount")" 2>/dev/null);
      code=$?;
      if [ "$code" -ge 124 ]; then found=Hung; hung=$((hung + 1));
      elif [ "$code" -ne 0 ]; then found=Failed; fi;
    fi;
    printf '%s\t%s\t%s\t%s\n' "$device" "$type" "$mount" "$found";
  done`;

export const fileSystems = action({
  about: 'measures file systems and their inodes',
  params: z.strictObject({}),
  root: false,
  timeout_ms: 60 * SECOND,
  output_bytes_max: 512 * 1024,
  script: script(SCRIPT),
  args: () => [],
  parse: (output): FileSystem[] => linesOf(output).map(fileSystemOf),
});

function fileSystemOf(line: string): FileSystem {
  const [device = '', type = '', mount = '', found = ''] = fieldsOf(line, 4);
  const place = { device: unescaped(device), type, mount: unescaped(mount) };
  if (found === 'Hung' || found === 'Failed' || found === 'NotAsked') return { ...place, state: found };
  const figures = found.split(' ').map((text) => countOf(text, `figure of ${mount}`));
  const [unit = 0, size = 0, free = 0, available = 0, inodes = 0, inodesFree = 0] = figures;
  if (unit === 0 || figures.length !== 6) throw badOutput(`figures of ${mount} are ${quoted(found)}`);
  return {
    ...place,
    state: 'Measured',
    size_bytes: size * unit,
    used_bytes: (size - free) * unit,
    available_bytes: available * unit,
    inodes,
    inodesUsed: inodes - inodesFree,
  };
}

/** The kernel writes spaces, tabs, line ends and backslashes of a name as `\040`. */
function unescaped(name: string): string {
  return name.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
