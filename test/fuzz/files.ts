import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { errorMessage, UserError } from '../../src/errors.ts';
import { loadScenario } from '../../src/lab/scenario/load.ts';
import { fixture, fixturePath } from '../helpers/recordings.ts';
import { type RunResult, run } from '../helpers/run.ts';
import { mutateJson, mutateText, mutateValue, serialise } from './mutate.ts';
import type { Random } from './random.ts';
import { type Input, type OpenTarget, packed, unpacked } from './target.ts';

const SCENARIOS = fileURLToPath(new URL('../../scenarios', import.meta.url));

/** The text with some of its values or some of its letters changed, as JSON or as YAML. */
export function mutateDocument(text: string, random: Random): string {
  if (random.chance(0.3)) return mutateText(text, random);
  let value: unknown;
  try {
    value = parse(text);
  } catch {
    return mutateText(text, random);
  }
  const changed = mutateValue(structuredClone(value), random);
  if (random.chance(0.3)) return serialise(changed);
  let yaml: string;
  try {
    yaml = stringify(JSON.parse(JSON.stringify(changed) ?? 'null'));
  } catch {
    // Nothing writes YAML that deep.
    return serialise(changed);
  }
  return random.chance(0.3) ? mutateText(yaml, random) : yaml;
}

const CNP = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: web}, matchExpressions: [{key: tier, operator: In, values: [a, b]}]}
  ingress:
  - fromEndpoints: &who
    - matchLabels: {app: cart}
    toPorts:
    - ports: [{port: "80", protocol: TCP, endPort: 90}]
      rules: {http: [{method: GET, path: "/a.*"}]}
  egress:
  - toFQDNs: [{matchName: a.example}, {matchPattern: "*.b.example"}]
  - toCIDRSet: [{cidr: 10.0.0.0/8, except: [10.1.0.0/16]}]
    toPorts: [{ports: [{port: http}]}]
  - toEndpoints: *who
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: np, namespace: shop}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}, {namespaceSelector: {}}], ports: [{port: 80, endPort: 90}]}]
`;

/** Policies in YAML and JSON. */
export const openPolicies: OpenTarget = async (folder) => {
  const pol = fixturePath('recordings/pol');
  const texts = [
    CNP,
    CNP,
    ...readdirSync(pol)
      .filter((name) => /\.(?:json|yaml)$/.test(name))
      .map((name) => readFileSync(join(pol, name), 'utf8')),
  ];
  const path = join(folder, 'policy');
  return {
    make(random) {
      const argv = random.pick([
        ['policy', 'validate', path],
        ['policy', 'validate', path, '--verbose', '--color', 'always'],
        ['policy', 'validate', path, '-o', 'json'],
        ['policy', 'validate', path, '-o', 'junit'],
        ['policy', 'validate', path, '--target', random.pick(['1.9', '1.13', '1.17', '1.20'])],
        ['policy', 'simulate', '--rules', path, '--from', 'app=cart', '--to', 'app=web', '--port', '80'],
      ]);
      return { argv, data: { policy: mutateDocument(random.pick(texts), random) } };
    },
    run({ argv, data }, signal) {
      writeFileSync(path, unpacked(data.policy));
      return run(
        argv.map((word) => (word.endsWith('/policy') ? path : word)),
        { signal, cwd: folder },
      );
    },
  };
};

const VALUES = `# values
kubeProxyReplacement: strict # all of it
tunnel: vxlan
masquerade: &on true
global: {nodePort: {mode: dsr}, hostServices: {enabled: *on}}
hubble: &hubble
  # which
  metrics: {enabled: [dns, drop]}
  ui: {enabled: true}
  tls: {ca: {cert: a, key: b}}
