#!/bin/bash
# Builds a node with Cilium beside what only looks like it. Things that undo cannot bring back (programs, pins, links of
# pods) are made when LOSABLE is 1. Each thing of somebody else is numbered.
set -e
here=$(cd "$(dirname "$0")/.." && pwd)
attach() { python3 "$here/attach.py" "$@"; }
pair() { ip link add "$1" type veth peer name "p_$1"; ip link set "p_$1" up; ip link set "$1" up; }
sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0
ip link set lo up
pair eth0; pair eth1; pair eth2
ip addr add 10.9.0.1/24 brd + dev eth0 label eth0:a                       # 1
ip neigh add 10.9.0.9 lladdr 02:00:00:00:00:09 dev eth0 nud permanent     # 2
tc qdisc add dev eth2 root pfifo limit 77                                 # 3

# --- what is not Cilium's
pair cilium_x; ip addr add 192.0.2.1/24 dev cilium_x                      # 4
pair lxcdeadbeef; ip addr add 192.0.3.1/24 dev lxcdeadbeef                # 5
pair lxc00112233aa; ip addr add 192.0.4.1/24 dev lxc00112233aa            # 6
pair cali123456789                                                      # 7
ip link add cilium_net0 type vxlan id 9 dstport 4790 local 10.9.0.1       # 8
pair cilium_host2; ip link set cilium_host2 arp off mtu 1400              # 9
ip route add 172.16.5.0/24 dev cali123456789 mtu lock 1350              # 10
ip route add 203.0.113.0/24 via 10.9.0.2 dev eth0 table 2005              # 11
ip route add blackhole 10.99.0.0/16 table 2004                            # 12
ip route add default via 10.9.0.2 dev eth0 table 11                       # 13
ip -6 route add fd09::/64 dev eth0 metric 77 mtu 1400                     # 14
ip rule add pref 8 not fwmark 0x200/0xf00 lookup 2004                     # 15
ip rule add pref 9 fwmark 0x200/0xf00 ipproto tcp sport 5000 lookup 2100  # 16
ip rule add pref 19 fwmark 0x200/0xf00 iif eth1 lookup 2004               # 17
ip rule add pref 110 from 10.0.0.55/32 ipproto tcp dport 80 lookup 77     # 18
ip rule add pref 300 fwmark 0x200/0xffff lookup 300                       # 19
ip -6 rule add pref 9 fwmark 0x200/0xf00 uidrange 0-5 lookup 2100         # 20
for name in cilium-dev cilium_lab web; do ip netns add $name; done        # 21 22 23
ipset create cilium_corp_blocklist hash:net                               # 24
ipset add cilium_corp_blocklist 203.0.113.0/24
ipset create calico hash:ip                                               # 25
nft add table inet cilium_user; nft add table inet corp                   # 26 27
nft add chain inet cilium_user input '{ type filter hook input priority 5; }'
ip xfrm policy add src 10.8.0.0/24 dst 10.7.0.0/24 dir out tmpl src 3.3.3.3 dst 4.4.4.4 proto esp mode tunnel    # 28
ip xfrm policy add src 10.8.1.0/24 dst 10.7.0.0/24 dir out mark 0x3e00 mask 0xff00 tmpl src 3.3.3.3 dst 4.4.4.4 proto esp reqid 7 mode tunnel # 29
globals=/sys/fs/bpf/tc/globals
mkdir -p $globals /sys/fs/bpf/tetragon /sys/fs/bpf/cilium_tetragon
map() { bpftool map create "$1" type hash key 4 value 4 entries 4 name "$2"; }
map $globals/my_map my_map                                                # 30
map $globals/cilium_teamfoo cilium_teamfoo                                # 31
map /sys/fs/bpf/tetragon/event_map event_map                              # 32
map /sys/fs/bpf/cilium_tetragon/m cilium_m                                # 33
mkdir -p /run/other/globals; echo precious >/run/other/globals/cilium_lxc
ln -s /run/other /sys/fs/bpf/xdp                                          # 34
mkdir -p /sys/fs/cgroup/web
attach tc other_program /sys/fs/bpf/tmp_other
attach tc cil_user_probe /sys/fs/bpf/tmp_probe
attach tc monitor /sys/fs/bpf/bpf_network_monitor
attach tc cil_from_netdev /sys/fs/bpf/tmp_own
tc qdisc add dev eth0 clsact
tc filter add dev eth0 egress pref 5 bpf da pinned /sys/fs/bpf/tmp_other                              # 35
tc filter add dev eth0 egress pref 51 protocol ip u32 match ip dport 25 0xffff flowid 1:1             # 36
tc filter add dev eth0 ingress pref 7 bpf da pinned /sys/fs/bpf/tmp_probe                             # 37
tc qdisc add dev eth1 clsact
tc filter add dev eth1 ingress pref 7 bpf da pinned /sys/fs/bpf/bpf_network_monitor                 # 38
attach tcx eth1 not_cil /sys/fs/bpf/not_cil                                                           # 39
attach cgroup /sys/fs/cgroup not_cil_sock /sys/fs/bpf/not_cil_sock                                    # 40
attach cgroup /sys/fs/cgroup/web cil_sock4_sendmsg /sys/fs/bpf/web_sock                               # 41
attach xdp eth2 xdp_user /sys/fs/bpf/xdp_user                                                         # 42
echo '{}' >/etc/cni/net.d/10-calico.conflist                                                          # 43
echo '{}' >/etc/cni/net.d/99-cilium-corp.conf                                                         # 44
echo y=1 >/etc/sysctl.d/50-cilium.conf; echo z=1 >/etc/sysctl.d/10-ours.conf                          # 45 46
mkdir -p /var/lib/ciliumx /run/cilium-corp; echo 1 >/var/lib/ciliumx/data; mkfifo /run/cilium-corp/f  # 47 48
mkdir -p /run/foreign /run/ciliumdata; echo precious >/run/foreign/precious
mount --bind /run/foreign /run/ciliumdata                                                             # 49

