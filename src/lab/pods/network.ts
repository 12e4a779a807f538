import { shellWord } from '../../lib/shell-word.ts';
import type { LabEndpoint } from '../state/state.ts';
import type { LabNode } from '../world/world.ts';

/** The address by which pods reach their node over IPv6. */
const LINK = 'fe80::1';

/** Settings of a network that forwards. */
const FORWARDS = [
  'echo 1 >/proc/sys/net/ipv4/ip_forward',
  'echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter',
  'echo 0 >/proc/sys/net/ipv4/conf/default/rp_filter',
  // Below are those of the proxy, above those of Services.
  'echo 20000 29999 >/proc/sys/net/ipv4/ip_local_port_range',
  // The proxy has few ports for each of those in whose name it calls.
  'echo 1 >/proc/sys/net/ipv4/tcp_tw_reuse',
  'test ! -e /proc/sys/net/ipv6 || echo 1 >/proc/sys/net/ipv6/conf/all/forwarding',
];

/** Makes the network of a node, joined to the others by a bridge; `number` tells it from them. */
export function nodeScript(file: string, number: number, node: LabNode, others: readonly LabNode[]): string {
  const lines = [
    'link set lo up',
    `addr add ${node.router.ipv4}/32 dev lo`,
    `addr add ${node.healthEndpoint.ipv4}/32 dev lo`,
    `addr add ${node.ipv4}/32 dev eth0`,
    'link set eth0 up',
    ...(node.ipv6 ? [`addr add ${node.ipv6}/128 dev eth0 nodad`] : []),
    ...(node.router.ipv6 ? [`addr add ${node.router.ipv6}/128 dev lo nodad`] : []),
    ...others.flatMap((other) => [
      `route add ${other.ipv4} dev eth0`,
      `route add ${other.podCIDR} via ${other.ipv4} dev eth0 onlink`,
      ...(node.ipv6 && other.ipv6
        ? [
            `route add ${other.ipv6} dev eth0`,
            ...(other.podCIDR6 ? [`route add ${other.podCIDR6} via ${other.ipv6} dev eth0 onlink`] : []),
          ]
        : []),
    ]),
  ];
  return [
    `: >${shellWord(file)}`,
    `unshare --net=${shellWord(file)} true`,
    `ip link add name node${number} type veth peer name eth0 netns ${shellWord(file)}`,
    `ip link set node${number} master lab0 up`,
    `nsenter --net=${shellWord(file)} sh -e <<'END'`,
    ...FORWARDS,
    'END',
    batch(file, lines),
  ].join('\n');
}

/** Makes the network of a pod, joined to that of its node. */
export function podScript(file: string, nodeFile: string, endpoint: LabEndpoint, node: LabNode): string {
  const { ipv4, ipv6, interfaceName: link, mac, hostMac } = endpoint;
  return [
    `: >${shellWord(file)}`,
    `unshare --net=${shellWord(file)} true`,
    batch(nodeFile, [
      `link add name ${link} address ${hostMac} type veth peer name eth0 address ${mac} netns ${file}`,
      `link set ${link} up`,
      ...(ipv4 ? [`route add ${ipv4} dev ${link}`] : []),
      ...(ipv6 ? [`addr add ${LINK}/64 dev ${link} nodad`, `route add ${ipv6} dev ${link}`] : []),
    ]),
    batch(file, [
      'link set lo up',
      ...(ipv4 ? [`addr add ${ipv4}/32 dev eth0`] : []),
      ...(ipv6 ? [`addr add ${ipv6}/128 dev eth0 nodad`] : []),
      'link set eth0 up',
      ...(ipv4
        ? [`route add ${node.router.ipv4} dev eth0`, `route add default via ${node.router.ipv4}`]
        : []),
      ...(ipv6 ? [`route add default via ${LINK} dev eth0`] : []),
    ]),
  ].join('\n');
}

/** Takes the network of a pod away, and with it the link to its node. */
export function goneScript(file: string, nodeFile: string, link: string): string {
  return `nsenter --net=${shellWord(nodeFile)} ip link del ${link} || :\numount ${shellWord(file)} || :\nrm -f ${shellWord(file)}`;
}

function batch(file: string, lines: readonly string[]): string {
  return [`nsenter --net=${shellWord(file)} ip -batch - <<'END'`, ...lines, 'END'].join('\n');
}
