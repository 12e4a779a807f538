import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startTestCluster, type TestCluster } from '../../helpers/cluster.ts';
import { answerJson, refusal, serveKube } from '../../helpers/kube.ts';
import { run } from '../../helpers/run.ts';

const CILIUM = '/apis/cilium.io/v2';
const SETS = {
  cnp: `${CILIUM}/namespaces/default/ciliumnetworkpolicies`,
  ccnp: `${CILIUM}/ciliumclusterwidenetworkpolicies`,
  netpol: '/apis/networking.k8s.io/v1/namespaces/default/networkpolicies',
};

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(async () => cluster[Symbol.asyncDispose]());

beforeEach(async () => {
  for (const [path, name] of [
    [SETS.cnp, 'web'],
    [SETS.cnp, 'only'],
    [SETS.ccnp, 'all'],
    [SETS.netpol, 'web'],
  ] as const) {
    await cluster.call('DELETE', `${path}/${name}`);
    const metadata = { name, ...(path !== SETS.ccnp && { namespace: 'default' }), labels: { set: 'a' } };
    const spec = path === SETS.netpol ? { podSelector: {} } : { endpointSelector: {}, ingress: [{}] };
    expect((await cluster.call('POST', path, { metadata, spec }, 'application/json')).status).toBe(201);
  }
});

const names = async () => (await cluster.run(['policy', 'get', '-A', '-l', 'set=a', '-o', 'name'])).stdout;
const ALL = [
  'ciliumnetworkpolicy.cilium.io/only',
  'ciliumnetworkpolicy.cilium.io/web',
  'ciliumclusterwidenetworkpolicy.cilium.io/all',
  'networkpolicy.networking.k8s.io/web',
];

