#!/bin/bash
# Runs a command on a node of its own: private network, mounts, host name and cgroup hierarchy, empty /run and bpffs.
# usage: enter.sh SCRATCH COMMAND…
scratch=$1; shift
hierarchy=$(awk '$3 == "cgroup2" {print $2; exit}' /proc/self/mounts)
cgroup=$hierarchy/cleanup-matrix-$$
mkdir "$cgroup" || exit 99
trap 'rmdir "$cgroup"/* "$cgroup" 2>/dev/null' EXIT
(
  echo $BASHPID >"$cgroup/cgroup.procs" || exit 99
  exec unshare -n -m -u -C --propagation private -- /bin/bash -c '
scratch=$1; shift
hostname matrix-node
mount -t tmpfs tmpfs "$scratch" || exit 99
for folder in etc lib; do mkdir -p "$scratch/$folder.upper" "$scratch/$folder.work"; done
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$scratch/etc.upper,workdir=$scratch/etc.work" /etc || exit 99
mount -t overlay overlay -o "lowerdir=/var/lib,upperdir=$scratch/lib.upper,workdir=$scratch/lib.work" /var/lib || exit 99
mount -t tmpfs tmpfs /run && mkdir -p /run/netns /run/lock /run/home
mount -t sysfs sysfs /sys && mount -t bpf bpf /sys/fs/bpf && mount -t cgroup2 cgroup2 /sys/fs/cgroup || exit 99
rm -rf /etc/cni /var/lib/cilium /var/lib/cilium-toolkit; mkdir -p /etc/cni/net.d /etc/sysctl.d
export HOME=/run/home PATH=$PATH:/usr/sbin:/sbin
"$@"' _ "$scratch" "$@"
)
