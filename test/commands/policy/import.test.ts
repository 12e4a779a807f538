import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type KubeServer, serveKube } from '../../helpers/kube.ts';
import { fixture, fixturePath, type RestCase, type RestExchange } from '../../helpers/recordings.ts';
import { type Replay, replay } from '../../helpers/replay.ts';
import { run } from '../../helpers/run.ts';

const RULES = fixturePath('recordings/pol/rules.json');

function answer(method: string, path: string, body: unknown, status = 200): RestExchange {
  return {
    request: { method, path },
    response: { status, contentType: 'application/json', body: JSON.stringify(body) },
  };
}

/** The requests that came, but for the question of the agent's release. */
function asked(server: Replay): Replay['seen'] {
  return server.seen.filter(({ path }) => path !== '/v1/healthz');
}

const REFUSED = answer(
  'PUT',
  '/v1/policy?replace=false',
  { code: 405, message: 'method PUT is not allowed, but [GET] are' },
  405,
);

const CNP = (name: string, spec = 'ingress: [{}]') =>
  `apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: ${name}, namespace: shop}\nspec:\n  endpointSelector: {}\n  ${spec}\n`;

test('the request carries exactly what the reference sends', async () => {
  const recorded = fixture<RestCase[]>('recordings/agent-1.17-policy.json').filter(
    ({ argv, exchanges }) =>
      argv[1] === 'import' && exchanges.length > 0 && !argv.some((a) => a.includes('unknown')),
  );
  expect(recorded.length).toBeGreaterThan(3);
  for (const { argv, exchanges } of recorded) {
    await using server = await replay(exchanges);
    const words = argv.map((word) => word.replace('/opt/node/pol', fixturePath('recordings/pol')));
    await run(words, { env: { CILIUM_SOCK: server.socket } });
    expect(asked(server).map(({ method, path, body }) => ({ method, path, body }))).toEqual(
      exchanges.map(({ request: { method, path, body } }) => ({ method, path, body })),
    );
  }
});

test('one wrong document and nothing is sent', async () => {
  await using server = await replay([]);
  const { code, stdout, stderr } = await run(['policy', 'import', fixturePath('recordings/pol')], {
    env: { CILIUM_SOCK: server.socket },
  });
  expect({ code, stdout, sent: asked(server) }).toEqual({ code: 1, stdout: '', sent: [] });
  expect(stderr).toMatch(/^Error: Cannot parse policy .*: 11 errors in the policy$/m);
  expect(stderr).toContain('badport.json:1:105: error: Unable to parse port');
});

// differs: policy-unknown-fields
test('unknown fields are refused, and dropped with --no-strict', async () => {
  const argv = ['policy', 'import', fixturePath('recordings/pol/unknown.json')];
  const exchange = answer('PUT', '/v1/policy?replace=false', { policy: '[]', revision: 9 });
  await using server = await replay([exchange]);
  const env = { CILIUM_SOCK: server.socket };
  expect(await run(argv, { env })).toMatchObject({ code: 1, stdout: '' });
  expect(await run([...argv, '--no-strict'], { env })).toMatchObject({ code: 0, stdout: 'Revision: 9\n' });
});

// differs: policy-import-release
test('what the agent’s release does not know is refused, and nothing is sent', async () => {
  const rule = {
    endpointSelector: {},
    ingress: [{ fromEntities: ['world'] }],
    enableDefaultDeny: { ingress: false },
  };
  const health = answer('GET', '/v1/healthz', { cilium: { state: 'Ok', msg: '1.10.3 (v1.10.3-x)' } });
  await using server = await replay([health]);
  const { stderr, code } = await run(['policy', 'import', '-'], {
    env: { CILIUM_SOCK: server.socket },
    stdin: JSON.stringify([rule]),
  });
  expect(code).toBe(1);
  expect(stderr).toContain('enableDefaultDeny');
  expect(asked(server)).toEqual([]);
});

// differs: policy-import-replace
test('--replace is refused for agents that would only add', async () => {
  const health = answer('GET', '/v1/healthz', { cilium: { state: 'Ok', msg: '1.10.3 (v1.10.3-x)' } });
  await using server = await replay([health]);
  const { stderr, code } = await run(['policy', 'import', RULES, '--replace'], {
    env: { CILIUM_SOCK: server.socket },
  });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^Error: .*replace/);
  expect(asked(server)).toEqual([]);
});

