#!/bin/bash
# Prints all of a node that cleanup or undo could change, in a form to compare.
section() { echo "## $1"; }
section links; ip -d -o link | sed 's/ state [A-Z]*//; s/ qlen [0-9]*/&/'
section addresses; ip -d -o addr | sed 's/ tentative//'
section neighbours; ip -d neigh show nud permanent | sort
for family in 4 6; do
  section "routes $family"; ip -o -d -$family route show table all | sort
  section "rules $family"; ip -d -$family rule
done
section qdiscs; tc qdisc show | sort
section filters
tc qdisc show | awk '$2 == "clsact" {print $5}' | sort | while read -r device; do
  for direction in ingress egress; do tc filter show dev "$device" $direction | sed "s/^/$device $direction /"; done
done
section "bpf links"; { bpftool -j prog show; echo; bpftool -j link show; } | python3 -c '
import json, sys
programs, links = [json.loads(line) for line in sys.stdin.read().split("\n")[:2]]
names = {program["id"]: program.get("name") for program in programs}
for link in links:
    link.pop("pids", None)
    print(names.get(link["prog_id"]), json.dumps(link, sort_keys=True))'
section xdp; bpftool net show | sed -n '/^xdp/,/^$/p'
section "cgroup programs"; for folder in /sys/fs/cgroup /sys/fs/cgroup/*/; do bpftool cgroup show $folder; done 2>/dev/null
section nft; nft -s -j list ruleset | python3 -c '
import json, sys
# Chains are listed in the order in which they were made, which says nothing; rules are kept in theirs.
things = [thing for thing in json.load(sys.stdin)["nftables"] if "metainfo" not in thing]
for thing in things:
    for value in thing.values(): value.pop("handle", None)
place = lambda thing: [[str(v.get("family")), str(v.get("table", v.get("name"))), str(v.get("chain", v.get("name"))), k == "rule"] for k, v in thing.items()]
for thing in sorted(things, key=place): print(json.dumps(thing, sort_keys=True))'
for family in iptables ip6tables; do
  for backend in nft legacy; do section "$family-$backend"; $family-$backend-save | grep -v '^#' | sed 's/\[[0-9:]*\]//'; done
done
section ipsets; ipset save
section xfrm; ip xfrm policy | paste -sd' ' | sed 's/ src \([^ ]* dst [^ ]* \tdir\)/\nsrc \1/g; s/ src \([^ ]* dst [^ ]*  *\t*dir\)/\nsrc \1/g' | sort; ip xfrm state
section namespaces; ls /run/netns
section mounts; awk '{print $4, $5}' /proc/self/mountinfo | grep -E ' /(run|sys|etc|var/lib)(/|$)' | sort
section files
find /sys/fs/bpf /run/cilium /run/cilium-corp /run/ciliumdata /run/foreign /run/other /var/lib/cilium /var/lib/ciliumx /etc/cni /etc/sysctl.d \
  -path /run/cilium/cgroupv2/\* -prune -o -printf '%p %y %m %U:%G %l\n' | sort
find /run/cilium /run/cilium-corp /run/foreign /run/other /var/lib/cilium /var/lib/ciliumx /etc/cni /etc/sysctl.d \
  -path /run/cilium/cgroupv2/\* -prune -o -type f -print0 | sort -z | xargs -0 sha256sum
