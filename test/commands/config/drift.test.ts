import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { agentOf, type MadeAgent } from '../../helpers/agent.ts';
import { refusal } from '../../helpers/kube.ts';
import { spawning } from '../../helpers/kubelet.ts';
import { configCluster, type Override } from './cluster.ts';

const NS = '/api/v1/namespaces/kube-system';
const STARTED = '2026-03-01T00:00:00Z';
const BEFORE = '2026-02-01T00:00:00Z';
const AFTER = '2026-04-01T00:00:00Z';
const AGAIN = '2026-05-01T00:00:00Z';

const running = {
  options: { Debug: 'Disabled', MonitorAggregationLevel: 'Medium' },
  fields: {
    ClusterName: 'prod',
    EnableIPv4: true,
    EnableIPv6: false,
    IdentityChangeGracePeriod: 5_000_000_000,
    BPFRoot: '',
    Devices: ['eth0', 'eth1'],
    EnableBPFMasquerade: false,
  },
};
const answer = ({ options, fields }: { options: object; fields: object }) => ({
  'GET /v1/config': {
    body: {
      spec: {},
      status: { realized: { options, 'policy-enforcement': 'default' }, daemonConfigurationMap: fields },
    },
  },
});
const SAME = {
  'cluster-name': 'prod',
  'enable-ipv4': 'true',
  debug: 'false',
  'monitor-aggregation': 'medium',
  'identity-change-grace-period': '5s',
  devices: 'eth1 eth0',
};

let agents: Record<string, MadeAgent>;
beforeAll(async () => {
  agents = {
    'cilium-n1': await agentOf(answer(running)),
    'cilium-n2': await agentOf(
      answer({
        options: { ...running.options, Debug: 'Enabled' },
        fields: { ...running.fields, EnableIPv6: true },
      }),
    ),
    'cilium-n4': await agentOf({ 'GET /v1/config': () => undefined }),
  };
});
afterAll(async () => {
  for (const agent of Object.values(agents)) await agent[Symbol.asyncDispose]();
});

interface Made {
  data: Record<string, string>;
  helm?: Record<string, string>;
  nodes?: string[];
  /** Keys that were written after the agents started. */
  later?: string[];
  nodeConfigs?: object[];
  image?: string;
  override?: Override;
  /** When the agent's container started for the last time. */
  again?: string;
  /** Whether an init container reads the configuration. */
  hasReader?: boolean;
}

const managed = (keys: readonly string[], time: string) => ({
  manager: 'helm',
  operation: 'Update',
  time,
  fieldsV1: { 'f:data': Object.fromEntries(keys.map((key) => [`f:${key}`, {}])) },
});

/** A release as Helm packs it. */
const packed = (manifest: string) =>
  Buffer.from(
    gzipSync(
      JSON.stringify({
        name: 'cilium',
        version: 2,
        info: { status: 'deployed' },
        chart: { metadata: { name: 'cilium', version: '1.20.1' } },
        config: { debug: { enabled: false } },
        manifest,
      }),
    ).toString('base64'),
  ).toString('base64');

function clusterOf({
  data,
  helm,
  nodes = ['n1'],
  later = [],
  nodeConfigs = [],
  image = 'v1.20.1',
  override,
  again = STARTED,
  hasReader = true,
}: Made) {
  const manifest = `---\nkind: ConfigMap\napiVersion: v1\nmetadata: {name: other}\n---\nkind: ConfigMap\napiVersion: v1\nmetadata:\n  name: cilium-config\ndata: ${JSON.stringify(helm)}\n`;
  const fixed: Record<string, object> = {
    'GET /apis/apps/v1/namespaces/kube-system/daemonsets': {
      items: [
        {
          metadata: { name: 'cilium', namespace: 'kube-system' },
          spec: {
            template: { spec: { containers: [{ name: 'cilium-agent', image: `quay.io/cilium:${image}` }] } },
          },
        },
      ],
    },
    'GET /api/v1/nodes': {
      items: nodes.map((name) => ({ metadata: { name, labels: { zone: name === 'n1' ? 'a' : 'b' } } })),
    },
    [`GET ${NS}/pods`]: {
      items: nodes
        .filter((node) => node !== 'n3')
        .map((node) => ({
          metadata: { name: `cilium-${node}`, namespace: 'kube-system' },
          spec: { nodeName: node },
          status: {
            phase: 'Running',
            startTime: BEFORE,
            containerStatuses: [{ name: 'cilium-agent', state: { running: { startedAt: again } } }],
            ...(hasReader && {
              initContainerStatuses: [{ name: 'config', state: { terminated: { finishedAt: STARTED } } }],
            }),
          },
        })),
    },
    'GET /apis/cilium.io/v2/namespaces/kube-system/ciliumnodeconfigs': { items: nodeConfigs },
    [`GET ${NS}/secrets`]: {
      items: helm
        ? ['v1', 'v2', 'v10'].map((revision) => ({
            metadata: {
              name: `sh.helm.release.v1.cilium.${revision}`,
              labels: {
                status:
                  revision === 'v10' ? 'pending-upgrade' : revision === 'v2' ? 'deployed' : 'superseded',
              },
            },
          }))
        : [],
    },
    [`GET ${NS}/secrets/sh.helm.release.v1.cilium.v2`]: { data: { release: packed(manifest) } },
  };
  const early = Object.keys(data).filter((key) => !later.includes(key));
  return configCluster(
    { data, metadata: { managedFields: [managed(early, BEFORE), managed(later, AFTER)] } },
    (call, body) => override?.(call, body) ?? (fixed[call] ? { body: fixed[call] } : undefined),
    (socket, url) => {
      const pod = /\/pods\/([^/]+)\/exec/.exec(url.pathname)?.[1] ?? '';
      spawning((word) => (word === '/var/run/cilium/cilium.sock' ? (agents[pod]?.socket ?? word) : word))(
        socket,
        url,
      );
    },
  );
}

