#!/bin/sh
# Makes this network and mount namespace look like a node of fixtures/recordings/node-cleanup.json, with things
# beside it that are not Cilium's. usage: build-node.sh SCRATCH IPTABLES_SAVE
set -e
here=$(cd "$(dirname "$0")" && pwd)
scratch=$1
mount --make-rprivate /
mount -t tmpfs tmpfs "$scratch"
for folder in etc lib; do mkdir -p "$scratch/$folder.upper" "$scratch/$folder.work"; done
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$scratch/etc.upper,workdir=$scratch/etc.work" /etc
mount -t overlay overlay -o "lowerdir=/var/lib,upperdir=$scratch/lib.upper,workdir=$scratch/lib.work" /var/lib
mount -t tmpfs tmpfs /run
mount -t bpf bpf /sys/fs/bpf
mkdir -p /run/cg && mount -t cgroup2 none /run/cg

ip link set lo up
ip link add eth0 type veth peer name eth0-peer
ip addr add 192.168.50.11/24 dev eth0 && ip link set eth0 up && ip link set eth0-peer up
ip link add lxcbr0 type bridge 2>/dev/null || ip link add lxcbr0 type veth peer name lxcbr1
ip link add cilium_host address 8e:55:b8:f4:c1:eb type veth peer name cilium_net
ip link set cilium_net up && ip link set cilium_host up
ip addr add 10.11.179.185/32 dev cilium_host scope link && ip -6 addr add fd00:11::d533/128 dev cilium_host
ip link add cilium_vxlan type vxlan external dstport 8472 && ip link set cilium_vxlan up
ip netns add pods-of-test
for name in lxc8a23dd6694 lxc7cfdd2bcbb lxc_health; do
  ip link add "$name" type veth peer name tmp0 netns pods-of-test && ip link set "$name" up
  ip netns exec pods-of-test ip link set tmp0 name "p${name#lxc}"
done
ip netns add cilium-health

ip route add default via 192.168.50.12 dev eth0
ip route add 10.11.0.0/16 via 10.11.179.185 dev cilium_host src 10.11.179.185
ip route add 10.11.7.179/32 dev lxc8a23dd6694
ip -6 route add fd00:11::/96 dev cilium_host
ip route add 10.12.0.0/16 dev cilium_host mtu 1450 advmss 1410
ip link set cilium_host arp off
ip rule add pref 10 fwmark 0x200/0xf00 ipproto tcp dport 80 lookup 77
ip route add local default dev lo table 2004 && ip -6 route add local default dev lo table 2004
ip route add 203.0.113.0/24 via 192.168.50.12 dev eth0 table 2100
ip rule add pref 9 fwmark 0x200/0xf00 lookup 2004 && ip -6 rule add pref 9 fwmark 0x200/0xf00 lookup 2004
ip rule add pref 100 lookup local && ip rule del pref 0
ip rule add pref 500 fwmark 0x200/0xffff lookup 2100

iptables-nft-restore <"$2"
iptables-nft -A INPUT -p tcp --dport 22 -m comment --comment "ours: ssh" -j ACCEPT
iptables-legacy -t nat -N CILIUM_POST_nat && iptables-legacy -t nat -A POSTROUTING -m comment --comment "cilium-feeder: CILIUM_POST_nat" -j CILIUM_POST_nat
iptables-legacy -t nat -N KUBE-TEST
ip6tables-nft -N CILIUM_INPUT && ip6tables-nft -A INPUT -j CILIUM_INPUT
ipset create cilium_node_set_v4 hash:ip && ipset add cilium_node_set_v4 192.168.50.11 && ipset create other_set hash:ip

mkdir -p /sys/fs/bpf/tc/globals /sys/fs/bpf/cilium/devices/cilium_host/links /sys/fs/bpf/cilium/socketlb /run/cg/node-test
bpftool map create /sys/fs/bpf/tc/globals/cilium_lxc type hash key 4 value 4 entries 8 name cilium_lxc
bpftool map create /sys/fs/bpf/tc/globals/other_map type hash key 4 value 4 entries 8 name other_map
python3 "$here/attach.py" tcx cilium_host cil_from_host /sys/fs/bpf/cilium/devices/cilium_host/links/cil_from_host || echo "no tcx here"
python3 "$here/attach.py" tcx eth0 not_cil /sys/fs/bpf/not_cil || true
python3 "$here/attach.py" cgroup /run/cg/node-test cil_sock4_connect /sys/fs/bpf/cilium/socketlb/cil_sock4_connect
for name in cil_from_netdev other_program; do
  python3 "$here/attach.py" tc "$name" "/sys/fs/bpf/tmp_$name"
done
tc qdisc add dev eth0 clsact
tc filter add dev eth0 ingress pref 1 bpf da pinned /sys/fs/bpf/tmp_cil_from_netdev
tc filter add dev eth0 egress pref 5 bpf da pinned /sys/fs/bpf/tmp_other_program
tc qdisc add dev eth0-peer clsact
tc filter add dev eth0-peer ingress pref 1 bpf da pinned /sys/fs/bpf/tmp_cil_from_netdev
rm /sys/fs/bpf/tmp_*

mkdir -p /run/cilium/state/templates /var/lib/cilium /etc/cni/net.d /etc/sysctl.d
echo '{}' >/run/cilium/state/nodes.json
echo library >/var/lib/cilium/bpf.o
echo '{"type":"cilium-cni"}' >/etc/cni/net.d/05-cilium.conflist
echo '{"type":"flannel"}' >/etc/cni/net.d/10-flannel.conflist.cilium_bak
echo '{"type":"loopback"}' >/etc/cni/net.d/99-loopback.conf
echo 'net.ipv4.conf.lxc*.rp_filter = 0' >/etc/sysctl.d/99-zzz-override_cilium.conf
echo 'vm.swappiness = 10' >/etc/sysctl.d/10-ours.conf
