const pod = (id: number, app: string, namespace: string, more: string[] = []) => ({
  id,
  labels: [
    `k8s:app=${app}`,
    `k8s:io.kubernetes.pod.namespace=${namespace}`,
    `k8s:io.cilium.k8s.namespace.labels.team=${namespace === 'shop' ? 'red' : 'blue'}`,
    'k8s:io.cilium.k8s.policy.cluster=lab',
    ...more,
  ],
});

/** A cluster of which everything is known. */
export const FULL = {
  identities: [
    { id: 1, labels: ['reserved:host', 'k8s:role=worker'] },
    { id: 2, labels: ['reserved:world'] },
    { id: 6, labels: ['reserved:remote-node', 'k8s:role=control'] },
    { id: 9, labels: ['reserved:world-ipv4'] },
    { id: 10, labels: ['reserved:world-ipv6'] },
    pod(1001, 'web', 'shop'),
    pod(1002, 'api', 'shop', ['k8s:tier=back']),
    pod(1003, 'db', 'data'),
    pod(1004, 'dns', 'kube-system'),
    { id: 16_777_217, labels: ['cidr:192.0.2.0/24', 'reserved:world-ipv4'] },
  ],
  endpoints: [
    { id: 1, identity: 1 },
    { id: 11, identity: 1001, pod: 'shop/web-0' },
    {
      id: 12,
      identity: 1002,
      pod: 'shop/api-0',
      namedPorts: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    },
    {
      id: 13,
      identity: 1003,
      pod: 'data/db-0',
      namedPorts: [{ name: 'http', port: 9090, protocol: 'TCP' }],
    },
    { id: 14, identity: 1004, pod: 'kube-system/dns-0' },
  ],
  ips: [
    { cidr: '0.0.0.0/0', identity: 9 },
    { cidr: '::/0', identity: 10 },
    { cidr: '10.0.0.1/32', identity: 1001 },
    { cidr: '10.0.0.2/32', identity: 1002 },
    { cidr: '10.0.0.3/32', identity: 1003 },
    { cidr: '10.0.0.4/32', identity: 1004 },
    { cidr: '172.18.0.2/32', identity: 1 },
  ],
  objects: [
    {
      kind: 'Service',
      metadata: { name: 'dns', namespace: 'kube-system' },
      spec: {
        clusterIP: '10.96.0.10',
        selector: { app: 'dns' },
        ports: [{ port: 53, protocol: 'UDP', targetPort: 5353 }],
      },
    },
    {
      kind: 'Service',
      metadata: { name: 'api', namespace: 'shop' },
      spec: {
        clusterIP: '10.96.0.20',
        selector: { app: 'api' },
        ports: [{ port: 80, protocol: 'TCP', targetPort: 'http', nodePort: 30080 }],
      },
    },
    { kind: 'CiliumCIDRGroup', metadata: { name: 'office' }, spec: { externalCIDRs: ['198.51.100.0/24'] } },
    { kind: 'CiliumCIDRGroup', metadata: { name: 'anywhere' }, spec: { externalCIDRs: ['0.0.0.0/0'] } },
  ],
  hostFirewall: true,
  cidrMatchMode: [],
};

const cnp = (name: string, namespace: string, spec: string) =>
  `{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: ${name}, namespace: ${namespace}}, spec: ${spec}}`;
const ccnp = (name: string, spec: string) =>
  `{apiVersion: cilium.io/v2, kind: CiliumClusterwideNetworkPolicy, metadata: {name: ${name}}, spec: ${spec}}`;

