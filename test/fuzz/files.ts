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
import { type OpenTarget, packed, unpacked } from './target.ts';

const SCENARIOS = fileURLToPath(new URL('../../scenarios', import.meta.url));

/** The text with some of its values or some of its letters changed, as JSON or as YAML. */
function mutateDocument(text: string, random: Random): string {
  if (random.chance(0.3)) return mutateText(text, random);
  let value: unknown;
  try {
    value = parse(text);
  } catch {
    return mutateText(text, random);
  }
  const changed = mutateValue(structuredClone(value), random);
  if (random.chance(0.3)) return serialise(changed);
  const yaml = stringify(JSON.parse(JSON.stringify(changed) ?? 'null'));
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
    name: 'policy',
    weight: 4,
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

const UNDO = {
  version: 1,
  node: hostname(),
  at: '2026-01-01T00:00:00Z',
  items: [
    {
      id: 'rule 4 pref 9',
      kind: 'rule',
      what: 'IPv4 rule pref 9',
      restore: [{ do: 'run', command: ['ip', 'rule', 'add', 'pref', '9', 'lookup', '2004'] }],
    },
    {
      id: 'file /etc/cni/net.d/05-cilium.conflist',
      kind: 'file',
      what: '/etc/cni/net.d/05-cilium.conflist',
      restore: [{ do: 'write', path: '/etc/cni/net.d/05-cilium.conflist', mode: 384, base64: '' }],
    },
    {
      id: 'set',
      kind: 'ipset',
      what: 'set cilium_x',
      restore: [{ do: 'run', command: ['ipset', 'restore', '-exist'], stdin: 'create cilium_x hash:ip\n' }],
    },
  ],
  lost: [],
};

/** Undo files of cleanup, which are only shown. */
export const openUndo: OpenTarget = async (folder) => {
  const path = join(folder, 'undo');
  return {
    name: 'undo-file',
    weight: 2,
    make: (random) => ({
      argv: ['cleanup', 'undo', path, '--dry-run'],
      data: { undo: mutateJson(JSON.stringify(UNDO), random) },
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
    name: 'settings',
    weight: 2,
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
    name: 'scenario',
    weight: 1,
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
