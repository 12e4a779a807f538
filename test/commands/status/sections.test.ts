import { describe, expect, test } from '@jest/globals';
import { ask } from './serve.ts';

const OK_1_17 = { state: 'Ok', msg: '1.17.3 (v1.17.3-abcdef12)' };
const OK_1_20 = { state: 'Ok', msg: '1.20.0 (v1.20.0-abcdef12)' };
const OK_1_9 = { state: 'Ok', msg: '1.9.5   (v1.9.5-abcdef12)' };

/** The lines of `status` that start with a word, without the columns' padding. */
async function lines(status: object, start: string, ...flags: string[]): Promise<string[]> {
  const { stdout } = await ask(['status', ...flags], { status: { cilium: { state: 'Ok' }, ...status } });
  return stdout
    .split('\n')
    .filter((line) => line.startsWith(start))
    .map((line) => line.replace(/ {3,}/g, '|').replace(/\|$/, ''));
}

describe('a section of status', () => {
  test.each<[string, object, string, string[]]>([
    [
      'names the API versions of Kubernetes in order',
      { cilium: OK_1_17, kubernetes: { state: 'Ok', msg: '1.31', 'k8s-api-versions': ['v2', 'v1'] } },
      'Kubernetes',
      ['Kubernetes:|Ok|1.31', 'Kubernetes APIs:|["v1", "v2"]'],
    ],
    [
      'leaves them out where Kubernetes is disabled',
      { kubernetes: { state: 'Disabled', 'k8s-api-versions': ['v1'] } },
      'Kubernetes',
      ['Kubernetes:|Disabled'],
    ],
    [
      'shows the container runtime',
      { 'container-runtime': { state: 'Failure', msg: 'no socket' } },
      'ContainerRuntime',
      ['ContainerRuntime:|Failure|no socket'],
    ],
    [
      'lists devices of the kube-proxy replacement with a comma after all but the last of the older list',
      {
        'kube-proxy-replacement': {
          mode: 'True',
          devices: ['eth0', 'eth1'],
          directRoutingDevice: 'eth1',
          deviceList: [
            { name: 'eth0', ip: ['10.0.0.1'] },
            { name: 'eth1', ip: ['10.0.1.1', 'fe80::1'] },
          ],
        },
      },
      'KubeProxyReplacement',
      ['KubeProxyReplacement:|True|[eth0 10.0.0.1, eth1 10.0.1.1 fe80::1 (Direct Routing)]'],
    ],
    [
      'keeps the trailing comma that a mismatch of the two lists leaves',
      { 'kube-proxy-replacement': { mode: 'True', deviceList: [{ name: 'eth0', ip: ['10.0.0.1'] }] } },
      'KubeProxyReplacement',
      ['KubeProxyReplacement:|True|[eth0 10.0.0.1, ]'],
    ],
    [
      'has no devices where the replacement is off, in the words of 1.9',
      { cilium: OK_1_9, 'kube-proxy-replacement': { mode: 'Disabled', deviceList: [{ name: 'eth0' }] } },
      'KubeProxyReplacement',
      ['KubeProxyReplacement:|Disabled'],
    ],
    [
      'shows the devices of the host firewall',
      { 'host-firewall': { mode: 'Enabled', devices: ['eth0', 'eth1'] } },
      'Host firewall',
      ['Host firewall:|Enabled|[eth0, eth1]'],
    ],
    [
      'shows the encapsulation of SRv6',
      { srv6: { enabled: true, srv6EncapMode: 'SRH' } },
      'SRv6',
      ['SRv6:|Enabled|[encap-mode: SRH]'],
    ],
    [
      'lists stale probes in order',
      { stale: { kvstore: '2026-11-22T08:00:00Z', 'check-locks': '2026-11-22T07:00:00Z' } },
      'Stale',
      ['Stale status:|"check-locks" since 2026-11-22T07:00:00Z, "kvstore" since 2026-11-22T08:00:00Z'],
    ],
    [
      'quotes their names as Go does',
      { stale: { 'a\u00ad"\n': '2026-11-22T08:00:00.000Z' } },
      'Stale',
      ['Stale status:|"a\\u00ad\\"\\n" since 2026-11-22T08:00:00.000Z'],
    ],
    ['says when there is no monitor', { cilium: OK_1_17 }, 'NodeMonitor', ['NodeMonitor:|Disabled']],
    [
      'shows both sizes of IPv6 BIG TCP when they differ',
      {
        'ipv6-big-tcp': { enabled: true, maxGRO: 131072, maxGSO: 196608 },
        'ipv4-big-tcp': { enabled: true, maxGRO: 131072, maxGSO: 131072 },
      },
      'IPv',
      ['IPv4 BIG TCP:|Enabled|[131072]', 'IPv6 BIG TCP:|Enabled|[131072, 196608]'],
    ],
    [
      'names the congestion control of the bandwidth manager',
      {
        cilium: OK_1_17,
        'bandwidth-manager': { enabled: true, congestionControl: 'bbr', devices: ['eth0'] },
      },
      'Bandwidth',
      ['BandwidthManager:|EDT with BPF [BBR] [eth0]'],
    ],
    [
      'shows the bandwidth manager of 1.9 in two columns',
      { cilium: OK_1_9, 'bandwidth-manager': { enabled: true, devices: ['eth0'] } },
      'Bandwidth',
      ['BandwidthManager:|EDT with BPF|[eth0]'],
    ],
    [
      'shows native routing without a bracket',
      { routing: { 'inter-host-routing-mode': 'Native', 'intra-host-routing-mode': 'Legacy' } },
      'Routing',
      ['Routing:|Network: Native|Host: Legacy'],
    ],
    [
      'shows host routing of 1.9',
      { cilium: OK_1_9, 'host-routing': { mode: 'BPF' } },
      'Host R',
      ['Host Routing:|BPF'],
    ],
    [
      'spells the attach mode',
      { cilium: OK_1_17, 'attach-mode': 'tc' },
      'Attach',
      ['Attach Mode:|Legacy TC'],
    ],
    [
      'takes every other attach mode for the older one',
      { cilium: OK_1_20, 'attach-mode': 'netfilter' },
      'Attach',
      ['Attach Mode:|Legacy TC'],
    ],
    [
      'shows the configured device mode when it differs',
      { cilium: OK_1_20, 'datapath-mode': 'veth', 'configured-datapath-mode': 'auto' },
      'Device',
      ['Device Mode:|veth [Configured: auto]'],
    ],
    [
      'does not know every device mode',
      { cilium: OK_1_20, 'datapath-mode': 'warp', 'configured-datapath-mode': 'weft' },
      'Device',
      ['Device Mode:|?'],
    ],
    ['has no device mode in 1.9', { cilium: OK_1_9 }, 'Device', []],
    [
      'tells masquerading without families',
      { masquerading: { enabled: true } },
      'Masq',
      ['Masquerading:|Enabled'],
    ],
    [
      'tells that no family is masqueraded',
      { masquerading: { enabled: true, enabledProtocols: {}, mode: 'BPF' } },
      'Masq',
      ['Masquerading:|Disabled'],
    ],
    [
      'tells masquerading by iptables',
      { masquerading: { enabled: true, enabledProtocols: { ipv4: true }, mode: 'iptables' } },
      'Masq',
      ['Masquerading:|IPTables [IPv4: Enabled, IPv6: Disabled]'],
    ],
    [
      'shows both exclusions in 1.20, and the blank where one is missing',
      {
        cilium: OK_1_20,
        'kube-proxy-replacement': { mode: 'False', deviceList: [{ name: 'eth0' }, { name: 'eth1' }] },
        masquerading: {
          enabledProtocols: { ipv4: true },
          mode: 'BPF',
          'ip-masq-agent': true,
          'snat-exclusion-cidr-v4': '10.0.0.0/8',
        },
      },
      'Masq',
      ['Masquerading:|BPF (ip-masq-agent)|[eth0, eth1]|10.0.0.0/8  [IPv4: Enabled, IPv6: Disabled]'],
    ],
    [
      'shows only the IPv4 exclusion before 1.20',
      {
        cilium: OK_1_17,
        'kube-proxy-replacement': { mode: 'False' },
        masquerading: {
          enabledProtocols: { ipv4: true, ipv6: true },
          mode: 'BPF',
          'snat-exclusion-cidr-v4': '10.0.0.0/8',
          'snat-exclusion-cidr-v6': 'fd00::/64',
        },
      },
      'Masq',
      ['Masquerading:|BPF|[]|10.0.0.0/8 [IPv4: Enabled, IPv6: Enabled]'],
    ],
    [
      'counts controllers that have not run as healthy',
      { controllers: [{ name: 'a' }, { name: 'b', status: { 'consecutive-failure-count': 2 } }] },
      'Controller',
      ['Controller Status:|1/2 healthy'],
    ],
    ['says when no proxy runs', { cilium: OK_1_17 }, 'Proxy', ['Proxy Status:|No managed proxy redirect']],
    [
      'shows the proxy of 1.9 without Envoy',
      { cilium: OK_1_9, proxy: { ip: '10.0.0.1', 'port-range': '10000-20000', 'total-redirects': 2 } },
      'Proxy',
      ['Proxy Status:|OK, ip 10.0.0.1, 2 redirects active on ports 10000-20000'],
    ],
    [
      'does not know the range of identities',
      { cilium: OK_1_17 },
      'Global',
      ['Global Identity Range:|Unknown'],
    ],
    ['has no range of identities in 1.9', { cilium: OK_1_9 }, 'Global', []],
    [
      'shows the state of Hubble, its flows and the metrics of before 1.20',
      {
        cilium: OK_1_17,
        hubble: {
          state: 'Warning',
          msg: 'slow',
          observer: { 'current-flows': 5, 'max-flows': 10, 'seen-flows': 120, uptime: '1m0s' },
          metrics: { state: 'Ok' },
        },
      },
      'Hubble',
      ['Hubble:|Warning slow|Current/Max Flows: 5/10 (50.00%), Flows/s: 2.00|Metrics: Ok'],
    ],
    [
      'shows the message of the metrics in 1.20',
      { cilium: OK_1_20, hubble: { state: 'Ok' }, 'hubble-metrics': { state: 'Failure', msg: 'bind' } },
      'Hubble',
      ['Hubble:|Ok|Metrics: Failure (bind)'],
    ],
    [
      'rounds a rate that lies between two to the even one',
      { hubble: { state: 'Ok', observer: { 'seen-flows': 1, uptime: '8s' } } },
      'Hubble',
      ['Hubble:|Ok|Flows/s: 0.12'],
    ],
    [
      'names a mode that is asked for where none is known',
      { 'configured-datapath-mode': 'auto' },
      'Device Mode',
      ['Device Mode:|? [Configured: auto]'],
    ],
    [
      'shows only the half of the flows that is known',
      { hubble: { state: 'Ok', observer: { 'seen-flows': 3, uptime: '2s' } } },
      'Hubble',
      ['Hubble:|Ok|Flows/s: 1.50'],
    ],
    [
      'lists the interfaces of WireGuard',
      {
        cilium: OK_1_17,
        encryption: {
          mode: 'Wireguard',
          wireguard: {
            'node-encryption': 'Disabled',
            interfaces: [{ name: 'cilium_wg0', 'public-key': 'K=', 'listen-port': 51871, 'peer-count': 3 }],
          },
        },
      },
      'Encryption',
      ['Encryption:|Wireguard|[NodeEncryption: Disabled, cilium_wg0 (Pubkey: K=, Port: 51871, Peers: 3)]'],
    ],
    [
      'prefers the message of the encryption',
      { encryption: { mode: 'IPsec', msg: 'rotating', wireguard: { interfaces: [] } } },
      'Encryption',
      ['Encryption:|IPsec|rotating'],
    ],
  ])('%s', async (_, status, start, expected) => {
    expect(await lines(status, start)).toEqual(expected);
  });

  test('counts lost events on a line of its own', async () => {
    const { stdout } = await ask(['status'], {
      status: {
        cilium: OK_1_20,
        nodeMonitor: { cpus: 2, npages: 64, pagesize: 4096, lost: 7, unknown: 1 },
      },
    });
    expect(stdout).toMatch(/\n +7 events lost, 1 unknown notifications\n/);
  });

  test('with --verbose tells the clock source, and its frequency for jiffies', async () => {
    expect(await lines({ 'clock-source': { mode: 'jiffies', hertz: 250 } }, 'Clock')).toEqual([]);
    expect(await lines({ 'clock-source': { mode: 'jiffies', hertz: 250 } }, 'Clock', '--verbose')).toEqual([
      'Clock Source for BPF:|jiffies|[250 Hz]',
    ]);
  });

  test('with --verbose tells that BPF maps are not sized dynamically', async () => {
    const status = { 'bpf-maps': { 'dynamic-size-ratio': 0, maps: [{ name: 'NAT', size: 10 }] } };
    expect(await lines(status, 'BPF', '--verbose')).toEqual(['BPF Maps:|dynamic sizing: off']);
  });
});

