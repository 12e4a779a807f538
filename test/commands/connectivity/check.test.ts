import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type CommandEnd, type PlayedPods, startPlayedPods } from '../../helpers/played-pods.ts';
import { until } from '../../helpers/until.ts';

let cluster: PlayedPods;
let pods: Record<string, { ip: string; node: string }>;

/** As curl ends that has connected, and that has not. */
const ANSWERED: CommandEnd = { code: 0, stdout: 'connected 0.001 status 200\n' };
const LATE: CommandEnd = {
  code: 28,
  stdout: 'connected 0.000000 status 000\n',
  stderr: 'curl: (28) Connection timed out\n',
};

const call = (method: string, path: string, body?: unknown) =>
  cluster.lab.call(method, path, body, 'application/json');
const check = (...more: string[]) => cluster.run(['connectivity', 'check', ...more]);
const policy = (name: string, spec: object) =>
  call('POST', '/apis/cilium.io/v2/namespaces/app/ciliumnetworkpolicies', { metadata: { name }, spec });

beforeAll(async () => {
  cluster = await startPlayedPods({ answer: () => ANSWERED });
  await call('POST', '/api/v1/namespaces', { metadata: { name: 'app' } });
  for (const [name, node] of [
    ['web', 'node1'],
    ['api', 'node2'],
  ] as const)
    await call('POST', '/api/v1/namespaces/app/pods', {
      metadata: { name, labels: { part: name } },
      spec: {
        nodeName: node,
        containers: [{ name: 'main', image: 'x', ports: [{ name: 'http', containerPort: 8080 }] }],
      },
    });
  await call('POST', '/api/v1/namespaces/app/services', {
    metadata: { name: 'api' },
    spec: { selector: { part: 'api' }, ports: [{ port: 80, targetPort: 8080 }] },
  });
  await call('POST', '/api/v1/namespaces/app/services', {
    metadata: { name: 'shop' },
    spec: { selector: { part: 'api' }, ports: [{ port: 80, targetPort: 8080 }] },
  });
  await until(async () => {
    const { json } = await call('GET', '/api/v1/namespaces/app/pods');
    const { items } = json as {
      items: {
        metadata: { name: string };
        spec: { nodeName: string };
        status?: { podIP?: string; phase?: string };
      }[];
    };
    pods = Object.fromEntries(
      items
        .filter(({ status }) => status?.phase === 'Running')
        .map(({ metadata, status, spec }) => [
          metadata.name,
          { ip: status?.podIP ?? '', node: spec.nodeName },
        ]),
    );
    return Object.keys(pods).length === 2;
  });
});
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
});
beforeEach(() => {
  cluster.world.answer = () => ANSWERED;
  cluster.asked.length = 0;
});

describe('two pods', () => {
  test('that reach each other', async () => {
    const { stdout, stderr, code } = await check('app/web', 'app/api');
    expect(stdout).toBe(
      [
        `From:     app/web (${pods.web?.ip}) on node1`,
        `To:       app/api (${pods.api?.ip}:8080/TCP) on node2`,
        'Policy:   allowed',
        '  egress  allowed: no rule applies to egress of app/web',
        '  ingress allowed: no rule applies to ingress of app/api',
        `Tried:    ${pods.api?.ip}:8080 with curl: connected (HTTP 200)`,
        'Flows:    none that Hubble still has',
        'Result:   the connection works',
        '',
      ].join('\n'),
    );
    expect([stderr, code]).toEqual(['', 0]);
    expect(cluster.asked[0]?.argv.at(-1)).toBe(`http://${pods.api?.ip}:8080/`);
  });

  test('that do not, because a policy says so', async () => {
    await policy('closed', { endpointSelector: { matchLabels: { part: 'api' } }, ingress: [{}] });
    cluster.world.answer = () => LATE;
    const { stdout, code } = await check('app/web', 'app/api');
    expect(stdout).toContain('Policy:   denied\n');
    expect(stdout).toContain(
      `Tried:    ${pods.api?.ip}:8080 with curl: not connected (curl: (28) Connection timed out)\n`,
    );
    expect(stdout).toContain(
      'Suspect:  Policy: the rules of the cluster deny it, by CiliumNetworkPolicy app/closed; no flow that was dropped by policy was seen.\n',
    );
    expect(code).toBe(1);
    const other = await check('app/web', 'app/api', '--no-try', '-o', 'json');
    expect(JSON.parse(other.stdout)).toMatchObject({
      result: 'unknown',
      notTried: '--no-try',
      evidence: { decided: { verdict: 'denied' } },
    });
    expect(other.code).toBe(1);
    await call('DELETE', '/apis/cilium.io/v2/namespaces/app/ciliumnetworkpolicies/closed');
  });

  test('of which nothing says why they do not', async () => {
    cluster.world.answer = () => LATE;
    const { stdout, code } = await check('app/web', 'app/api', '--port', '9');
    expect(stdout).toContain(
      'Suspect:  What is at fault cannot be told: whether a pod of the own node is reached is not known.\n',
    );
    expect(code).toBe(1);
  });

  test('whose image has another tool, or none', async () => {
    cluster.world.answer = ({ argv: [program] }) => (program === 'nc' ? { code: 0 } : undefined);
    expect((await check('app/web', 'app/api')).stdout).toContain('with nc: connected (the port is open)\n');
    cluster.world.answer = () => undefined;
    const { stdout, code } = await check('app/web', 'app/api');
    expect(stdout).toContain(
      'Tried:    nothing: the container main has none of curl, wget, nc, bash that could do it\n',
    );
    expect(stdout).toContain('Result:   not known\n');
    expect(code).toBe(3);
  });
});

describe('a pod and a service', () => {
  test('whose address works', async () => {
    const { stdout, code } = await check('app/web', 'app/shop');
    expect(stdout).toMatch(/^To: {7}app\/shop \(\S+:80\/TCP\)$/m);
    expect(stdout).toContain('Result:   the connection works\n');
    expect(code).toBe(0);
  });

  test('whose address does not lead to its pods', async () => {
    cluster.world.answer = ({ argv }) => (argv.at(-1)?.includes(`${pods.api?.ip}:8080`) ? ANSWERED : LATE);
    const { stdout, code } = await check('app/web', 'service/app/api');
    expect(stdout).toContain(`Tried:    ${pods.api?.ip}:8080 with curl: connected (HTTP 200)\n`);
    expect(stdout).toContain('Suspect:  Service: the address of the service does not lead to its pods');
    expect(code).toBe(1);
  });
});

test.each([
  [['app/none', 'app/api'], 'there is no pod app/none'],
  [['app/web', 'app/none'], 'there is no pod or service app/none'],
  [['app/web', 'svc/app/shop', '--port', '81'], 'the service app/shop has no port 81 of TCP'],
  [['a/b/c/d', 'app/api'], '"a/b/c/d" names neither a pod nor a service'],
  [['app/web'], 'Missing to argument'],
])('%j is refused', async (words, told) => {
  const { stderr, code } = await check(...words);
  expect(stderr).toContain(told);
  expect(code).toBe(1);
});
