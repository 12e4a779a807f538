import { expect, test } from '@jest/globals';
import { type KubeServer, serveKube } from '../../helpers/kube.ts';
import { run } from '../../helpers/run.ts';

const GROUP = '/apis/cilium.io/v2';

function policy(name: string, spec: object, namespace?: string): object {
  return {
    metadata: { name, ...(namespace && { namespace }), managedFields: [{ manager: 'kubectl' }] },
    spec: { endpointSelector: {}, ...spec },
  };
}

/** Serves lists in pages of one object, as a server with many would. */
async function cluster(lists: Record<string, object[]>): Promise<KubeServer & { asked: string[] }> {
  const asked: string[] = [];
  const server = await serveKube((request, response) => {
    const url = new URL(request.url ?? '', 'http://kube');
    asked.push(`${request.method} ${url.pathname}${url.search}`);
    const items = lists[url.pathname.slice(GROUP.length + 1)];
    response.setHeader('content-type', 'application/json');
    if (!items) {
      response.statusCode = 404;
      response.end(JSON.stringify({ kind: 'Status', code: 404, message: 'the server could not find it' }));
      return;
    }
    const at = Number(url.searchParams.get('continue') ?? 0);
    const more = at + 1 < items.length ? { continue: String(at + 1) } : {};
    response.end(JSON.stringify({ kind: 'List', metadata: more, items: items.slice(at, at + 1) }));
  });
  return { ...server, asked };
}

test('every policy of the cluster is checked', async () => {
  await using kube = await cluster({
    ciliumnetworkpolicies: [
      policy('one', { ingress: [{}] }, 'shop'),
      policy('two', { egress: [{}] }, 'default'),
    ],
    ciliumclusterwidenetworkpolicies: [policy('all', { ingress: [{}] })],
  });
  const result = await run(['preflight', 'validate-cnp', '--kubeconfig', kube.kubeconfig]);
  expect(result).toEqual({
    code: 0,
    stderr: '',
    stdout:
      "Validating CiliumNetworkPolicy 'shop/one': OK!\n" +
      "Validating CiliumNetworkPolicy 'default/two': OK!\n" +
      "Validating CiliumClusterwideNetworkPolicy 'all': OK!\n" +
      'All CCNPs and CNPs valid!\n',
  });
  expect(kube.asked).toEqual([
    `GET ${GROUP}/ciliumnetworkpolicies?limit=500`,
    `GET ${GROUP}/ciliumnetworkpolicies?limit=500&continue=1`,
    `GET ${GROUP}/ciliumclusterwidenetworkpolicies?limit=500`,
  ]);
});

// differs: preflight-cnp
test('every fault of every policy is told, with its place', async () => {
  await using kube = await cluster({
    ciliumnetworkpolicies: [
      policy('bad', { ingresRule: [], ingress: [{ fromCIDR: ['300.0.0.0/8'] }] }, 'shop'),
      policy('good', { ingress: [{}] }, 'shop'),
    ],
  });
  const { code, stdout, stderr } = await run(['preflight', 'validate-cnp', '--k8s-api-server', kube.url]);
  expect(code).toBe(1);
  expect(stdout).toBe(
    "Validating CiliumNetworkPolicy 'shop/bad': unexpected validation error\n" +
      "Validating CiliumNetworkPolicy 'shop/good': OK!\n",
  );
  expect(stderr).toContain('CiliumNetworkPolicy shop/bad:10:9: error: unknown field "ingresRule"');
  expect(stderr).toContain('300.0.0.0/8');
  expect(stderr).toContain('Error: Found invalid policies: 1 of 2');
  const urls = await run(['preflight', 'validate-cnp', '--k8s-api-server-urls', `${kube.url},http://other`]);
  expect(urls.stdout).toBe(stdout);
});

test('a target that lacks a field refuses it; a report is for programs', async () => {
  await using kube = await cluster({
    ciliumnetworkpolicies: [policy('new', { enableDefaultDeny: { ingress: false }, ingress: [{}] }, 'shop')],
  });
  const words = ['preflight', 'validate-cnp', '--k8s-kubeconfig-path', kube.kubeconfig, '-o', 'json'];
  expect(JSON.parse((await run(words)).stdout)).toMatchObject({ valid: true, files: 1, rules: 1 });
  const old = await run([...words, '--target', '1.14']);
  expect(old.code).toBe(1);
  expect(JSON.parse(old.stdout)).toMatchObject({
    valid: false,
    findings: [{ file: 'CiliumNetworkPolicy shop/new' }],
  });
});

test('a cluster without the CRDs has nothing to check', async () => {
  await using kube = await cluster({});
  const result = await run(['preflight', 'validate-cnp'], { env: { KUBECONFIG: kube.kubeconfig } });
  expect(result).toEqual({ code: 0, stdout: 'All CCNPs and CNPs valid!\n', stderr: '' });
});

test.each([
  [403, '/ciliumnetworkpolicies: the API server answered 403'],
  [500, '/ciliumnetworkpolicies: the API server answered 500'],
])('an API server that answers %d ends the check', async (status, message) => {
  await using kube = await serveKube((_, response) => {
    response.statusCode = status;
    response.end('{}');
  });
  const { code, stdout, stderr } = await run(['preflight', 'validate-cnp', '--k8s-api-server', kube.url]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain(message);
});

test('an API server that is away is told with the reason', async () => {
  const kube = await serveKube(() => {});
  await kube[Symbol.asyncDispose]();
  const { stderr } = await run(['preflight', 'validate-cnp', '--k8s-api-server', kube.url]);
  expect(stderr).toMatch(/^Error: GET .*\/ciliumnetworkpolicies: connection refused\n/);
});