const rowsOf = (stdout: string) =>
  JSON.parse(stdout).rows as { node: string; key: string; verdict: string }[];

test('without a difference there is no drift', async () => {
  await using cluster = await clusterOf({ data: SAME, helm: SAME });
  expect(await cluster.run(['config', 'drift'])).toEqual({
    stdout: '',
    stderr: 'No drift on 1 of 1 nodes. 0 keys are not told by the agents and were not compared with them.\n',
    code: 0,
  });
});

test('each layer has its column, and each key its verdict', async () => {
  await using cluster = await clusterOf({
    data: {
      ...SAME,
      debug: 'true',
      'enable-ipv6': 'true',
      tunnel: 'vxlan',
      'kube-proxy-replacement': 'strict',
    },
    helm: { ...SAME, 'enable-ipv6': 'true', tunnel: 'vxlan', 'kube-proxy-replacement': 'strict' },
    later: ['enable-ipv6'],
  });
  const { stdout, stderr, code } = await cluster.run(['config', 'drift']);
  expect(code).toBe(1);
  expect(
    stdout
      .replace(/ +\n/g, '\n')
      .split('\n')
      .map((line) => line.replace(/ {2,}/g, '|')),
  ).toEqual([
    'NODE|KEY|HELM|CONFIGMAP|NODECONFIG|AGENT|VERDICT',
    '*|debug|false|true|-|-|not from Helm: the next helm upgrade sets it back',
    'n1|debug|false|true|-|Disabled|applies at once: cilium config Debug=true --node n1',
    'n1|enable-ipv6|true|true|-|false|restart needed: not on a live cluster: connected pods would be cut off',
    expect.stringMatching(
      /^n1\|kube-proxy-replacement\|strict\|strict\|-\|-\|refused: kube-proxy-replacement is "strict"/,
    ),
    expect.stringMatching(/^n1\|tunnel\|vxlan\|vxlan\|-\|-\|unknown key: tunnel is gone since 1\.15/),
    '',
  ]);
  expect(stderr).toContain('The configuration was written after the agents of 1 nodes started: n1\n');
  expect(stderr).toContain('Drift on 1 of 1 nodes, and between Helm and the ConfigMap. ');
});

test('counts the nodes that drifted, not those that were read', async () => {
  await using one = await clusterOf({ data: SAME, nodes: ['n1', 'n2'] });
  expect((await one.run(['config', 'drift'])).stderr).toContain('Drift on 1 of 2 nodes. ');
  await using none = await clusterOf({ data: SAME, helm: { ...SAME, more: 'x' } });
  expect((await none.run(['config', 'drift'])).stderr).toContain(
    'Drift between Helm and the ConfigMap, none on 1 of 1 nodes. ',
  );
});

test('the release that runs decides which keys are known', async () => {
  await using cluster = await clusterOf({ data: { ...SAME, tunnel: 'vxlan' }, image: '1.13.2' });
  const { code, stderr } = await cluster.run(['config', 'drift']);
  expect([code, stderr]).toEqual([0, expect.stringContaining('1 keys are not told by the agents')]);
});

test('what an agent was started with and tells otherwise is no drift: it changed it, or does not fill it in', async () => {
  await using cluster = await clusterOf({
    data: { ...SAME, 'bpf-root': '/sys/fs/bpf', 'enable-bpf-masquerade': 'true' },
  });
  const { stdout, code } = await cluster.run(['config', 'drift', '-o', 'json']);
  expect([rowsOf(stdout), code]).toEqual([[], 0]);
  expect(JSON.parse(stdout).adjusted.map(({ key }: { key: string }) => key)).toEqual([
    'bpf-root',
    'enable-bpf-masquerade',
  ]);
});

test('an agent that has no init container reads the configuration anew whenever it starts', async () => {
  const made = { data: { ...SAME, 'enable-ipv6': 'true' }, later: ['enable-ipv6'], again: AGAIN };
  await using reads = await clusterOf({ ...made, hasReader: false });
  expect((await reads.run(['config', 'drift'])).code).toBe(0);
  await using doesNot = await clusterOf(made);
  expect((await doesNot.run(['config', 'drift'])).code).toBe(1);
});

