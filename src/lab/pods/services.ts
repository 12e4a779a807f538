import type { LabService } from '../state/state.ts';
import type { LabNode } from '../world/world.ts';

/** Where rules are to translate the addresses of services: in a pod, before a packet leaves it, or in a node. */
export type Place = 'pod' | 'node';

/**
 * Rules of nft that have connections to services go to one of their backends, as seen from a node. In pods they stand where
 * an agent has them: before the policy sees a packet.
 */
export function serviceRules(
  services: readonly LabService[],
  nodes: readonly LabNode[],
  self: LabNode,
  place: Place,
): string {
  const translated: string[] = [];
  const refused: string[] = [];
  const outside: string[] = [];
  for (const service of services) {
    const { ip = '', port = 0, protocol = 'TCP' } = service['frontend-address'];
    // Rules are for one family each, and so are the addresses of a service.
    if (ip.includes(':')) continue;
    const { type, intTrafficPolicy, extTrafficPolicy } = service.flags;
    const isNodePort = ip === '0.0.0.0';
    const every = service['backend-addresses'].filter(
      ({ state, ip }) => state === 'active' && !ip.includes(':'),
    );
    const here = every.filter(({ nodeName }) => nodeName === self.name);
    const mine = !isNodePort && intTrafficPolicy === 'Local' ? here : every;
    const whose = isNodePort ? `{ ${nodes.map(({ ipv4 }) => ipv4).join(', ')} }` : ip;
    const meets = `ip daddr ${whose} ${protocol.toLowerCase()} dport ${port}`;
    if (mine.length > 0) translated.push(`${meets} ${balanced(mine)}`);
    else refused.push(`${meets} reject`);
    if (type === 'NodePort' || type === 'HostPort') {
      const own = `ip daddr ${self.ipv4} ${protocol.toLowerCase()} dport ${port}`;
      const reached = extTrafficPolicy === 'Local' ? here : every;
      if (reached.length > 0) outside.push(`${own} ${balanced(reached)}`);
    }
  }
  const chain = (name: string, hook: string, rules: readonly string[]) =>
    [`  chain ${name} {`, `    type ${hook}`, ...rules.map((rule) => `    ${rule}`), '  }'].join('\n');
  return [
    'table inet services',
    'delete table inet services',
    'table inet services {',
    chain('output', 'nat hook output priority -100', translated),
    chain('refused', 'filter hook output priority 10', refused),
    ...(place === 'node'
      ? [
          chain(
            'outside',
            'nat hook prerouting priority -100',
            outside.map((rule) => `iifname "eth0" ${rule}`),
          ),
          // What came for a port of this node and goes on to another one has to come back here.
          chain('source', 'nat hook postrouting priority 100', [
            'ct status dnat oifname "eth0" ct mark and 0x400 == 0x400 masquerade',
          ]),
          chain('arriving', 'filter hook prerouting priority -150', [
            `iifname "eth0" fib daddr type local ct state new ct mark set ct mark or 0x400`,
          ]),
        ]
      : []),
    '}',
    '',
  ].join('\n');
}

function balanced(backends: LabService['backend-addresses']): string {
  const [only] = backends;
  if (only && backends.length === 1) return `dnat ip to ${only.ip}:${only.port}`;
  const map = backends.map(({ ip, port }, i) => `${i} : ${ip} . ${port}`).join(', ');
  return `dnat ip to numgen random mod ${backends.length} map { ${map} }`;
}