/** Policies in it, each of a kind that rests on another piece of knowledge. */
export const POLICIES: readonly (readonly [string, string])[] = [
  [
    'labels',
    cnp(
      'l',
      'shop',
      '{endpointSelector: {matchLabels: {app: api}}, ingress: [{fromEndpoints: [{matchLabels: {app: web}}]}]}',
    ),
  ],
  [
    'a label that is not there',
    cnp(
      'none',
      'shop',
      '{endpointSelector: {matchExpressions: [{key: tier, operator: DoesNotExist}]}, ingress: [{}], egress: [{}]}',
    ),
  ],
  [
    'namespace',
    cnp(
      'ns',
      'shop',
      '{endpointSelector: {}, ingress: [{fromEndpoints: [{}]}], egress: [{toEndpoints: [{}]}]}',
    ),
  ],
  [
    'labels of namespaces',
    ccnp(
      'team',
      '{endpointSelector: {matchLabels: {"k8s:io.cilium.k8s.namespace.labels.team": red}}, ingress: [{fromEndpoints: [{matchLabels: {"k8s:io.cilium.k8s.namespace.labels.team": red}}]}]}',
    ),
  ],
  [
    'deny',
    cnp(
      'd',
      'shop',
      '{endpointSelector: {}, ingress: [{fromEntities: [all]}], ingressDeny: [{fromEndpoints: [{matchLabels: {app: db, "k8s:io.kubernetes.pod.namespace": data}}]}]}',
    ),
  ],
  [
    'cluster',
    ccnp(
      'c',
      '{endpointSelector: {}, ingress: [{fromEntities: [cluster]}], egress: [{toEntities: [cluster]}]}',
    ),
  ],
  ['IPv4', cnp('v4', 'shop', '{endpointSelector: {}, egress: [{toCIDR: [0.0.0.0/0]}]}')],
  ['IPv6', cnp('v6', 'shop', '{endpointSelector: {}, egress: [{toCIDR: ["::/0"]}]}')],
  ['prefixes', cnp('p', 'shop', '{endpointSelector: {}, egress: [{toCIDR: [10.96.0.0/12, 192.0.2.0/25]}]}')],
  [
    'a group of prefixes',
    cnp('g', 'shop', '{endpointSelector: {}, egress: [{toCIDRSet: [{cidrGroupRef: office}]}]}'),
  ],
  [
    'prefixes with exceptions',
    cnp(
      'pe',
      'shop',
      '{endpointSelector: {}, egress: [{toCIDRSet: [{cidr: 192.0.2.0/24, except: [192.0.2.128/25]}, {cidr: 198.51.100.0/24, except: [198.51.100.7/32]}]}]}',
    ),
  ],
  [
    'a denied prefix with an exception',
    cnp(
      'pd',
      'shop',
      '{endpointSelector: {}, egress: [{toEntities: [all]}], egressDeny: [{toCIDRSet: [{cidr: 192.0.0.0/8, except: [192.0.2.9/32]}]}]}',
    ),
  ],
  [
    'all addresses with exceptions',
    cnp(
      'ae',
      'shop',
      '{endpointSelector: {}, egress: [{toCIDRSet: [{cidr: 0.0.0.0/0, except: [192.0.2.128/25, 10.0.0.0/8]}]}]}',
    ),
  ],
  [
    'groups of prefixes with exceptions',
    cnp(
      'ge',
      'shop',
      '{endpointSelector: {}, egress: [{toCIDRSet: [{cidrGroupRef: office, except: [198.51.100.0/28]}]}, {toCIDRSet: [{cidrGroupRef: anywhere, except: [192.0.2.128/25]}]}]}',
    ),
  ],
  [
    'a group of all addresses with an exception of the other family',
    cnp(
      'gf',
      'shop',
      '{endpointSelector: {}, egress: [{toCIDRSet: [{cidrGroupRef: anywhere, except: ["2001:db8::/32"]}]}]}',
    ),
  ],
  [
    'nodes',
    cnp(
      'nodes',
      'shop',
      '{endpointSelector: {}, ingress: [{fromNodes: [{matchLabels: {role: worker}}]}], egress: [{toNodes: [{}]}]}',
    ),
  ],
  [
    'any protocol',
    cnp(
      'any',
      'shop',
      '{endpointSelector: {}, egress: [{toPorts: [{ports: [{port: "80", protocol: ANY}]}]}]}',
    ),
  ],
  [
    'a range of ports',
    cnp(
      'range',
      'shop',
      '{endpointSelector: {}, egress: [{toPorts: [{ports: [{port: "80", endPort: 8080, protocol: TCP}]}]}]}',
    ),
  ],
  [
    'ICMP',
    cnp('icmp', 'shop', '{endpointSelector: {}, egress: [{icmps: [{fields: [{type: 8, family: IPv4}]}]}]}'),
  ],
  [
    'a denied port without a protocol',
    cnp(
      'dp',
      'shop',
      '{endpointSelector: {}, ingress: [{fromEntities: [all]}], ingressDeny: [{toPorts: [{ports: [{port: "80"}]}]}]}',
    ),
  ],
  [
    'directions without default deny',
    cnp(
      'dd',
      'shop',
      '{endpointSelector: {}, enableDefaultDeny: {egress: false}, egress: [{toEntities: [world]}]}',
    ),
  ],
  [
    'entities',
    ccnp(
      'e',
      '{endpointSelector: {}, ingress: [{fromEntities: [host, remote-node, kube-apiserver]}], egress: [{toEntities: [ingress, unmanaged, init, health]}]}',
    ),
  ],
  [
    'services',
    cnp(
      's',
      'shop',
      '{endpointSelector: {}, egress: [{toServices: [{k8sService: {serviceName: dns, namespace: kube-system}}]}]}',
    ),
  ],
  [
    'ports of a service',
    cnp(
      'sp',
      'shop',
      '{endpointSelector: {}, egress: [{toPorts: [{ports: [{port: "5353", protocol: UDP}, {port: "8080", protocol: TCP}]}]}]}',
    ),
  ],
  [
    'names of hosts',
    cnp('f', 'shop', '{endpointSelector: {}, egress: [{toFQDNs: [{matchName: api.example.com}]}]}'),
  ],
  [
    'names of ports',
    cnp(
      'pn',
      'shop',
      '{endpointSelector: {matchLabels: {app: web}}, egress: [{toPorts: [{ports: [{port: http, protocol: TCP}]}]}]}',
    ),
  ],
  [
    'names of ports of one peer',
    cnp(
      'po',
      'shop',
      '{endpointSelector: {matchLabels: {app: web}}, egress: [{toEndpoints: [{matchLabels: {app: api}}], toPorts: [{ports: [{port: http, protocol: TCP}]}]}]}',
    ),
  ],
  [
    'the host',
    ccnp(
      'h',
      '{nodeSelector: {matchLabels: {role: worker}}, ingress: [{fromEntities: [cluster]}, {toPorts: [{ports: [{port: "22", protocol: TCP}]}]}]}',
    ),
  ],
  ['every node', ccnp('hn', '{nodeSelector: {}, egress: [{toEntities: [world]}]}')],
];