test('a node configuration counts before the ConfigMap, on the nodes that it selects', async () => {
  const nodeConfig = {
    metadata: { name: 'v6', managedFields: [{ time: AFTER, fieldsV1: {} }] },
    spec: {
      nodeSelector: { matchLabels: { zone: 'b' } },
      defaults: { 'enable-ipv6': 'true', debug: 'true' },
    },
  };
  await using cluster = await clusterOf({
    data: { ...SAME, 'enable-ipv6': 'false' },
    nodes: ['n1', 'n2'],
    nodeConfigs: [nodeConfig],
  });
  // The agent of n2 has both, that of n1 neither.
  expect((await cluster.run(['config', 'drift'])).code).toBe(0);
  await using other = await clusterOf({
    data: { ...SAME, 'enable-ipv6': 'false' },
    nodeConfigs: [{ ...nodeConfig, spec: { ...nodeConfig.spec, nodeSelector: {} } }],
  });
  const { stdout } = await other.run(['config', 'drift', '-o', 'json']);
  expect(rowsOf(stdout).map(({ node, key, verdict }) => [node, key, verdict])).toEqual([
    ['n1', 'debug', 'applies at once'],
    ['n1', 'enable-ipv6', 'restart needed'],
  ]);
  expect(JSON.parse(stdout).rows[1]).toMatchObject({
    configMap: 'false',
    nodeConfig: 'true',
    agent: 'false',
  });
});

describe('a node that was not read', () => {
  test('is told, and is never without drift', async () => {
    await using cluster = await clusterOf({ data: SAME, nodes: ['n1', 'n3', 'n4'] });
    const { stdout, stderr, code } = await cluster.run(['config', 'drift', '--timeout', '10s']);
    expect([stdout, code]).toEqual(['', 3]);
    expect(stderr).toContain('n3: not read: no agent of Cilium runs there\n');
    expect(stderr).toMatch(/n4: not read: .*no answer within 10 s/);
    expect(stderr).toContain('No drift on 1 of 3 nodes.');
  });

  test('leaves nothing to say where it is the only one', async () => {
    await using cluster = await clusterOf({ data: SAME, nodes: ['n3'] });
    const { stderr, code } = await cluster.run(['config', 'drift']);
    expect(code).toBe(3);
    expect(stderr).toContain('None of 1 nodes was read: whether they drift is not known.\n');
    expect(stderr).not.toContain('No drift');
  });

  test('does not hide the drift of others', async () => {
    await using cluster = await clusterOf({ data: { ...SAME, debug: 'true' }, nodes: ['n1', 'n3'] });
    const { stdout, code } = await cluster.run(['config', 'drift', '-o', 'json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout).unread).toEqual([{ node: 'n3', error: 'no agent of Cilium runs there' }]);
  });
});

test('layers that may not be read are left out, and it is said', async () => {
  const forbidden = (what: string) => ({
    status: 403,
    body: refusal(403, 'Forbidden', `User "v" cannot list resource "${what}"`),
  });
  await using cluster = await clusterOf({
    data: SAME,
    override: (call) => {
      if (call.endsWith('/secrets')) return forbidden('secrets');
      return call.endsWith('/ciliumnodeconfigs') ? forbidden('ciliumnodeconfigs') : undefined;
    },
  });
  const { stderr, code } = await cluster.run(['config', 'drift']);
  expect(code).toBe(3);
  expect(stderr).toContain('Note: what Helm wrote is left out: User "v" cannot list resource "secrets"');
  expect(stderr).toContain(
    'Note: CiliumNodeConfigs are left out: User "v" cannot list resource "ciliumnodeconfigs"',
  );
});

test('what all nodes have alike is one line', async () => {
  await using cluster = await clusterOf({
    data: { ...SAME, 'cluster-name': 'new' },
    later: ['cluster-name'],
    nodes: ['n1', 'n2'],
  });
  const { stdout } = await cluster.run(['config', 'drift']);
  expect(stdout).toMatch(/^all 2 +cluster-name +- +new +- +prod +restart needed/m);
  expect(stdout).toMatch(/^n2 +debug +- +false +- +Enabled +applies at once/m);
});

test('numbers beyond 2^53 are told whole, and keys may be called as what every object has', async () => {
  const body = JSON.stringify(answer(running)['GET /v1/config'].body).replace(
    '5000000000',
    '9223372036854775807',
  );
  agents['cilium-n5'] = await agentOf({ 'GET /v1/config': { text: body } });
  await using cluster = await clusterOf({
    data: { ...SAME, 'identity-change-grace-period': '6s', valueOf: 'x' },
    helm: { ...SAME, constructor: 'x' },
    later: ['identity-change-grace-period'],
    nodes: ['n5'],
  });
  const { stdout, stderr, code } = await cluster.run(['config', 'drift']);
  expect([stderr.includes('fault'), code]).toEqual([false, 1]);
  expect(stdout).toContain('9223372036854775807');
  expect(stdout).toMatch(/constructor +x +- +/);
});
