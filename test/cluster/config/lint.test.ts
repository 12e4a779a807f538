import { describe, expect, test } from '@jest/globals';
import { loadFacts, minorOf } from '../../../src/cluster/config/facts.ts';
import { documentsText, repair } from '../../../src/cluster/config/fix.ts';
import type { Given } from '../../../src/cluster/config/given.ts';
import { lintConfig } from '../../../src/cluster/config/lint-documents.ts';
import { parseSetPairs } from '../../../src/cluster/config/set-pairs.ts';
import { KNOWN_RELEASES, type Release } from '../../../src/model/release.ts';
import fc from '../../helpers/properties.ts';

const facts = await loadFacts();
const check = (text: string, release: Release) =>
  lintConfig([{ file: 'v.yaml', text }], [], facts, minorOf(release));
/** `line:column severity code message`, one a finding. */
const told = async (text: string, release: Release) =>
  (await check(text, release)).findings.map(
    ({ position: { line, column }, severity, code, message }) =>
      `${line}:${column} ${severity} ${code} ${message}`,
  );
const values = (lines: Readonly<Record<string, unknown>>) =>
  Object.entries(lines)
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`)
    .join('');
const configMap = (data: Readonly<Record<string, unknown>>) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cilium-config}\ndata:\n${Object.entries(data)
    .map(([key, value]) => `  ${key}: ${JSON.stringify(value)}\n`)
    .join('')}`;
const fixed = async (text: string, release: Release) => {
  const { documents } = await check(text, release);
  for (const { document, findings } of documents) repair(document, findings);
  return documentsText(
    documents.map(({ document }) => document),
    text,
  );
};

