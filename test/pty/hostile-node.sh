#!/bin/bash
# Gives every name of a node that somebody else can choose a hostile text, and runs a command there.
# usage: hostile-node.sh FILE_WITH_THE_TEXT COMMAND…
evil=$(cat "$1"); shift
short=$'pwn\e[5m'
umount -a -t bpf && mount -t bpf "$evil" /sys/fs/bpf || exit 99
mkdir -p "/sys/fs/bpf/tc/globals/$evil" "/sys/fs/bpf/cilium/devices/$evil/links" "/sys/fs/cgroup/$evil"
ip link set lo up
ip link add "cilium_$short" type veth peer name "y$short" && ip link set "cilium_$short" alias "$evil"
ip link add "lxc$short" type veth peer name "x$short"
ip link add cilium_vxlan type vxlan external dstport 8472 && ip link set cilium_vxlan alias "$evil" up
tc qdisc add dev "cilium_$short" clsact
ip route add 10.1.0.0/24 dev cilium_vxlan
ip rule add pref 9 fwmark 0x200/0xf00 lookup 2004
touch "/run/netns/cilium-$evil"
iptables -N CILIUM_INPUT && iptables -A INPUT -m comment --comment "$evil" -j CILIUM_INPUT
iptables -A CILIUM_INPUT -m comment --comment "cilium: $evil" -j ACCEPT
ipset create "cilium_$short" hash:ip
ipset create cilium_node_set_v4 hash:ip comment && ipset add cilium_node_set_v4 10.0.0.1 comment "$evil"
echo '{}' >"/etc/cni/net.d/05-cilium-$evil.conflist"
echo '{}' >"/etc/cni/net.d/$evil.cilium_bak"
echo '{"name":"cilium"}' >/etc/cni/net.d/05-cilium.conflist
mkdir -p /run/cilium/state/7 /run/cilium/state/templates/"$evil" /var/lib/cilium
[ -e /var/run/cilium ] || ln -s /run/cilium /var/run/cilium
echo "$evil" | tee /run/cilium/state/7/template.txt "/run/cilium/$evil" "/var/lib/cilium/$evil" >"/run/cilium/state/templates/$evil/ep_config.h"
ln -s "$evil" /run/cilium/link
mkdir -p /run/cilium/cgroupv2 && mount -t cgroup2 cgroup2 /run/cilium/cgroupv2
exec "$@"
