#!/bin/busybox sh
# The only program of a machine that is about to crash. The kernel's command line says how: drover.do=KIND.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev

say() { echo "drover: $*" > /dev/kmsg; }
for word in $(cat /proc/cmdline); do
  case $word in
    drover.do=*) what=${word#*=} ;;
    drover.with=*) with=${word#*=} ;;
    drover.netconsole=*) port=${word#*=} ;;
    drover.ramoops=*) ramoops=${word#*=} ;;
  esac
done
has() { echo ",$with," | grep -q ",$1,"; }
load() { insmod "/modules/$1.ko" $2 || say "no module $1"; }

if has disk || has net; then
  for module in virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci; do load $module; done
fi

if has disk; then
  load virtio_blk
  # This is the kernel that kdump has started: hand out the memory of the one that died.
  if [ -e /proc/vmcore ]; then
    say "a dump of $(stat -c %s /proc/vmcore) bytes"
    dd if=/proc/vmcore of=/dev/vda bs=1M conv=fsync
    poweroff -f
  fi
  /bin/kdump /vmlinuz /initrd "console=ttyS0 maxcpus=1 reset_devices drover.with=disk" || say "kdump is not armed"
fi

if [ -n "$ramoops" ]; then
  load reed_solomon
  load ramoops "mem_address=$ramoops mem_size=0x100000 record_size=0x20000"
  mount -t pstore pstore /sys/fs/pstore
  # The second start: hand out what the first one left.
  if [ -n "$(ls /sys/fs/pstore)" ]; then
    stty -F /dev/ttyS1 raw
    tar cf /dev/ttyS1 -C /sys/fs/pstore .
    poweroff -f
  fi
fi

if has net; then
  for module in failover net_failover virtio_net configfs; do load $module; done
  ip link set eth0 up
  ip addr add 10.0.2.15/24 dev eth0
  sleep 1
  load netconsole "netconsole=6665@10.0.2.15/eth0,$port@10.0.2.2/"
fi

echo 1 > /proc/sys/kernel/sysrq
say "now $what"
case $what in
  sysrq) echo c > /proc/sysrq-trigger ;;
  exit) exit 1 ;;
  mce|nmi) sleep 100 ;;
  *) load flaky "kind=$what" ;;
esac
sleep 1
say "still alive"
poweroff -f