describe('Helm values', () => {
  test.each<[Release, object, string[]]>([
    ['1.13', { tunnel: 'disabled', kubeProxyReplacement: 'strict' }, []],
    [
      '1.14',
      { tunnel: 'disabled', kubeProxyReplacement: 'strict' },
      [
        '1:1 warning deprecated tunnel is deprecated since 1.14 and gone with 1.15: write routingMode: native',
        '2:23 warning deprecated kubeProxyReplacement is "strict", deprecated since 1.14 and refused from 1.16 on: write true',
      ],
    ],
    [
      '1.15',
      { tunnel: 'geneve' },
      [
        '1:1 error refused tunnel is gone since 1.15: write routingMode: tunnel and tunnelProtocol: geneve; the chart of 1.15 refuses it',
      ],
    ],
    [
      '1.15',
      { tunnel: '' },
      ['1:1 error renamed tunnel is gone since 1.15: write routingMode and tunnelProtocol'],
    ],
    [
      '1.16',
      { kubeProxyReplacement: 'partial' },
      [
        '1:23 error refused kubeProxyReplacement is "partial": 1.16 takes true or false; the chart refuses it',
      ],
    ],
    ['1.20', { kubeProxyReplacement: true }, []],
    ['1.20', { kubeProxyReplacement: 'true' }, []],
    [
      '1.13',
      { kubeProxyReplacement: 'true' },
      [
        '1:23 error refused kubeProxyReplacement is "true": 1.13 takes strict, partial, disabled; the chart refuses it',
      ],
    ],
    ['1.12', { kubeProxyReplacement: 'probe' }, []],
    [
      '1.12',
      { kubeProxyReplacement: false },
      ['1:23 warning deprecated kubeProxyReplacement is false, which 1.12 takes for not set: write disabled'],
    ],
    [
      '1.18',
      { ipam: { operator: { clusterPoolIPv4PodCIDR: 'x' } } },
      [expect.stringContaining('error renamed') as never],
    ],
    [
      '1.19',
      { ipam: { operator: { clusterPoolIPv4PodCIDR: 'x' } } },
      [expect.stringContaining('error renamed') as never],
    ],
    [
      '1.18',
      { global: { tunnel: 'vxlan' } },
      [expect.stringContaining('error renamed global.tunnel is gone since 1.15') as never],
    ],
    [
      '1.18',
      { hubble: { export: { fileMaxSizeMb: 5 } } },
      [
        '1:20 warning deprecated hubble.export.fileMaxSizeMb is no value of the chart since 1.18, which still looks at it',
      ],
    ],
    ['1.17', { hubble: { export: { fileMaxSizeMb: 5 } } }, []],
    [
      '1.18',
      { hubble: { export: { fileMaxSizeMb: 'x' } } },
      [expect.stringContaining('warning deprecated') as never],
    ],
    ['1.15', { cluster: { name: 'UPPER' } }, []],
    ['1.16', { cluster: { name: 'UPPER' }, upgradeCompatibility: '1.15' }, []],
    [
      '1.16',
      { cluster: { name: 'UPPER' } },
      [expect.stringContaining('cluster.name takes small letters') as never],
    ],
    ['1.20', { clustermesh: { apiserver: { tls: { authMode: 'x' } } } }, []],
    [
      '1.20',
      { clustermesh: { useAPIServer: true, apiserver: { tls: { authMode: 'x' } } } },
      [expect.stringContaining('authMode is legacy, migration or cluster') as never],
    ],
    [
      '1.20',
      { routingMode: 'native', ipv6: { enabled: true } },
      [expect.stringContaining('needs ipv6NativeRoutingCIDR') as never],
    ],
    ['1.17', { routingMode: 'native', ipv6: { enabled: true } }, []],
    [
      '1.20',
      { hubble: { tls: { auto: { method: 'certmanager', certManagerIssuerRef: { name: 'x' } } } } },
      [],
    ],
    [
      '1.15',
      { hubble: { metrics: { enabled: 'dns' } } },
      [expect.stringContaining('hubble.metrics.enabled is a list') as never],
    ],
    ['1.9', { masquerade: false, eni: true, hostFirewall: true }, []],
    [
      '1.20',
      { masquerade: false },
      [
        '1:1 error renamed masquerade is gone since 1.10: write enableIPv4Masquerade and enableIPv6Masquerade',
      ],
    ],
    ['1.20', { eni: true }, ['1:1 error renamed eni is gone since 1.10: write eni.enabled']],
    ['1.20', { eni: { enabled: true } }, []],
    [
      '1.20',
      { global: { nodePort: { mode: 'dsr' } } },
      ['1:22 error renamed global.nodePort.mode is gone since 1.9: write loadBalancer.mode'],
    ],
    [
      '1.20',
      { 'hubble-relay': { numReplicas: 2 } },
      ['1:16 error renamed hubble-relay.numReplicas is gone since 1.9: write hubble.relay.replicas'],
    ],
    [
      '1.20',
      { 'hubble-relay': { image: { tag: 'x' } } },
      ['1:16 error renamed hubble-relay.image is gone since 1.9: write hubble.relay.image'],
    ],
    [
      '1.20',
      { remoteNodeIdentity: true },
      ['1:1 error refused remoteNodeIdentity is gone since 1.16; the chart of 1.20 refuses it'],
    ],
    [
      '1.20',
      { remoteNodeIdentity: false },
      ['1:1 warning removed remoteNodeIdentity is gone since 1.16: charts of 1.20 do not look at it'],
    ],
    [
      '1.20',
      { nodePort: { enabled: true } },
      ['1:12 warning removed nodePort.enabled is gone since 1.19: charts of 1.20 do not look at it'],
    ],
    ['1.18', { nodePort: { enabled: true } }, []],
    [
      '1.14',
      { ciliumEndpointSlice: { enabled: true } },
      ['1:23 warning not-yet ciliumEndpointSlice.enabled comes with 1.16: charts of 1.14 do not look at it'],
    ],
    [
      '1.20',
      { routingMode: 'disabled' },
      ['1:14 error value routingMode is "disabled": charts of 1.20 know "tunnel", "native"'],
    ],
    [
      '1.19',
      { bpf: { datapathMode: 'auto' } },
      ['1:22 warning value bpf.datapathMode is "auto": charts of 1.19 know "veth", "netkit", "netkit-l2"'],
    ],
    ['1.20', { bpf: { datapathMode: 'auto' } }, []],
    [
      '1.18',
      { debug: { enabled: 'true' } },
      ['1:19 error type debug.enabled is a string: Helm refuses it, the chart of 1.18 takes boolean'],
    ],
    ['1.15', { debug: { enabled: 'true' } }, []],
    ['1.20', { debug: { enabled: null } }, []],
    ['1.20', { tolerations: [{ key: 'x' }], affinity: { any: { thing: 1 } }, resources: { limits: {} } }, []],
    ['1.20', { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: {} } } }, []],
    [
      '1.20',
      { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: 'x' } } },
      [expect.stringContaining('error type') as never],
    ],
    [
      '1.20',
      { ingressController: { service: { allocateLoadBalancerNodePorts: 'yes' } } },
      [expect.stringContaining('error type') as never],
    ],
    [
      '1.15',
      { agent: { image: 'x' } },
      [
        expect.stringContaining(
          'error renamed agent.image is gone since 1.9: write image.repository',
        ) as never,
      ],
    ],
    [
      '1.20',
      { hubble: { ui: { enabled: true } } },
      ['1:26 error refused the chart refuses this: hubble.ui.enabled needs hubble.relay.enabled=true'],
    ],
    ['1.20', { hubble: { ui: { enabled: true }, relay: { enabled: true } } }, []],
    [
      '1.20',
      { cluster: { id: 3 } },
      ['1:16 error refused the chart refuses this: cluster.id needs a cluster.name other than "default"'],
    ],
    ['1.15', { cluster: { id: 3 } }, []],
    [
      '1.20',
      { extraConfig: { tunnel: 'vxlan' } },
      [
        '1:15 error renamed tunnel is gone since 1.15, which only logs that it does not know it: write routing-mode: tunnel and tunnel-protocol: vxlan',
      ],
    ],
  ])('for %s of %j', async (release, given, findings) => {
    expect(await told(values({ ...given }), release)).toEqual(findings);
  });

  test.each([
    ['hubble: {enable: true}', 'hubble.enable', 'Is hubble.enabled meant?'],
    ['kubeProxyReplacment: true', 'kubeProxyReplacment', 'Is kubeProxyReplacement meant?'],
    ['debug: {verbos: flow}', 'debug.verbos', 'Is debug.verbose meant?'],
  ])('a name that no release has is a warning with the nearest one: %s', async (text, name, hint) => {
    const { findings } = await check(text, '1.20');
    expect(findings).toEqual([
      expect.objectContaining({ severity: 'warning', code: 'unknown', hint, path: name.split('.') }),
    ]);
  });

  test.each(['constructor', 'toString', '__proto__', '[a]', '{a: 1}', '? [x]\n', '~', '1.5'])(
    'odd names are names like any other: %s',
    async (name) => {
      const { findings } = await check(`${name}: 1\nkubeProxyReplacement: {a: ${name.length}}\n`, '1.20');
      expect(findings.length).toBeGreaterThan(0);
      expect(JSON.stringify(findings)).not.toContain('object Object');
    },
  );

  test('what stands twice, and in merged maps, is looked at once', async () => {
    const text = 'base: &b\n  enabled: "x"\ndebug:\n  <<: *b\n  enabled: true\ndebug:\n  enabled: false\n';
    expect(await told(text, '1.20')).toEqual([
      '3:1 warning doubled debug is written more than once: the last one counts',
      expect.stringContaining('1:1 warning unknown base is not known'),
    ]);
  });

  test('of several files and pairs what counts last decides what is refused together', async () => {
    const files = [
      { file: 'a.yaml', text: 'hubble: {ui: {enabled: true}}' },
      { file: 'b.yaml', text: 'hubble: {relay: {enabled: false}}' },
    ];
    const lint = async (...pairs: string[]) =>
      (await lintConfig(files, parseSetPairs(pairs), facts, 20)).findings.map(({ message }) => message);
    expect(await lint()).toEqual([
      'the chart refuses this: hubble.ui.enabled needs hubble.relay.enabled=true',
    ]);
    expect(await lint('hubble.relay.enabled=true')).toEqual([]);
  });

  test('documents without anything in them are none', async () => {
    expect(await told('# Source: x\n---\ndebug: {}\n---\n# end\n', '1.20')).toEqual([]);
  });

  test.each([['a: [1'], ['- a\n- b'], ['a: b: c']])(
    'text that is no map of values is an error: %j',
    async (text) => {
      const { findings } = await check(text, '1.20');
      expect(findings[0]).toMatchObject({
        severity: 'error',
        code: 'syntax',
        position: { file: 'v.yaml', line: 1 },
      });
    },
  );
});