describe('by release, as the released sources print it', () => {
  const of = (release: string) => ({ state: 'Ok', msg: `${release}.2 (v)` });
  const proxy = { mode: 'True', devices: ['eth0', 'eth1'], directRoutingDevice: 'eth1' };
  const bpf = { enabled: true, mode: 'BPF', 'snat-exclusion-cidr': '10.0.0.0/8' };
  const families = {
    ...bpf,
    enabledProtocols: { ipv4: true },
    'snat-exclusion-cidr-v4': '10.0.0.0/8',
    'snat-exclusion-cidr-v6': 'fd00::/8',
  };
  const wireguard = { interfaces: [{ name: 'w', 'public-key': 'K', 'listen-port': 1, 'peer-count': 2 }] };

  test.each<[string, object, string, string[]]>([
    [
      '1.9',
      { masquerading: bpf, 'kube-proxy-replacement': proxy },
      'Masquerading',
      ['Masquerading:|BPF|[eth0, eth1]|10.0.0.0/8'],
    ],
    [
      '1.9',
      { masquerading: { enabled: true, mode: 'iptables' } },
      'Masquerading',
      ['Masquerading:|IPTables'],
    ],
    [
      '1.9',
      { 'kube-proxy-replacement': proxy },
      'KubeProxyReplacement:',
      ['KubeProxyReplacement:|True|[eth0, eth1 (Direct Routing)]'],
    ],
    [
      '1.17',
      { masquerading: families, 'kube-proxy-replacement': { mode: 'True' } },
      'Masquerading',
      ['Masquerading:|BPF|[]|10.0.0.0/8 [IPv4: Enabled, IPv6: Disabled]'],
    ],
    [
      '1.18',
      { masquerading: families, 'kube-proxy-replacement': { mode: 'True' } },
      'Masquerading',
      ['Masquerading:|BPF|[]|10.0.0.0/8 fd00::/8 [IPv4: Enabled, IPv6: Disabled]'],
    ],
    ['1.13', { 'ipv6-big-tcp': { enabled: true } }, 'IPv6 BIG', ['IPv6 BIG TCP:|Enabled']],
    [
      '1.14',
      { 'ipv4-big-tcp': {}, 'ipv6-big-tcp': { enabled: true, maxGRO: 7, maxGSO: 8 } },
      'IPv6 BIG',
      ['IPv6 BIG TCP:|Enabled|[7, 8]'],
    ],
    ['1.9', {}, 'Cilium:', ['Cilium:|Ok|1.9.2 (v)']],
    ['1.12', { 'bandwidth-manager': { enabled: true } }, 'Band', ['BandwidthManager:|EDT with BPF [] []']],
    [
      '1.12',
      { encryption: { mode: 'Wireguard', wireguard } },
      'Encryption',
      ['Encryption:|Wireguard|[w (Pubkey: K, Port: 1, Peers: 2)]'],
    ],
    [
      '1.15',
      { encryption: { mode: 'Wireguard', wireguard } },
      'Encryption',
      ['Encryption:|Wireguard|[NodeEncryption: , w (Pubkey: K, Port: 1, Peers: 2)]'],
    ],
    [
      '1.17',
      { hubble: { state: 'Ok', metrics: { state: 'Warning', msg: 'm' } } },
      'Hubble',
      ['Hubble:|Ok|Metrics: Warning'],
    ],
    [
      '1.18',
      { hubble: { state: 'Ok' }, 'hubble-metrics': { state: 'Warning', msg: 'm' } },
      'Hubble',
      ['Hubble:|Ok|Metrics: Warning (m)'],
    ],
  ])('%s, %j', async (release, status, start, wanted) => {
    expect(await lines({ cilium: of(release), ...status }, start)).toEqual(wanted);
  });

  test.each([
    ['1.12', '1 nodes, 3 identities, 4 services, 6 failures', undefined],
    ['1.13', '1 nodes, 3 identities, 4 services, 6 reconnections', undefined],
    ['1.14', '1 nodes, 2 endpoints, 3 identities, 4 services, 6 reconnects', 'sync-canaries=false'],
    ['1.16', '1 nodes, 2 endpoints, 3 identities, 4 services, 6 reconnections', 'sync-canaries=false'],
    [
      '1.17',
      '1 nodes, 2 endpoints, 3 identities, 4 services, 5 MCS-API service exports, 6 reconnections',
      'service-exports=unsupported',
    ],
  ])('%s, a cluster of a mesh', async (release, counts, last) => {
    const cluster = {
      ...{ name: 'east', 'num-nodes': 1, 'num-endpoints': 2, 'num-identities': 3, 'num-shared-services': 4 },
      ...{ 'num-service-exports': 5, 'num-failures': 6, config: { retrieved: true } },
    };
    const shown = await lines({ cilium: of(release), 'cluster-mesh': { clusters: [cluster] } }, '   ');
    expect(shown[0]).toContain(`east: not-ready, ${counts} (last: never)`);
    expect(shown.find((line) => line.includes('configuration'))?.endsWith(String(last))).toBe(
      last === undefined ? undefined : true,
    );
  });
});