// differs: policy-input
test('rules come from stdin, as YAML and objects too', async () => {
  await using server = await replay([
    answer('PUT', '/v1/policy?replace=false', { policy: '[]', revision: 2 }),
  ]);
  const result = await run(['policy', 'import', '-'], {
    env: { CILIUM_SOCK: server.socket },
    stdin: CNP('p'),
  });
  expect(result).toEqual({ code: 0, stdout: 'Revision: 2\n', stderr: '' });
  const sent: unknown = JSON.parse(JSON.parse(asked(server)[0]?.body ?? ''));
  expect(sent).toMatchObject([
    {
      endpointSelector: { matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'shop' } },
      labels: [{ value: 'CiliumNetworkPolicy' }, { value: 'p' }, { value: 'shop' }],
    },
  ]);
});

test('an empty list of peers would open the rule on its way to the agent, so it is refused', async () => {
  await using server = await replay([]);
  const result = await run(['policy', 'import', '-'], {
    env: { CILIUM_SOCK: server.socket },
    stdin: CNP('p', 'ingress: [{fromEndpoints: []}]'),
  });
  expect(result).toMatchObject({ code: 1, stdout: '' });
  expect(result.stderr).toContain('the empty "fromEndpoints" would allow every peer');
  expect(asked(server)).toEqual([]);
});

describe('what would change', () => {
  const held = {
    endpointSelector: {},
    ingress: [{ fromEntities: ['host'] }],
    labels: [{ key: 'name', value: 'api-policy', source: 'unspec' }],
    enableDefaultDeny: { ingress: true, egress: false },
  };
  const get = answer('GET', '/v1/policy', { policy: JSON.stringify([held]), revision: 5 });

  test.each([
    ['adds to what is there', [], '2 rules added, 0 removed, 1 unchanged\n'],
    ['replaces rules of the same labels', ['--replace'], '2 rules added, 1 removed, 0 unchanged\n'],
    [
      'replaces by labels',
      ['--replace-with-labels', 'unspec:name=api-policy'],
      '2 rules added, 1 removed, 0 unchanged\n',
    ],
    [
      'leaves other labels alone',
      ['--replace-with-labels', 'unspec:name=b'],
      '2 rules added, 0 removed, 1 unchanged\n',
    ],
  ])('--dry-run %s and sends nothing', async (_, flags, summary) => {
    await using server = await replay([get]);
    const result = await run(['policy', 'import', '--dry-run', ...flags, RULES], {
      env: { CILIUM_SOCK: server.socket },
    });
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout.endsWith(summary)).toBe(true);
    expect(result.stdout).toContain('+       "any:app": "kafka"');
    expect(asked(server).map(({ method }) => method)).toEqual(['GET']);
  });

  test('--diff shows it on stderr and goes on', async () => {
    await using server = await replay([
      get,
      answer('PUT', '/v1/policy?replace=false', { policy: '[]', revision: 6 }),
    ]);
    const result = await run(['policy', 'import', '--diff', RULES], { env: { CILIUM_SOCK: server.socket } });
    expect(result).toMatchObject({ code: 0, stdout: 'Revision: 6\n' });
    expect(result.stderr).toContain('2 rules added, 0 removed, 1 unchanged');
  });
});

test('--wait returns when every endpoint has realized the revision', async () => {
  const endpoint = (revision: number) => [
    { id: 1, status: { state: 'ready', policy: { realized: { 'policy-revision': revision } } } },
  ];
  await using server = await replay([
    answer('PUT', '/v1/policy?replace=false', { policy: '[]', revision: 7 }),
    answer('GET', '/v1/endpoint', endpoint(6)),
    answer('GET', '/v1/endpoint', endpoint(7)),
  ]);
  const result = await run(['policy', 'import', '--wait', RULES], { env: { CILIUM_SOCK: server.socket } });
  expect(result).toMatchObject({ code: 0, stdout: 'Revision: 7\n' });
  expect(asked(server).map(({ method }) => method)).toEqual(['PUT', 'GET', 'GET']);
});

// differs: policy-import-gone
test('an agent without PUT /policy is told in one sentence with what works instead', async () => {
  await using server = await replay([REFUSED]);
  const result = await run(['policy', 'import', RULES], { env: { CILIUM_SOCK: server.socket } });
  expect(result).toMatchObject({ code: 1, stdout: '' });
  expect(result.stderr).toMatch(/^Error: this agent no longer takes policies through its API/);
  expect(result.stderr).toContain('--via kubernetes');
  expect(result.stderr).toContain('static-cnp-path');
});