# --- the node's own links, routes and rules
ip link add cilium_host address 8e:55:b8:f4:c1:eb mtu 1450 txqueuelen 900 type veth peer name cilium_net address 8e:55:b8:f4:c1:ec mtu 1450
ip link set cilium_host arp off alias "host side"; ip link set cilium_net arp off
ip link set cilium_host up; ip link set cilium_net up
ip addr add 10.0.0.10/32 dev cilium_host scope link; ip addr add 10.0.1.10/24 brd + dev cilium_host label cilium_host:x
ip addr add 10.0.1.11/24 dev cilium_host; ip -6 addr add fd00::10/128 dev cilium_host
ip neigh add 10.0.1.77 lladdr 02:00:00:00:00:01 dev cilium_host nud permanent
ip link add cilium_vxlan address 62:ac:a8:f5:81:25 type vxlan external dstport 8472 srcport 40000 50000 udp6zerocsumrx
ip link set cilium_vxlan up mtu 1500
ip route add 10.1.0.0/24 via 10.0.1.77 dev cilium_host src 10.0.0.10 mtu 1450
ip route add 10.1.1.0/24 dev cilium_host src 10.0.0.10 mtu lock 1400 advmss 1300 initcwnd 20 rto_min 40ms
ip route add 10.1.2.0/24 via inet6 fe80::1 dev cilium_host
ip route add 10.1.3.0/24 dev cilium_host metric 5 tos 0x10 proto kernel
ip route add 10.1.4.0/24 nexthop dev cilium_host weight 2 nexthop via 10.0.1.78 dev cilium_host weight 3
ip -6 route add fd01::/64 dev cilium_host metric 1024 mtu 1430 pref high
ip route add local default dev lo table 2004; ip -6 route add local default dev lo table 2004
ip route add default dev cilium_host table 2005
ip rule add pref 10 fwmark 0xa00/0xf00 lookup 2005 protocol kernel
ip rule add pref 21 fwmark 0x200/0xf00 lookup 2004; ip rule add pref 21 fwmark 0xb00/0xf00 lookup 2005; ip -6 rule add pref 21 fwmark 0x200/0xf00 lookup 2004 protocol kernel
ip rule add pref 100 lookup local protocol kernel; ip rule del pref 0
ip xfrm policy add src 10.0.0.0/24 dst 10.1.0.0/24 dir out mark 0x3e00 mask 0xff00 tmpl src 1.1.1.1 dst 2.2.2.2 proto esp spi 3 reqid 1 mode tunnel
ip xfrm policy add src 0.0.0.0/0 dst 10.0.0.0/24 dir in priority 5 mark 0xd00 mask 0xf00 tmpl src 0.0.0.0 dst 10.0.0.1 proto esp reqid 1 mode tunnel level use
ip xfrm policy add src 0.0.0.0/0 dst 10.0.0.0/24 dir fwd priority 2975 tmpl src 0.0.0.0 dst 10.0.0.1 proto esp reqid 1 mode tunnel level use
ip xfrm policy add src 0.0.0.0/0 dst 0.0.0.0/0 dir out action block priority 100 mark 0xe00 mask 0xf00