describe('clusters of a mesh', () => {
  const cluster = {
    name: 'east',
    ready: false,
    status: 'waiting',
    'num-nodes': 1,
    'num-endpoints': 2,
    'num-identities': 3,
    'num-shared-services': 4,
    'num-service-exports': 5,
    'num-failures': 6,
    'last-failure': '2026-11-22T08:04:30Z',
    config: { required: true, retrieved: true, 'cluster-id': 9, kvstoremesh: true, 'sync-canaries': true },
    synced: { nodes: true, endpoints: false, identities: true, services: true },
  };
  const ready = { name: 'west', ready: true, status: 'fine' };
  const mesh = { clusters: [cluster, ready], 'num-global-services': 8 };

  test.each([
    [
      OK_1_9,
      [
        'ClusterMesh:|1/2 clusters ready, 8 global-services',
        '   east: not-ready, 1 nodes, 3 identities, 4 services, 6 failures (last: 30s ago)',
        '   └  waiting',
      ],
    ],
    [
      OK_1_17,
      [
        'ClusterMesh:|1/2 remote clusters ready, 8 global-services',
        '   east: not-ready, 1 nodes, 2 endpoints, 3 identities, 4 services, 5 MCS-API service exports, 6 reconnections (last: 30s ago)',
        '   └  waiting',
        '   └  remote configuration: expected=true, retrieved=true, cluster-id=9, kvstoremesh=true, sync-canaries=true, service-exports=unsupported',
        '   └  synchronization status: nodes=true, endpoints=false, identities=true, services=true',
      ],
    ],
  ])('are shown when they are not ready (%j)', async (cilium, expected) => {
    const { stdout } = await ask(['status'], { status: { cilium, 'cluster-mesh': mesh } });
    const shown = stdout.split('\n').filter((line) => /^(ClusterMesh| {3}\S)/.test(line));
    expect(shown.map((line) => line.replace(/: {3,}/, ':|'))).toEqual(expected);
  });

  test('are all shown with --all-clusters', async () => {
    const { stdout } = await ask(['status', '--all-clusters'], {
      status: { cilium: OK_1_20, 'cluster-mesh': mesh },
    });
    expect(stdout).toMatch(/ClusterMesh: +1\/2 remote clusters ready\n/);
    expect(stdout).toContain(
      '   west: ready, 0 nodes, 0 endpoints, 0 identities, 0 services, 0 endpoint slices, 0 MCS-API service exports, 0 reconnections (last: never)\n' +
        '   └  fine\n   └  remote configuration: expected=unknown, retrieved=unknown\n',
    );
  });
});