describe('policy get of a cluster', () => {
  test('shows all kinds as kubectl does', async () => {
    const { stdout, stderr, code } = await cluster.run(['policy', 'get', '-A', '-l', 'set=a']);
    expect(stdout.replaceAll(/\d+s {3}/g, '0s   ').replaceAll(/\d+s$/gm, '0s')).toBe(
      `NAMESPACE   NAME                                 AGE   VALID
default     ciliumnetworkpolicy.cilium.io/only   0s    
default     ciliumnetworkpolicy.cilium.io/web    0s    

NAMESPACE   NAME                                           VALID
            ciliumclusterwidenetworkpolicy.cilium.io/all   

NAMESPACE   NAME                                  AGE
default     networkpolicy.networking.k8s.io/web   0s
`,
    );
    expect([stderr, code]).toEqual(['', 0]);
  });

  // differs: cluster-or-agent
  test('is what a kubeconfig leads to where no agent is on this machine', async () => {
    const env = { CILIUM_TARGET: '' };
    const { stdout, code } = await cluster.run(['policy', 'get', 'cnp/web', '-o', 'name'], { env });
    expect([stdout, code]).toEqual(['ciliumnetworkpolicy.cilium.io/web\n', 0]);
    const agent = await cluster.run(['policy', 'get', '--agent'], { env });
    expect(agent.stderr).toContain('no such socket');
    expect(agent.code).toBe(1);
    const socket = await cluster.run(['policy', 'get'], { env: { ...env, CILIUM_SOCK: '/nowhere.sock' } });
    expect(socket.stderr).toContain('unix:///nowhere.sock/v1/policy: no such socket');
  });

  test('one that is named is printed as itself, several as a list', async () => {
    const one = JSON.parse((await cluster.run(['policy', 'get', 'cnp/web', '-o', 'json'])).stdout);
    expect([one.kind, one.metadata.name]).toEqual(['CiliumNetworkPolicy', 'web']);
    const both = JSON.parse((await cluster.run(['policy', 'get', 'web', '-o', 'json'])).stdout);
    expect(both.items.map(({ kind }: { kind: string }) => kind)).toEqual([
      'CiliumNetworkPolicy',
      'NetworkPolicy',
    ]);
    expect((await cluster.run(['policy', 'get', 'all', '-o', 'yaml'])).stdout).toMatch(
      /^apiVersion: [\s\S]*[^\n]\n$/,
    );
  });

  test('each that is named and not there is told, of its kind, and the others are shown', async () => {
    const argv = ['policy', 'get', 'cnp/web', 'netpol/only', 'nope', '-o', 'name'];
    await cluster.call('DELETE', `${SETS.netpol}/web`);
    const { stdout, stderr, code } = await cluster.run([...argv, 'netpol/web']);
    expect([stdout, code]).toEqual(['ciliumnetworkpolicy.cilium.io/web\n', 1]);
    expect(stderr).toBe(`Error: there is no NetworkPolicy only in the namespace default
Error: there is no policy nope in the namespace default, and none of the whole cluster
Error: there is no NetworkPolicy web in the namespace default
What there is: cilium policy get -A
`);
  });

  test.each(['get', 'delete'])('help of policy %s says what -n means', async (verb) => {
    const { stdout } = await cluster.run(['policy', verb, '--help']);
    expect(stdout.match(/-n, --namespace .*/g)).toEqual([
      expect.stringContaining('Namespace of the objects'),
    ]);
  });

  test('-n is the namespace of the objects, and clusterwide ones are in none', async () => {
    const { stdout } = await cluster.run(['policy', 'get', '-n', 'elsewhere', '-l', 'set=a', '-o', 'name']);
    expect(stdout).toBe('ciliumclusterwidenetworkpolicy.cilium.io/all\n');
  });

  test('--agent and --node still show the rules of an agent', async () => {
    const [node = ''] = cluster.lab.info.kube?.nodes ?? [];
    expect((await cluster.run(['policy', 'get', '--node', node])).stdout).toMatch(
      /^\[[\s\S]*\nRevision: \d+\n$/,
    );
  });

  test.each<[string[], string]>([
    [['nope'], 'there is no policy nope in the namespace default, and none of the whole cluster'],
    [['pod/web'], '"pod/web" names no policy: expected [KIND/]NAME with cnp, ccnp or netpol as kind'],
    [['cnp/'], '"cnp/" names no policy'],
    [['netpol/only'], 'there is no NetworkPolicy only in the namespace default\n'],
    [['cnp/all'], 'there is no CiliumNetworkPolicy all in the namespace default\n'],
    [['ccnp/web'], 'there is no CiliumClusterwideNetworkPolicy web\n'],
    [['--agent', '-l', 'set=a'], '--selector is for the objects of a cluster: --cluster'],
    [['--agent', '-o', 'wide'], '-o wide is for the objects of a cluster'],
    [['--agent', '--cluster'], '--agent and --cluster cannot be used together'],
    [['--as-group', 'g'], '--as-group needs --as'],
    [['web', '-A'], 'names and --all-namespaces cannot be used together'],
    [['-A', '-n', 'x'], '--namespace and --all-namespaces cannot be used together'],
    [['--matching', 'web'], '--matching is for the rules of an agent'],
    [['web', '-l', 'set=a'], 'names and --selector cannot be used together'],
  ])('%j is refused', async (argv, message) => {
    const { stdout, stderr, code } = await cluster.run(['policy', 'get', ...argv]);
    expect(stderr).toContain(message);
    expect([stdout, code]).toEqual(['', 1]);
  });
});

describe('policy validate --live of a cluster', () => {
  test('checks what the API server holds, and names the object', async () => {
    const { stdout, code } = await cluster.run(['policy', 'validate', '--live']);
    expect([stdout, code]).toEqual(['All policy elements in the cluster are valid.\n', 0]);
    const { status } = await cluster.call('PATCH', `${SETS.cnp}/only`, {
      spec: { ingress: [{ icmps: [{ fields: [{ type: 8 }] }] }] },
    });
    expect(status).toBe(200);
    const wrong = await cluster.run(['policy', 'validate', '--live', '--cluster', '--target', '1.10']);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(/Cilium 1\.10 .*icmps|icmps.*1\.1/);
    expect(wrong.stderr).toContain('CiliumNetworkPolicy default/only');
  });

  test.each<[string[], string]>([
    [['--cluster', 'x.yaml'], '--cluster needs --live'],
    [['--live', 'x.yaml'], '--live checks what is in force and does not accept files'],
    [['--live', '--agent', '--cluster'], '--agent and --cluster cannot be used together'],
  ])('%j is refused', async (argv, message) => {
    const { stderr, code } = await cluster.run(['policy', 'validate', ...argv]);
    expect(stderr).toContain(message);
    expect(code).toBe(1);
  });
});

describe('policy import --via kubernetes --diff', () => {
  const object = (spec: object, name = 'only') => ({
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: { name, namespace: 'default', labels: { set: 'a' } },
    spec,
  });
  const diff = (items: object[], ...flags: string[]) =>
    cluster.run(['policy', 'import', '--via', 'kubernetes', '-', '--diff', ...flags], {
      stdin: JSON.stringify({ kind: 'List', items }),
    });
  const CHANGED = {
    endpointSelector: { matchLabels: { app: 'web' } },
    ingress: [{ fromEntities: ['host'] }],
  };

  test('shows a dry run field by field, and changes nothing', async () => {
    const given = [object(CHANGED), object(CHANGED, 'fresh')];
    const { stdout, stderr, code } = await diff(given, '--dry-run', '--force-conflicts');
    expect(stdout).toContain(
      `CiliumNetworkPolicy default/only:
  + spec.endpointSelector.matchLabels: {"app":"web"}
  + spec.ingress[0].fromEntities: ["host"]
CiliumNetworkPolicy default/fresh: new
`,
    );
    expect([stderr, code]).toEqual(['', 0]);
    const { json } = await cluster.call('GET', `${SETS.cnp}/only`);
    expect((json as { spec: object }).spec).toEqual({ endpointSelector: {}, ingress: [{}] });
  });

  test('tells on stderr before it applies, and then that nothing changes', async () => {
    const first = await diff([object(CHANGED)], '--force-conflicts');
    expect(first.stderr).toContain('  + spec.ingress[0].fromEntities: ["host"]\n');
    expect(first.stdout).toBe('CiliumNetworkPolicy default/only applied\n');
    expect((await diff([object(CHANGED)])).stderr).toBe('CiliumNetworkPolicy default/only: no change\n');
  });
});

describe('policy delete of a cluster', () => {
  const undo = join(tmpdir(), `undo-${process.pid}.json`);
  beforeEach(() => rmSync(undo, { force: true }));
  afterAll(() => rmSync(undo, { force: true }));

  test('deletes what is named, and keeps it for an import', async () => {
    const before = await names();
    expect(before.trim().split('\n')).toEqual(ALL);
    const { stdout, stderr, code } = await cluster.run([
      ...['policy', 'delete', '--cluster', 'cnp/web', 'ccnp/all', 'cnp/web', '--undo-file', undo],
    ]);
    expect(stdout).toBe(
      'CiliumNetworkPolicy default/web deleted\nCiliumClusterwideNetworkPolicy all deleted\n',
    );
    expect([stderr, code]).toEqual([
      `To bring them back: cilium policy import --via kubernetes ${undo}\n`,
      0,
    ]);
    expect((await names()).trim().split('\n')).toEqual([ALL[0], ALL[3]]);
    const kept = JSON.parse(readFileSync(undo, 'utf8'));
    expect(kept.items.map(({ metadata }: { metadata: object }) => Object.keys(metadata).sort())).toEqual([
      ['labels', 'name', 'namespace'],
      ['labels', 'name'],
    ]);
    expect((await cluster.run(['policy', 'import', '--via', 'kubernetes', undo])).code).toBe(0);
    expect(await names()).toBe(before);
  });

  test('by labels, in one namespace or everywhere; a dry run changes nothing', async () => {
    const dry = await cluster.run(['policy', 'delete', '--cluster', '-l', 'set=a', '--dry-run']);
    expect(dry.stdout.match(/ deleted \(dry run\)$/gm)).toHaveLength(4);
    expect((await names()).trim().split('\n')).toEqual(ALL);
    const run = ['policy', 'delete', '--cluster', '-l', 'set=a', '-n', 'default', '--undo-file', undo];
    expect((await cluster.run(run)).stdout.match(/ deleted$/gm)).toHaveLength(3);
    expect(await names()).toBe('ciliumclusterwidenetworkpolicy.cilium.io/all\n');
  });

  test('leaves out of the undo file what owners and controllers keep, and says what finalizers hold', async () => {
    await cluster.call('PATCH', `${SETS.cnp}/only`, {
      metadata: {
        finalizers: ['example.com/a\nError: forged'],
        ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'gone', uid: 'u' }],
        annotations: { 'meta.helm.sh/release-name': 'shop\nError: forged' },
      },
    });
    const run = ['policy', 'delete', '--cluster', 'only', '--undo-file', undo];
    const { stderr, code } = await cluster.run(run);
    expect(stderr.split('\n')).toEqual([
      'CiliumNetworkPolicy default/only is kept by Helm (shop\\nError: forged): it may come back, so delete it there too.',
      'CiliumNetworkPolicy default/only goes when its finalizers have run: example.com/a\\nError: forged',
      `To bring them back: cilium policy import --via kubernetes ${undo}`,
      '',
    ]);
    expect(code).toBe(0);
    const [{ metadata }] = JSON.parse(readFileSync(undo, 'utf8')).items;
    expect(Object.keys(metadata).sort()).toEqual(['annotations', 'labels', 'name', 'namespace']);
  });

  test('an import into the cluster waits until every node has realized it, and names those that do not', async () => {
    const object = (entity: string) =>
      JSON.stringify({
        apiVersion: 'cilium.io/v2',
        kind: 'CiliumNetworkPolicy',
        metadata: { name: 'waited', namespace: 'default' },
        spec: { endpointSelector: {}, ingress: [{ fromEntities: [entity] }] },
      });
    const wait = (entity: string, ...flags: string[]) =>
      cluster.run(['policy', 'import', '--via', 'kubernetes', '--wait', ...flags, '-'], {
        stdin: object(entity),
      });
    // New, changed, and as it is.
    // Time does not pass here between two looks.
    for (const [entity = '', outcome] of [
      ['host', 'applied'],
      ['world', 'applied'],
      ['world', 'unchanged'],
    ])
      expect(await wait(entity, '--wait-timeout', '30m')).toEqual({
        stdout: `CiliumNetworkPolicy default/waited ${outcome}\nrealized on 3 of 3 nodes\n`,
        stderr: '',
        code: 0,
      });
    expect((await wait('host', '--dry-run')).stdout).toBe(
      'CiliumNetworkPolicy default/waited applied (dry run)\n',
    );
    const { json } = await cluster.call(
      'GET',
      '/api/v1/namespaces/kube-system/pods?labelSelector=k8s-app%3Dcilium',
    );
    const [pod] = (json as { items: { metadata: { name: string }; spec: { nodeName: string } }[] }).items;
    await cluster.call('PATCH', `/api/v1/namespaces/kube-system/pods/${pod?.metadata.name}`, {
      status: {
        containerStatuses: [{ name: 'cilium-agent', state: { waiting: { reason: 'CrashLoopBackOff' } } }],
      },
    });
    const { stdout, stderr, code } = await wait('cluster', '--wait-timeout', '30m');
    expect(stdout).toBe('CiliumNetworkPolicy default/waited applied\n');
    expect(stderr).toMatch(/^Error: realized on 2 of 3 nodes after \d+ s\n/);
    expect(stderr).toContain(`${pod?.spec.nodeName}: the container waits: CrashLoopBackOff\n`);
    expect(code).toBe(1);
  });

  test('says who keeps a policy that somebody else has made', async () => {
    await cluster.call('PATCH', `${SETS.cnp}/only`, {
      metadata: { labels: { 'argocd.argoproj.io/instance': 'shop' } },
    });
    const { stderr } = await cluster.run(['policy', 'delete', '--cluster', 'only', '--dry-run']);
    expect(stderr).toBe(
      'CiliumNetworkPolicy default/only is kept by Argo CD (shop): it may come back, so delete it there too.\n',
    );
  });

  test.each<[string[], string]>([
    [[], 'expected names of policies, as [KIND/]NAME, or --selector'],
    [['-l', ' '], 'expected names of policies'],
    [['web', '-l', 'set=a'], 'expected names of policies'],
    [['--all'], '--all is for the rules of an agent'],
    [['-l', 'set=none'], 'no policy has the labels set=none'],
    [
      ['web'],
      'web is the name of several policies: CiliumNetworkPolicy default/web, NetworkPolicy default/web',
    ],
    [['cnp/web', '--undo-file', '/'], '--undo-file: / exists'],
    [['cnp/web', '--node', 'n1'], '--cluster asks the API server'],
    [['-o', 'json', 'cnp/web'], '-o is for what an agent answers'],
  ])('%j is refused, and nothing goes', async (argv, message) => {
    const { stdout, stderr, code } = await cluster.run(['policy', 'delete', '--cluster', ...argv]);
    expect(stderr).toContain(message);
    expect([stdout, code]).toEqual(['', 1]);
    expect((await names()).trim().split('\n')).toEqual(ALL);
  });
});

