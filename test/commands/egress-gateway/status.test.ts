import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type ProgramCluster, type Ran, servePrograms } from '../../helpers/agent-programs.ts';
import { run } from '../../helpers/run.ts';

const GROUP = '/apis/cilium.io/v2';
const list = (items: object[]) => ({ metadata: {}, items });
const POLICY = {
  metadata: { name: 'out' },
  spec: {
    selectors: [{ podSelector: { matchLabels: { app: 'a' } } }],
    destinationCIDRs: ['0.0.0.0/0'],
    egressGateway: { nodeSelector: { matchLabels: { egress: 'yes' } }, egressIP: '203.0.113.1' },
  },
};
const row = (EgressIP: string, GatewayIP = '192.168.0.1') => [
  { SourceIP: '10.0.2.5', DestCIDR: '0.0.0.0/0', EgressIP, GatewayIP },
];

let answers: Record<string, Ran>;
let objects: Record<string, unknown>;
let cluster: ProgramCluster;
beforeEach(async () => {
  answers = {
    n1: { stdout: JSON.stringify(row('203.0.113.1')) },
    n2: { stdout: JSON.stringify(row('0.0.0.0')) },
  };
  objects = {
    [`${GROUP}/ciliumegressgatewaypolicies`]: list([POLICY]),
    [`${GROUP}/ciliumnodes`]: list(
      ['n1', 'n2'].map((name, i) => ({
        metadata: { name, labels: i === 0 ? { egress: 'yes' } : {} },
        spec: { addresses: [{ type: 'InternalIP', ip: `192.168.0.${i + 1}` }] },
      })),
    ),
    '/api/v1/nodes': list([
      { metadata: { name: 'n1' }, status: { conditions: [{ type: 'Ready', status: 'True' }] } },
    ]),
    [`${GROUP}/ciliumendpoints`]: list([
      {
        metadata: { namespace: 'default', name: 'a' },
        status: {
          identity: { id: 7, labels: ['k8s:app=a'] },
          networking: { node: '192.168.0.2', addressing: [{ ipv4: '10.0.2.5' }] },
        },
      },
    ]),
  };
  cluster = await servePrograms(
    ['n2', 'n1'].map((node) => ({ name: `cilium-${node}`, node, run: () => answers[node] })),
    new Proxy({}, { get: (_, path) => objects[String(path)] }),
  );
});
afterEach(async () => cluster[Symbol.asyncDispose]());

const status = (...argv: string[]) => run(['egress-gateway', 'status', ...argv], { env: cluster.env });

test('which gateway nodes take', async () => {
  expect(await status()).toEqual({
    stdout: `POLICY   PODS   GATEWAY            EGRESS IP     SEEN BY
out      1      n1 (192.168.0.1)   203.0.113.1   2 of 2
`,
    stderr: '',
    code: 0,
  });
  expect(cluster.ran.toSorted()[0]).toBe('cilium-n1: cilium-dbg bpf egress list -o json');
  const { policies, problems, unread } = JSON.parse(
    (await run(['egress', 'status', '-o', 'json'], { env: cluster.env })).stdout,
  );
  expect([policies[0].gateways[0].node, problems, unread]).toEqual(['n1', [], []]);
});

test('what is wrong with it', async () => {
  const conditions = [{ type: 'Ready', status: 'Unknown', message: 'Kubelet stopped posting node status.' }];
  objects['/api/v1/nodes'] = list([{ metadata: { name: 'n1' }, status: { conditions } }]);
  answers.n2 = { stderr: 'Cannot find egress gateway bpf maps\n' };
  const { stdout, code } = await status();
  expect(code).toBe(1);
  expect(stdout.split('\n\n')[1]).toBe(`POLICY   NODE   PROBLEM
-        n2     egress gateways are disabled there: its pods take none
out      n1     it is the gateway, and cannot be reached: the node is not ready: Kubelet stopped posting node status.
`);
});

test('what was not read', async () => {
  answers.n2 = { stderr: 'Error: permission denied\n', code: 1 };
  const some = await status();
  expect([some.stdout.includes('1 of 1'), some.stderr, some.code]).toEqual([
    true,
    'n2: not read: permission denied\n',
    3,
  ]);
  answers.n1 = { stdout: '{"a":1}' };
  const none = await status();
  expect(none.code).toBe(1);
  expect(none.stderr).toContain('no node was read');
});

test('no policies', async () => {
  objects[`${GROUP}/ciliumegressgatewaypolicies`] = list([]);
  answers = { n1: { stdout: 'null\n' }, n2: { stdout: '[]' } };
  expect(await status()).toEqual({
    stdout: '',
    stderr: 'The cluster has no egress gateway policies\n',
    code: 0,
  });
});
