import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  isCiliumPolicyAffected,
  isNetworkPolicyAffected,
} from '../../../src/cluster/clustermesh/policies.ts';
import { run } from '../../helpers/run.ts';
import { type StubCluster, serveStub } from '../../helpers/stub-cluster.ts';

const LABEL = 'io.cilium.k8s.policy.cluster';

describe('a NetworkPolicy', () => {
  test.each([
    { spec: {}, affected: false, what: 'without peers' },
    { spec: { ingress: [{}] }, affected: false, what: 'from everywhere' },
    {
      spec: { ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }] },
      affected: false,
      what: 'from addresses',
    },
    { spec: { ingress: [{ from: [{ podSelector: {} }] }] }, affected: true, what: 'from all pods' },
    { spec: { egress: [{ to: [{ namespaceSelector: {} }] }] }, affected: true, what: 'to namespaces' },
    {
      spec: { ingress: [{ from: [{ podSelector: { matchLabels: { [LABEL]: 'c2' } } }] }] },
      affected: false,
      what: 'from a cluster',
    },
    {
      spec: { ingress: [{ from: [{ podSelector: { matchLabels: { [LABEL]: '' } } }] }] },
      affected: true,
      what: 'from a cluster without a name',
    },
    {
      spec: {
        egress: [{ to: [{ podSelector: { matchExpressions: [{ key: LABEL, operator: 'Exists' }] } }] }],
      },
      affected: false,
      what: 'to any cluster that is named',
    },
  ])('$what: $affected', ({ spec, affected }) => {
    expect(isNetworkPolicyAffected(spec)).toBe(affected);
  });
});

describe('a policy of Cilium', () => {
  // differs: clustermesh-inspect-nodes
  test.each([
    { rule: { ingress: [{}] }, affected: false, what: 'without peers' },
    {
      rule: { ingress: [{ fromEntities: ['all'], fromCIDR: ['10.0.0.0/8'] }] },
      affected: false,
      what: 'entities',
    },
    { rule: { ingress: [{ fromEndpoints: [] }] }, affected: false, what: 'no peers at all' },
    { rule: { ingress: [{ fromEndpoints: [{}] }] }, affected: true, what: 'all endpoints' },
    {
      rule: { egressDeny: [{ toEndpoints: [{ matchLabels: { app: 'a' } }] }] },
      affected: true,
      what: 'a denial',
    },
    { rule: { ingress: [{ fromNodes: [{}] }] }, affected: true, what: 'nodes' },
    {
      rule: { egress: [{ toNodes: [{ matchLabels: { [LABEL]: 'c2' } }] }] },
      affected: false,
      what: 'nodes of a cluster',
    },
    ...['', 'k8s:', 'any:'].map((source) => ({
      rule: { ingress: [{ fromEndpoints: [{ matchLabels: { [`${source}${LABEL}`]: 'c2' } }] }] },
      affected: false,
      what: `a cluster as "${source}"`,
    })),
    {
      rule: { ingress: [{ fromEndpoints: [{ matchLabels: { [`container:${LABEL}`]: 'c2' } }] }] },
      affected: true,
      what: 'the label of another source',
    },
    {
      rule: { ingress: [{ fromEndpoints: [{ matchLabels: { 'reserved:host': '' } }] }] },
      affected: false,
      what: 'a reserved label',
    },
    {
      rule: { ingress: [{ fromNodes: [{ matchLabels: { 'reserved:remote-node': '' } }] }] },
      affected: true,
      what: 'a reserved label of nodes',
    },
  ])('$what: $affected', ({ rule, affected }) => {
    expect(isCiliumPolicyAffected(rule, undefined)).toBe(affected);
    expect(isCiliumPolicyAffected(undefined, [{ ingress: [{}] }, rule])).toBe(affected);
  });
});

describe('clustermesh inspect-policy-default-local-cluster', () => {
  let cluster: StubCluster;
  const inspect = (...flags: string[]) =>
    run(['clustermesh', 'inspect-policy-default-local-cluster', ...flags], {
      env: { KUBECONFIG: cluster.kubeconfig },
    });
  const put = (path: string, namespace: string, name: string, spec: object) =>
    cluster.objects.set(`${path}/${name}`, {
      metadata: { name, ...(namespace && { namespace }) },
      spec,
    });
  beforeAll(async () => {
    cluster = await serveStub();
    const open = { ingress: [{ fromEndpoints: [{}] }] };
    for (const within of ['', '/namespaces/default']) {
      put(`/apis/cilium.io/v2${within}/ciliumnetworkpolicies`, 'default', 'web', open);
      put(`/apis/cilium.io/v2${within}/ciliumnetworkpolicies`, 'default', 'api', { ingress: [{}] });
      put(`/apis/networking.k8s.io/v1${within}/networkpolicies`, 'default', 'np', { egress: [{}] });
    }
    put('/apis/cilium.io/v2/ciliumclusterwidenetworkpolicies', '', 'all', open);
  });
  afterAll(async () => cluster[Symbol.asyncDispose]());

  // differs: clustermesh-inspect-order
  test('prints what cilium-cli prints', async () => {
    expect(await inspect('-A')).toEqual({
      stdout:
        '⚠️ CiliumNetworkPolicy 1/2\n\t✅ default/api\n\t⚠️ default/web\n\n⚠️ CiliumClusterWideNetworkPolicy 0/1\n\t⚠️ /all\n\n✅ NetworkPolicy 1/1\n\t✅ default/np\n',
      stderr: '',
      code: 0,
    });
    expect((await inspect()).stdout).toBe(
      '⚠️ CiliumNetworkPolicy 1/2\n\t✅ default/api\n\t⚠️ default/web\n\n✅ CiliumClusterWideNetworkPolicy 0/0\n\n✅ NetworkPolicy 1/1\n\t✅ default/np\n',
    );
    expect((await inspect('-n', 'elsewhere', '-o', 'json')).stdout).toBe('{}\n');
    expect(
      (await run(['clustermesh', 'inspect', '-A', '-o', 'json'], { env: { KUBECONFIG: cluster.kubeconfig } }))
        .stdout,
    ).toBe(`{
 "ciliumNetworkPolicies": {
  "default/api": false,
  "default/web": true
 },
 "ciliumClusterWideNetworkPolicies": {
  "/all": true
 },
 "networkPolicies": {
  "default/np": false
 }
}
`);
  });

  test('a kind that may not be listed is named', async () => {
    cluster.forbidden = /ciliumnetworkpolicies/;
    const { stdout, stderr, code } = await inspect();
    expect(stderr).toContain(
      'Unable to inspect policy default local cluster: Error listing Cilium network policies: User "u" cannot GET',
    );
    expect([stdout, code]).toEqual(['', 1]);
  });
});