hubble-relay: {<<: *hubble, numReplicas: 2}
ipam: {operator: {clusterPoolIPv4PodCIDR: 10.0.0.0/8}}
extraConfig: {tunnel: vxlan, "enable-ipv6": "no"}
tolerations:
- key: a
`;
const PAIRS =
  'kubeProxyReplacement=strict,tunnel=vxlan,a\\.b=c,hubble.metrics.enabled={dns,drop},list[0].x=1';

/** Helm values, ConfigMaps and other manifests, and pairs of --set. */
export const openLint: OpenTarget = async (folder) => {
  const notes = fixturePath('notes');
  const texts = [
    VALUES,
    VALUES,
    ...readdirSync(notes)
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => readFileSync(join(notes, name), 'utf8')),
  ];
  const path = join(folder, 'values');
  return {
    make(random): Input {
      const flags = random.pick([[], ['--fix'], ['-o', 'json'], ['-o', 'sarif'], ['--target', '1.13']]);
      if (random.chance(0.2))
        return { argv: ['config', 'lint', '--set', mutateText(PAIRS, random), ...flags], data: {} };
      return {
        argv: ['config', 'lint', path, ...flags],
        data: { values: mutateDocument(random.pick(texts), random) },
      };
    },
    run({ argv, data }, signal) {
      writeFileSync(path, unpacked(data.values));
      return run(
        argv.map((word) => (word.endsWith('/values') ? path : word)),
        { signal, cwd: folder },
      );
    },
  };
};

/** A step of each kind that a record may hold. */
export const STEPS: readonly { kind: string; step: object }[] = [
  {
    kind: 'rule',
    step: {
      bring: 'rule',
      family: 4,
      rule: { priority: 9, src: 'all', fwmark: '0x200', fwmask: '0xf00', table: '2004' },
    },
  },
  {
    kind: 'rule',
    step: { bring: 'local-rule', family: 6, rule: { priority: 100, src: 'all', table: 'local' } },
  },
  {
    kind: 'route',
    step: {
      bring: 'route',
      family: 4,
      route: {
        dst: '10.1.0.0/24',
        gateway: '10.0.0.10',
        dev: 'cilium_host',
        prefsrc: '10.0.0.10',
        flags: [],
        metrics: [{ mtu: 1450 }],
      },
    },
  },
  {
    kind: 'link',
    step: {
      bring: 'link',
      ends: [
        {
          link: {
            ifindex: 4,
            ifname: 'cilium_vxlan',
            flags: ['BROADCAST', 'UP'],
            mtu: 1450,
            address: '00:00:00:00:00:01',
            addr_info: [{ family: 'inet', local: '10.0.0.1', prefixlen: 32, scope: 'global' }],
            linkinfo: { info_kind: 'vxlan', info_data: { external: true, port: 8472 } },
          },
          neighbours: [
            { dst: '10.0.0.9', dev: 'cilium_vxlan', lladdr: '00:00:00:00:00:02', state: ['PERMANENT'] },
          ],
        },
      ],
    },
  },
  {
    kind: 'iptables',
    step: {
      bring: 'firewall',
      program: 'iptables-nft',
      table: 'filter',
      chains: ['CILIUM_INPUT'],
      inside: ['-A CILIUM_INPUT -j ACCEPT'],
      feeders: [{ chain: 'INPUT', rule: '-A INPUT -j CILIUM_INPUT', before: [], after: [] }],
    },
  },
  {
    kind: 'ipset',
    step: {
      bring: 'ipset',
      name: 'cilium_node_set_v4',
      lines: ['create cilium_node_set_v4 hash:ip', 'add cilium_node_set_v4 10.0.0.1'],
    },
  },
  {
    kind: 'xfrm',
    step: {
      bring: 'xfrm-policy',
      lines: [
        'src 10.0.0.0/24 dst 10.1.0.0/24',
        'dir out priority 0 ptype main',
        'mark 0x3e00/0xff00',
        'tmpl src 1.1.1.1 dst 2.2.2.2',
        'proto esp spi 0x00000003 reqid 1 mode tunnel',
      ],
    },
  },
  { kind: 'mount', step: { bring: 'mount', type: 'cgroup2', target: '/run/cilium/cgroupv2' } },
  {
    kind: 'folder',
    step: {
      bring: 'files',
      entries: [
        { path: '/var/run/cilium', kind: 'folder', mode: 0o755, uid: 0, gid: 0, mtimeMs: 0 },
        { path: '/var/run/cilium/l', kind: 'link', mode: 0o777, uid: 0, gid: 0, mtimeMs: 0, target: 'a' },
        { path: '/var/run/cilium/a', kind: 'file', mode: 0o600, uid: 0, gid: 0, mtimeMs: 0, base64: 'YQ==' },
        { path: '/var/run/cilium/b', kind: 'file', mode: 0o600, uid: 0, gid: 0, mtimeMs: 0, copy: '0' },
        { path: '/var/run/cilium/s', kind: 'socket', mode: 0o600, uid: 0, gid: 0, mtimeMs: 0 },
      ],
    },
  },
  {
    kind: 'file',
    step: { bring: 'rename', from: '/etc/cni/net.d/a.conf', to: '/etc/cni/net.d/a.conf.cilium_bak' },
  },
];

/** A record of some steps, each of them such as a cleanup wrote it. */
function undoOf(random: Random): string {
  const items = Array.from({ length: 1 + random.below(3) }, () => random.pick(STEPS)).map(
    ({ kind, step }, i) => ({ id: `${kind} ${i}`, kind, what: `${kind} of Cilium`, restore: [step] }),
  );
  return JSON.stringify({ version: 2, node: hostname(), at: '2026-01-01T00:00:00Z', items, lost: [] });
}

/** Undo files of cleanup: each step of them is checked and shown, and the judge looks at what is shown. */
export const openUndo: OpenTarget = async (folder) => {
  const path = join(folder, 'undo');
  return {
    make: (random) => ({
      argv: ['cleanup', 'undo', path, '--dry-run'],
      data: { undo: mutateJson(undoOf(random), random) },
    }),
    run({ data }, signal) {
      writeFileSync(path, unpacked(data.undo), { mode: 0o600 });
      return run(['cleanup', 'undo', path, '--dry-run'], { signal, cwd: folder });
    },
  };
};

/** States of the policy verbs, configuration files, etcd configurations. */
export const openSettings: OpenTarget = async (folder) => {
  const path = join(folder, 'settings');
  const state = debugInfo();
  const kinds: readonly { argv: string[]; text: string }[] = [
    {
      argv: ['hubble', '--config', path, 'config', 'view'],
      text: 'server: a:4245\ntls: true\ntimeout: 5s\n',
    },
    {
      argv: ['hubble', '--config', path, 'observe', '--print-raw-filters'],
      text: 'server: a:4245\nlast: 5\n',
    },
    { argv: ['--config', path, 'version'], text: 'host: unix:///nowhere\ndebug: false\n' },
    {
      argv: ['policy', 'simulate', '--state', path, '--from', 'app=a', '--to', 'app=b', '--port', '80'],
      text: state,
    },
    { argv: ['policy', 'maps', '--state', path], text: state },
    { argv: ['policy', 'unused', '--state', path, '--flows', '/dev/null'], text: state },
    {
      argv: ['policy', 'test', path],
      text: 'tests:\n- name: a\n  from: app=a\n  to: app=b\n  port: 80\n  expect: allowed\n',
    },
    {
      argv: ['kvstore', 'get', '--kvstore', 'etcd', '--kvstore-opt', `etcd.config=${path}`, 'x'],
      text: 'endpoints: [http://127.0.0.1:9]\ncert-file: /a\ncilium: {hostAliases: [{hostname: a, ips: [127.0.0.1]}]}\n',
    },
  ];
  return {
    make(random) {
      const { argv, text } = random.pick(kinds);
      const json = text.startsWith('{');
      return { argv, data: { settings: json ? mutateJson(text, random) : mutateDocument(text, random) } };
    },
    run({ argv, data }, signal) {
      writeFileSync(path, unpacked(data.settings));
      const here = argv.map((word) => word.replace(/[^=]*\/settings$/, path));
      return run(here, { signal, cwd: folder, env: { CILIUM_SOCK: '/nowhere' } });
    },
  };
};

function debugInfo(): string {
  const body = fixture<{ exchanges?: { request: { path: string }; response: { body: string } }[] }[]>(
    'recordings/agent-1.20.json',
  )
    .flatMap(({ exchanges = [] }) => exchanges)
    .find(({ request }) => request.path === '/v1/debuginfo')?.response.body;
  return body ?? JSON.stringify({ identities: [], endpoints: [] });
}

/** Scenarios of the lab. */
export const openScenarios: OpenTarget = async (folder) => {
  const texts = readdirSync(SCENARIOS)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => readFileSync(join(SCENARIOS, name), 'utf8'));
  const path = join(folder, 'scenario.yaml');
  const load = async (): Promise<RunResult> => {
    try {
      loadScenario(path, folder);
      return { stdout: '', stderr: '', code: 0 };
    } catch (error) {
      const fault = error instanceof UserError ? '' : 'a fault in the toolkit itself: ';
      return {
        stdout: '',
        stderr: `${fault}${errorMessage(error)}`.replaceAll(/[^\n\x20-\x7e]/g, '?'),
        code: 1,
      };
    }
  };
  return {
    make: (random) => ({
      argv: ['lab', 'start', '--scenario', path],
      data: { scenario: packed(Buffer.from(mutateDocument(random.pick(texts), random))) },
    }),
    run({ data }) {
      writeFileSync(path, unpacked(data.scenario));
      return load();
    },
  };
};