describe('through the Kubernetes API', () => {
  let kube: KubeServer;
  const seen: { method: string; url: string; type: string; body: string }[] = [];

  beforeAll(async () => {
    kube = await serveKube((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const { method = '', url = '' } = request;
        const body = Buffer.concat(parts).toString();
        response.setHeader('content-type', 'application/json');
        if (method === 'GET' && url.startsWith('/apis/cilium.io/v2')) {
          const resources = [
            {
              name: 'ciliumnetworkpolicies',
              kind: 'CiliumNetworkPolicy',
              namespaced: true,
              verbs: ['patch'],
            },
          ];
          response.end(JSON.stringify({ kind: 'APIResourceList', groupVersion: 'cilium.io/v2', resources }));
          return;
        }
        seen.push({ method, url, type: String(request.headers['content-type']), body });
        if (url.includes('/refused')) {
          response.statusCode = 403;
          response.end(JSON.stringify({ kind: 'Status', message: 'policies are closed today', code: 403 }));
        } else response.end(body);
      });
    });
  });
  afterAll(async () => kube[Symbol.asyncDispose]());

  test('objects are applied by the server, one by one, and each is told', async () => {
    seen.length = 0;
    const stdin = `${CNP('one')}---\n${CNP('two')}`;
    const result = await run(['policy', 'import', '--via', 'kubernetes', '-'], {
      env: { KUBECONFIG: kube.kubeconfig },
      stdin,
    });
    expect(result).toEqual({
      code: 0,
      stdout: 'CiliumNetworkPolicy shop/one applied\nCiliumNetworkPolicy shop/two applied\n',
      stderr: '',
    });
    const dry = seen.filter(({ method }) => method === 'PATCH').map(({ url }) => url.includes('dryRun=All'));
    expect(dry).toEqual([true, true, false, false]);
  });

  test('where the server would refuse one object, nothing is applied', async () => {
    seen.length = 0;
    const stdin = `${CNP('one')}---\n${CNP('refused')}---\n${CNP('two')}`;
    const result = await run(['policy', 'import', '--via', 'kubernetes', '-'], {
      env: { KUBECONFIG: kube.kubeconfig },
      stdin,
    });
    expect(result.code).toBe(1);
    expect(result.stdout).toBe('');
    expect(result.stderr).toContain('CiliumNetworkPolicy shop/refused: policies are closed today\n');
    expect(result.stderr).toContain('Error: 1 of 3 objects could not be applied: nothing was changed');
    expect(seen[0]).toMatchObject({ method: 'PATCH', type: 'application/apply-patch+yaml' });
    expect(seen[0]?.url).toMatch(/^\/apis\/cilium\.io\/v2\/namespaces\/shop\/ciliumnetworkpolicies\/one\?/);
    expect(seen[0]?.url).toContain('fieldManager=cilium-toolkit');
  });

  test('--dry-run asks the server to keep nothing', async () => {
    seen.length = 0;
    const argv = ['policy', 'import', '--via', 'kubernetes', '--dry-run', '-'];
    const result = await run(argv, { env: { KUBECONFIG: kube.kubeconfig }, stdin: CNP('one') });
    expect(result).toEqual({
      code: 0,
      stdout: 'CiliumNetworkPolicy shop/one applied (dry run)\n',
      stderr: '',
    });
    expect(seen[0]?.url).toContain('dryRun=All');
  });

  test('an agent that takes no policies makes auto go to the cluster', async () => {
    await using agent = await replay([REFUSED]);
    const env = { CILIUM_SOCK: agent.socket, KUBECONFIG: kube.kubeconfig };
    const result = await run(['policy', 'import', '-'], { env, stdin: CNP('one') });
    expect(result).toMatchObject({ code: 0, stdout: 'CiliumNetworkPolicy shop/one applied\n' });
    expect(result.stderr).toContain('applying the objects to the cluster');
  });

  test('rules in the agent’s own form cannot go there', async () => {
    const result = await run(['policy', 'import', '--via', 'kubernetes', RULES], {
      env: { KUBECONFIG: kube.kubeconfig },
    });
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toContain('Put each rule under "spec" of a CiliumNetworkPolicy.');
  });
});

test.each([
  ['UTF-16LE', '\ufeff', 'utf16le'],
  ['UTF-16LE', '', 'utf16le'],
  ['UTF-16BE', '\ufeff', 'utf16be'],
  ['UTF-16BE', '', 'utf16be'],
] as const)('a file in %s, marked %j, is named as such with the way out', async (name, mark, encoding) => {
  const bytes = Buffer.from(`${mark}${CNP('a')}`, 'utf16le');
  const stdin = encoding === 'utf16be' ? bytes.swap16() : bytes;
  const { code, stderr } = await run(['policy', 'validate', '-'], { stdin });
  expect(code).toBe(1);
  expect(stderr).toContain(`- is ${name}, not UTF-8`);
  expect(stderr).toContain(`iconv -f ${name} -t UTF-8 FILE`);
});