describe('a ConfigMap', () => {
  test.each<[Release, object, string[]]>([
    ['1.13', { tunnel: 'disabled', 'enable-ipv4': 'true' }, []],
    [
      '1.15',
      { tunnel: 'disabled' },
      [
        '5:3 error renamed tunnel is gone since 1.15, which only logs that it does not know it: write routing-mode: native',
      ],
    ],
    [
      '1.20',
      { 'hubble-enabled': 'true' },
      ['5:3 error renamed hubble-enabled was never a key of Cilium: write enable-hubble'],
    ],
    [
      '1.9',
      { 'hubble-enabled': 'true' },
      ['5:3 error renamed hubble-enabled was never a key of Cilium: write enable-hubble'],
    ],
    ['1.20', { 'hubble-metrics': 'dns drop httpV2:labelsContext=a,b' }, []],
    [
      '1.20',
      { 'hubble-metrics': 'dns,drop' },
      ['5:19 error value hubble-metrics is a list with blanks between the metrics: "dns,drop" names none'],
    ],
    [
      '1.20',
      { 'enable-ipv6': false },
      ['5:16 error type enable-ipv6 is no text: the API server refuses a ConfigMap with it'],
    ],
    [
      '1.20',
      { 'enable-ipv6': 'yes' },
      ['5:16 warning value enable-ipv6 is "yes": a switch is "true" or "false"'],
    ],
    [
      '1.20',
      { 'kube-proxy-replacement': 'strict' },
      [
        '5:27 error value kube-proxy-replacement is "strict": 1.20 takes true or false; strict is written true today',
      ],
    ],
    [
      '1.20',
      { ipam: 'cluster-pool-v2beta' },
      ['5:9 error value ipam=cluster-pool-v2beta is gone since 1.15: write ipam=multi-pool'],
    ],
    ['1.20', { 'enable-egress-gateway': 'true' }, []],
    ['1.20', { 'bpf-ct-timeout-regular-tcp': '6h', 'http-retry-count': '3' }, []],
    ['1.20', { 'bpf-ct-timeout-regular-tcpp': '6h' }, [expect.stringContaining('warning unknown') as never]],
    [
      '1.12',
      { 'enable-egress-gateway': 'true' },
      [expect.stringContaining('5:3 warning removed enable-egress-gateway is gone since 1.11') as never],
    ],
    [
      '1.20',
      { 'unmanaged-pod-watcher-interval': '15' },
      ['5:35 error value unmanaged-pod-watcher-interval is a duration since 1.19: write "15s"'],
    ],
    ['1.18', { 'unmanaged-pod-watcher-interval': '15' }, []],
  ])('for %s of %j', async (release, data, findings) => {
    expect(await told(configMap({ ...data }), release)).toEqual(findings);
  });

  test.each([
    [
      'kind: ConfigMap\napiVersion: v1\nmetadata: {name: cilium-metrics}',
      'no release of Cilium reads a ConfigMap cilium-metrics',
    ],
    [
      'kind: ConfigMap\napiVersion: v1\nmetadata: {name: other}',
      'the ConfigMap other is not cilium-config: it was not looked at',
    ],
    ['kind: CiliumNetworkPolicy\napiVersion: cilium.io/v2', 'a CiliumNetworkPolicy is no configuration'],
    ['kind: DaemonSet\napiVersion: apps/v1', 'a DaemonSet is no configuration'],
  ])('of other objects it says what they are: %j', async (text, message) => {
    const { findings } = await check(text, '1.20');
    expect(findings).toEqual([expect.objectContaining({ severity: 'warning' })]);
    expect(findings[0]?.message).toContain(message);
  });

  test('what the chart makes belongs into its values', async () => {
    const resources = { requests: { cpu: '100m' } };
    const daemonSet = {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      spec: { template: { spec: { containers: [{ name: 'cilium-agent', resources }] } } },
    };
    const { findings } = await check(JSON.stringify(daemonSet), '1.20');
    expect(findings.map(({ code, hint }) => [code, hint])).toEqual([
      ['chart-owned', 'Write it in Helm\'s values: resources: {"requests":{"cpu":"100m"}}'],
    ]);
  });
});