# --- the firewall: both back ends, rules of others around and with the same words
ipset create cilium_node_set_v4 hash:ip; ipset add cilium_node_set_v4 10.9.0.2; ipset add cilium_node_set_v4 10.9.0.3
for ipt in iptables-nft iptables-legacy ip6tables-nft; do
  for chain in CILIUM_INPUT OLD_CILIUM_FORWARD MY_CILIUM_X CILIUM_TEAM KUBE-FW; do $ipt -N $chain; done
  $ipt -A INPUT -p tcp --dport 22 -j ACCEPT
  $ipt -A INPUT -m comment --comment "cilium-feeder: CILIUM_INPUT" -j CILIUM_INPUT
  $ipt -A INPUT -p tcp --dport 4240 -m comment --comment "cilium health checks, allowed by netops" -j ACCEPT
  $ipt -A INPUT -p udp --dport 8472 -m comment --comment "cilium: vxlan, ticket NET-42" -j ACCEPT
  $ipt -A INPUT -p tcp --dport 99 -j LOG --log-prefix "x -j CILIUM_INPUT "
  $ipt -A CILIUM_INPUT -m mark --mark 0x200/0xf00 -m comment --comment "cilium: ACCEPT for proxy traffic" -j ACCEPT
  $ipt -A CILIUM_INPUT -p tcp --dport 1 -j DROP
  $ipt -A MY_CILIUM_X -p tcp --dport 443 -j ACCEPT
  $ipt -A CILIUM_TEAM -p tcp --dport 444 -j ACCEPT
  $ipt -A INPUT -j MY_CILIUM_X
  $ipt -A INPUT -p tcp --dport 22 -j ACCEPT
  $ipt -A FORWARD -j KUBE-FW; $ipt -A KUBE-FW -j CILIUM_INPUT; $ipt -A KUBE-FW -j CILIUM_TEAM
  $ipt -t nat -N CILIUM_POST_nat; $ipt -t nat -A POSTROUTING -o eth1 -j ACCEPT
  $ipt -t nat -I POSTROUTING -m comment --comment "cilium-feeder: CILIUM_POST_nat" -j CILIUM_POST_nat
done

# --- files
umask 027
mkdir -p /run/cilium/state/1244 /var/lib/cilium/sub /run/cilium/cgroupv2
mount -t cgroup2 cgroup2 /run/cilium/cgroupv2
echo s3cret >/run/cilium/state/key; chmod 600 /run/cilium/state/key
head -c 200000 /dev/urandom >/run/cilium/state/bpf_overlay.o; chmod 4711 /run/cilium/state/bpf_overlay.o
ln -s /run/foreign /run/cilium/link; ln -s relative/x /run/cilium/dangling; mkfifo -m 0620 /run/cilium/fifo
python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('/run/cilium/health.sock')"
chmod 1771 /run/cilium/state/1244; chown -R 33:34 /run/cilium/state/1244; chown -h 5:6 /run/cilium/dangling
echo library >/var/lib/cilium/sub/bpf.o; chown 33:33 /var/lib/cilium/sub; chmod 700 /var/lib/cilium/sub
echo '{"type":"cilium-cni"}' >/etc/cni/net.d/05-cilium.conflist; chmod 600 /etc/cni/net.d/05-cilium.conflist; chown 33:33 /etc/cni/net.d/05-cilium.conflist
ln -s /nonexistent /etc/cni/net.d/05-cilium.conf
echo '{"type":"flannel"}' >/etc/cni/net.d/10-flannel.conflist.cilium_bak
echo x=1 >/etc/sysctl.d/99-zzz-override_cilium.conf

# --- what undo cannot bring back
if [ "$LOSABLE" = 1 ]; then
  for name in lxc0123456789 lxc_health; do pair $name; done
  ip route add 10.0.0.55/32 dev lxc0123456789 scope link
  ip rule add pref 20 to 10.0.0.55/32 lookup main; ip rule add pref 111 from 10.0.0.55/32 to 10.0.0.0/8 lookup 11
  ip netns add cilium-health
  map $globals/cilium_lxc cilium_lxc; map $globals/cilium_policy_v2_01244 cilium_policy_v; map /sys/fs/bpf/cilium_rootmap root
  mkdir -p /sys/fs/bpf/cilium/devices/eth0/links /sys/fs/bpf/cilium/socketlb
  attach tcx eth0 cil_to_host /sys/fs/bpf/cilium/devices/eth0/links/cil_to_host
  attach cgroup /sys/fs/cgroup cil_sock4_connect /sys/fs/bpf/cilium/socketlb/cil_sock4_connect
  tc filter add dev eth0 ingress pref 1 bpf da pinned /sys/fs/bpf/tmp_own
  tc qdisc add dev p_eth2 clsact; tc filter add dev p_eth2 ingress pref 1 bpf da pinned /sys/fs/bpf/tmp_own
fi
rm /sys/fs/bpf/tmp_* /sys/fs/bpf/bpf_network_monitor