const kcnp = (
  name: string,
  tier: string,
  rules: string,
  subject = '{namespaces: {matchLabels: {team: red}}}',
) =>
  `{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, metadata: {name: k-${name}}, spec: {tier: ${tier}, priority: 5, subject: ${subject}, ${rules}}}`;
const SHOP_OPEN = cnp('open', 'shop', '{endpointSelector: {}, ingress: [{}], egress: [{}]}');
const SHOP_CLOSED = cnp(
  'closed',
  'shop',
  '{endpointSelector: {}, ingress: [{fromEndpoints: []}], egress: [{toEndpoints: []}]}',
);

/** The same with the identities that agents before 1.15 have: both address families share one world. */
export const OLD = {
  ...FULL,
  identities: FULL.identities
    .filter(({ id }) => id !== 9 && id !== 10)
    .map(({ id, labels }) => ({ id, labels: labels.map((label) => label.replace('world-ipv4', 'world')) })),
  ips: FULL.ips.map(({ cidr, identity }) => ({ cidr, identity: cidr.endsWith('/0') ? 2 : identity })),
};

/** Policies of several tiers, which only agents of 1.20 read, and only with an option. */
export const TIERED: readonly (readonly [string, string])[] = [
  [
    'a deny of the Admin tier',
    [
      kcnp('a', 'Admin', 'ingress: [{action: Deny, from: [{namespaces: {matchLabels: {team: red}}}]}]'),
      SHOP_OPEN,
    ].join('\n---\n'),
  ],
  [
    'a pass of the Admin tier before a deny',
    [
      kcnp(
        'p',
        'Admin',
        'ingress: [{action: Pass, from: [{pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: db}}}}]}, {action: Deny, from: [{namespaces: {}}]}]',
      ),
      SHOP_OPEN,
    ].join('\n---\n'),
  ],
  [
    'ports of the Admin tier',
    [
      kcnp(
        'pp',
        'Admin',
        'egress: [{action: Accept, to: [{namespaces: {}}], protocols: [{destinationNamedPort: http}, {udp: {destinationPort: {range: {start: 50, end: 60}}}}]}]',
      ),
      SHOP_CLOSED,
    ].join('\n---\n'),
  ],
  [
    'networks of the Admin tier',
    [
      kcnp(
        'n',
        'Admin',
        'egress: [{action: Accept, to: [{networks: [192.0.2.0/25]}]}, {action: Deny, to: [{networks: [0.0.0.0/0]}]}]',
      ),
      SHOP_OPEN,
    ].join('\n---\n'),
  ],
  [
    'names of the Admin tier',
    [
      kcnp('d', 'Admin', 'egress: [{action: Accept, to: [{domainNames: [api.example.com]}]}]'),
      SHOP_CLOSED,
    ].join('\n---\n'),
  ],
  [
    'nodes of the Admin tier',
    [kcnp('no', 'Admin', 'egress: [{action: Deny, to: [{nodes: {}}]}]'), SHOP_OPEN].join('\n---\n'),
  ],
  [
    'the Baseline tier alone',
    kcnp(
      'b',
      'Baseline',
      'ingress: [{action: Deny, from: [{namespaces: {}}]}], egress: [{action: Deny, to: [{networks: [0.0.0.0/0]}]}]',
    ),
  ],
  [
    'the Baseline tier after default deny',
    [
      kcnp(
        'bd',
        'Baseline',
        'ingress: [{action: Accept, from: [{pods: {podSelector: {matchLabels: {app: db}}}}]}]',
      ),
      SHOP_CLOSED,
    ].join('\n---\n'),
  ],
];