describe('repairs', () => {
  test('names, values and comments go where they belong, and all else stays', async () => {
    const text = [
      '# the cluster',
      'kubeProxyReplacement: strict # full',
      '# no overlay',
      'tunnel: vxlan',
      '',
      'hubble:',
      '  tls:',
      '    # our CA',
      '    ca:',
      '      cert: abc',
      'masquerade: true',
      'other: [1, 2]',
      'tolerations:',
      '- key: a',
      '',
    ].join('\n');
    expect(await fixed(text, '1.20')).toBe(
      [
        '# the cluster',
        'kubeProxyReplacement: true # full',
        '# no overlay',
        'routingMode: tunnel',
        'tunnelProtocol: vxlan',
        '',
        'enableIPv4Masquerade: true',
        'enableIPv6Masquerade: true',
        'other: [1, 2]',
        'tolerations:',
        '- key: a',
        'tls:',
        '  ca:',
        '    # our CA',
        '    cert: abc',
        '',
      ].join('\n'),
    );
  });

  test('what is written under the new name already is not overwritten', async () => {
    const text = 'tunnel: disabled\nroutingMode: tunnel\n';
    expect(await fixed(text, '1.20')).toBe(text);
  });

  test('a ConfigMap stays one of texts', async () => {
    expect(await fixed(configMap({ tunnel: 'geneve', 'enable-ipv6': false }), '1.20')).toContain(
      'data:\n  routing-mode: "tunnel"\n  tunnel-protocol: geneve\n  enable-ipv6: "false"\n',
    );
  });

  test('every move that is repaired leads to a name that the release has', async () => {
    for (const release of ['1.10', '1.15', '1.20'] as const) {
      const minor = minorOf(release);
      for (const { old, gone } of facts.values.moved) {
        if (gone > minor || old.endsWith('*') || old === 'tunnel' || old === 'global.tunnel') continue;
        const value = old.split('.').reduceRight((inner: unknown, name) => ({ [name]: inner }), 'x');
        const text = JSON.stringify(value);
        const { findings } = await check(text, release);
        for (const { fix = [] } of findings)
          for (const change of fix)
            if (change.kind === 'rename')
              expect([
                release,
                old,
                change.to.join('.'),
                facts.values.has(change.to.join('.'), minor),
              ]).toEqual([release, old, change.to.join('.'), true]);
      }
    }
  });
});