describe('the details of the kube-proxy replacement', () => {
  const features = {
    nodePort: { enabled: true, mode: 'DSR', dsrMode: 'Geneve', algorithm: 'Random', portMin: 1, portMax: 2 },
    nat46X64: { enabled: true, service: { enabled: true }, gateway: { enabled: true, prefixes: ['a', 'b'] } },
    bpfSocketLBHostnsOnly: true,
    gracefulTermination: { enabled: true },
    hostReachableServices: { enabled: true, protocols: ['TCP', 'UDP'] },
  };
  const status = (cilium: object, f: object = features) => ({
    cilium,
    kubernetes: { state: 'Disabled' },
    'kube-proxy-replacement': { mode: 'Strict', features: f },
  });
  const details = async (answer: object) => {
    const { stdout } = await ask(['status', '--verbose'], { status: answer });
    const [, text = ''] = stdout.split('KubeProxyReplacement Details:\n');
    return text
      .split('\n')
      .filter((line) => line.startsWith('  '))
      .map((line) => line.replace(/ {3,}/g, '|'));
  };

  test('in 1.20', async () => {
    expect(await details(status(OK_1_20))).toEqual([
      '  Status:|Strict',
      '  Socket LB:|Disabled',
      '  Socket LB Tracing:|Disabled',
      '  Socket LB Coverage:|Hostns-only',
      '  Mode:|DSR',
      '|DSR Dispatch Mode:|Geneve',
      '  Backend Selection:|Random',
      '  Session Affinity:|Disabled',
      '  NAT46/64 Support:',
      '  - Services:|Enabled',
      '  - Gateway:|Enabled',
      '|Prefixes:|a, b',
      '  Services:',
      '  - ClusterIP:|Enabled',
      '  - NodePort:|Enabled (Range: 1-2) ',
      '  - LoadBalancer:|Enabled ',
      '  - externalIPs:|Disabled ',
      '  - HostPort:|Disabled',
      '  Annotations:|(n/a)',
    ]);
  });

  test('in 1.17 name graceful termination, and that there is no annotation', async () => {
    const shown = await details(status(OK_1_17, {}));
    expect(shown).toContain('  Graceful Termination:|Disabled');
    expect(shown).toContain('  - NodePort:|Disabled ');
    expect(shown.at(-1)).toBe('  Annotations:|(n/a)');
    expect(shown.some((line) => /Mode|Backend/.test(line))).toBe(false);
  });

  /** What the released sources print of the same answer. */
  test.each([
    ['1.9', ['Protocols'], ['Socket LB', 'Graceful', 'NAT46/64', 'DSR Dispatch', 'Annotations']],
    ['1.11', ['Socket LB Protocols', 'Graceful'], ['Tracing', 'NAT46/64', 'DSR Dispatch', 'Annotations']],
    ['1.12', ['Coverage', 'Socket LB Protocols', 'NAT46/64 Support:|Enabled'], ['Tracing', 'Gateway']],
    ['1.13', ['Socket LB Tracing', 'Coverage', '- Gateway'], ['Protocols', 'DSR Dispatch']],
    ['1.14', ['Socket LB Coverage', 'Graceful'], ['DSR Dispatch', 'Annotations']],
    ['1.15', ['DSR Dispatch Mode', 'Graceful'], ['Annotations']],
    ['1.17', ['Annotations:|(n/a)', 'Graceful'], []],
    ['1.18', ['Annotations:|(n/a)'], ['Graceful']],
  ] as const)('in %s have %j and not %j', async (release, has, hasNot) => {
    const shown = (await details(status({ state: 'Ok', msg: `${release}.2 (v)` }))).join('\n');
    for (const part of has) expect(shown).toContain(`${part}`);
    for (const part of hasNot) expect(shown).not.toContain(part);
  });

  // differs: status-release
  test('in 1.9 name the protocols of the socket load-balancer', async () => {
    expect((await details(status(OK_1_9))).slice(0, 4)).toEqual([
      '  Status:|Strict',
      '  Protocols:|TCP, UDP',
      '  Mode:|DSR',
      '  Backend Selection:|Random',
    ]);
  });

  test('are left out without Kubernetes', async () => {
    const { kubernetes: _, ...rest } = status(OK_1_20);
    expect(await details(rest)).toEqual([]);
  });
});

test('the tables of controllers and redirects stand by themselves in the columns', async () => {
  const { stdout } = await ask(['status', '--all-controllers', '--all-redirects'], {
    status: {
      cilium: OK_1_9,
      controllers: [
        { name: 'zeta', status: { 'last-success-timestamp': '2026-11-22T08:03:59.500Z' } },
        {
          name: 'Alpha',
          status: {
            'consecutive-failure-count': 3,
            'last-failure-msg': 'no',
            'last-failure-timestamp': '2026-11-22T07:04:58Z',
          },
        },
      ],
      proxy: { 'total-redirects': 1, redirects: [{ proxy: 'p', name: 'n', 'proxy-port': 7 }] },
    },
  });
  expect(stdout).toContain(
    [
      'Controller Status:   1/2 healthy',
      '  Alpha   never          1h0m2s ago   3       no   ',
      '  Name    Last success   Last error   Count   Message',
      '  zeta    1m0s ago       never        0       no error   ',
      'Proxy Status:   OK, ip , 1 redirects active on ports ',
      '  Protocol   Redirect   Proxy Port',
      '  p          n          7',
    ].join('\n'),
  );
});