describe('a cluster that refuses, or does not answer', () => {
  test('of a kind that may not be listed nothing is claimed', async () => {
    await using server = await serveKube(({ url = '' }, response) => {
      if (!url.includes('/ciliumnetworkpolicies')) return answerJson(response, { items: [] });
      return answerJson(response, refusal(403, 'Forbidden', 'no right\nError: forged'), 403);
    });
    const env = { KUBECONFIG: server.kubeconfig, CILIUM_TARGET: 'cluster' };
    for (const argv of [['cnp/x'], ['x'], []]) {
      const { stdout, stderr, code } = await run(['policy', 'get', ...argv, '-o', 'name'], { env });
      expect([stdout, code]).toEqual(['', 1]);
      expect(stderr).toMatch(/^Error: .*no right\\nError: forged.*\n$/);
    }
    const other = await run(['policy', 'get', 'cnp/x', 'netpol/y', '-o', 'name'], { env });
    expect(other.stderr).toContain('\nError: there is no NetworkPolicy y in the namespace default\n');
  });

  test('a deletion that is stopped says where the policies are kept', async () => {
    const stop = new AbortController();
    const items = ['a', 'b'].map((name) => ({ metadata: { name, namespace: 'default', uid: name } }));
    await using server = await serveKube(({ method, url = '' }, response) => {
      if (method === 'DELETE' && url.endsWith('/b')) return stop.abort(new Error('stopped'));
      return answerJson(
        response,
        method === 'GET' && url.includes('/networkpolicies') ? { items } : { items: [] },
      );
    });
    const undo = join(tmpdir(), `undo-stopped-${process.pid}.json`);
    const { stdout, stderr, code } = await run(
      ['policy', 'delete', '--cluster', 'netpol/a', 'netpol/b', '--undo-file', undo],
      { env: { KUBECONFIG: server.kubeconfig }, signal: stop.signal },
    );
    rmSync(undo);
    expect(stdout).toBe('NetworkPolicy default/a deleted\n');
    expect([stderr, code]).toEqual([
      `To bring them back: cilium policy import --via kubernetes ${undo}\n`,
      130,
    ]);
  });
});