test('no value that a release has is unknown, gone or not yet there in it', async () => {
  for (const release of KNOWN_RELEASES) {
    const names = facts.values
      .of(minorOf(release))
      .filter((name) => name !== 'kubeProxyReplacement' && name !== 'tunnel');
    const pairs = names.map((name) => `${name}=null`);
    const { findings } = await lintConfig([], parseSetPairs(pairs), facts, minorOf(release));
    expect([release, findings.filter(({ code }) => code !== 'doubled')]).toEqual([release, []]);
  }
});

test('a name that nobody has is never an error', async () => {
  const word = fc.stringMatching(/^[a-z][a-zA-Z]{1,12}$/);
  await fc.assert(
    fc.asyncProperty(word, word, fc.constantFrom(...KNOWN_RELEASES), async (first, second, release) => {
      const { findings } = await check(`zz${first}:\n  ${second}: 1\n`, release);
      expect(findings.map(({ severity, code }) => [severity, code])).toEqual([['warning', 'unknown']]);
    }),
  );
});

test('maps that pairs make are as full as those of a file', async () => {
  const pairs = ['hubble.tls.auto.method=certmanager', 'hubble.tls.auto.certManagerIssuerRef.name=x'];
  const { findings } = await lintConfig([], parseSetPairs(pairs), facts, 20);
  expect(findings).toEqual([]);
});

test.each([
  ['a.b=c,d={1,2}', { a: { b: 'c' }, d: [1, 2] }],
  ['a\\.b=x\\,y', { 'a.b': 'x,y' }],
  ['n=3,z=007,t=true,u=null', { n: 3, z: '007', t: true, u: null }],
  ['a=x=y', { a: 'x=y' }],
])('--set %s is read as Helm reads it', (text, expected) => {
  const plain = (given: readonly Given[]): object =>
    Object.fromEntries(
      given.map(({ path, value, children }) => [path.at(-1), children.length > 0 ? plain(children) : value]),
    );
  expect(plain(parseSetPairs([text]))).toEqual(expected);
});

describe('what nobody would write by chance', () => {
  test('names of what every object has are names that are not known', async () => {
    const text = 'constructor: true\noperator: {toString: 1}\n__proto__: {a: 1}\n';
    const map = configMap({ constructor: 'x', valueOf: 'y' });
    expect((await told(text, '1.20')).every((line) => line.includes('is not known'))).toBe(true);
    expect((await told(map, '1.20')).join('\n')).toMatch(/constructor.*\n.*valueOf/);
    const pod =
      'kind: DaemonSet\nspec: {template: {spec: {containers: [{name: constructor, resources: {}}, null]}}}\n';
    expect((await told(pod, '1.20')).join()).not.toContain('function');
  });

  test.each<[string, string, string]>([
    ['itself', 'a: &a {b: *a}\n', '*a stands for a part that it is in'],
    ['nothing', 'a: *b\nc: &b 1\n', '*b stands for nothing that is above it'],
    [
      'too much',
      Array.from(
        { length: 8 },
        (_, i) =>
          `k${i}: &k${i} [${Array(10)
            .fill(i === 0 ? '1' : `*k${i - 1}`)
            .join(', ')}]\n`,
      ).join(''),
      'its aliases stand for more than 1000000 parts',
    ],
  ])('an alias of %s', async (_, text, message) => {
    await expect(check(text, '1.20')).rejects.toThrow(message);
  });

  test('an alias may be used often', async () => {
    const text = `a: &a {x: 1}\nb: {${Array.from({ length: 200 }, (_, i) => `k${i}: *a`).join(', ')}}\n`;
    expect((await told(text, '1.20'))[0]).toContain('a is not known');
  });

  test.each(['{'.repeat(5000), Array(5000).fill('a').join('.')])('pairs that nest deeply: %#', (part) => {
    const pair = part.startsWith('{') ? `a=${part}${'}'.repeat(5000)}` : `${part}=1`;
    expect(() => parseSetPairs([pair])).toThrow('nested too deeply');
  });
});
