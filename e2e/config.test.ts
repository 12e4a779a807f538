import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type RunOptions, run } from '../test/helpers/run.ts';
import { type ApiServer, startApiServer } from './api-server.ts';

const MAPS = '/api/v1/namespaces/kube-system/configmaps';
const MAP = `${MAPS}/cilium-config`;
const APPLY = 'application/apply-patch+yaml';
const DATA = { debug: 'false', 'cluster-name': 'kind-kind', 'enable-ipv4': 'true' };

let server: ApiServer;
const as = (user: string, argv: readonly string[], options: RunOptions = {}) =>
  run(argv, { ...options, env: { KUBECONFIG: server.kubeconfig(user) } });
const stored = async () => JSON.parse((await server.call('GET', MAP)).body);
/** The ConfigMap as Helm makes it: by an update of its own. */
const asHelm = (data: object, namespace = 'kube-system') => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name: 'cilium-config',
    namespace,
    annotations: { 'meta.helm.sh/release-name': 'cilium' },
    labels: { 'app.kubernetes.io/managed-by': 'Helm' },
  },
  data,
});

beforeAll(async () => {
  server = await startApiServer();
});
afterAll(async () => server[Symbol.asyncDispose]());
beforeEach(async () => {
  await server.call('DELETE', MAP);
  const made = await server.call('POST', `${MAPS}?fieldManager=helm`, asHelm(DATA));
  expect(made.status).toBe(201);
});

test('view prints what is stored', async () => {
  expect(await as('admin', ['config', 'view'])).toEqual({
    stdout: 'cluster-name    kind-kind\ndebug           false\nenable-ipv4     true\n',
    stderr: '',
    code: 0,
  });
});

test('a new key is added and taken back; what Helm has set stays', async () => {
  const set = await as('admin', ['config', 'set', 'enable-hubble', 'true']);
  expect([set.code, set.stderr]).toEqual([
    0,
    'enable-hubble was not set. To undo it: cilium config delete enable-hubble\n' +
      'Warning: Helm (cilium) sets the ConfigMap back at the next upgrade or sync. Write it there too: hubble.enabled=true\n',
  ]);
  expect((await stored()).data).toEqual({ ...DATA, 'enable-hubble': 'true' });
  expect((await as('admin', ['config', 'set', 'second', '2'])).code).toBe(0);
  expect((await stored()).data).toEqual({ ...DATA, 'enable-hubble': 'true', second: '2' });
  expect((await as('admin', ['config', 'delete', 'enable-hubble'])).code).toBe(0);
  expect((await stored()).data).toEqual({ ...DATA, second: '2' });
});

test('a key that Helm has set is a conflict, until it is forced', async () => {
  const refused = await as('admin', ['config', 'set', 'debug', 'true']);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('another manager has set: data.debug is managed by helm');
  expect((await stored()).data).toEqual(DATA);
  expect((await as('admin', ['config', 'set', 'debug', 'true', '--force-conflicts'])).code).toBe(0);
  expect((await stored()).data).toEqual({ ...DATA, debug: 'true' });
  // It is ours now: the undo that was told works as it stands.
  expect((await as('admin', ['config', 'set', 'debug', 'false'])).code).toBe(0);
  expect((await stored()).data).toEqual(DATA);
});

test('a key that Argo CD has applied is not removed, until it is forced', async () => {
  const theirs = { apiVersion: 'v1', kind: 'ConfigMap', data: { theirs: 'yes', more: '1' } };
  await server.call('PATCH', `${MAP}?fieldManager=argocd`, theirs, APPLY);
  const refused = await as('admin', ['config', 'delete', 'theirs']);
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringContaining('data.theirs is managed by argocd'),
  ]);
  expect((await as('admin', ['config', 'delete', 'theirs', '--force-conflicts'])).code).toBe(0);
  expect((await stored()).data).toEqual({ ...DATA, more: '1' });
});

test('a key that both have set stays with the other one', async () => {
  expect((await as('admin', ['config', 'set', 'debug', 'false'])).code).toBe(0);
  const refused = await as('admin', ['config', 'delete', 'debug']);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('managed by helm')]);
  expect((await stored()).data).toEqual(DATA);
});

test('a dry run keeps nothing', async () => {
  for (const argv of [
    ['config', 'set', 'one', '1', '--dry-run'],
    ['config', 'delete', 'debug', '--dry-run', '--force-conflicts'],
  ])
    expect((await as('admin', argv)).code).toBe(0);
  expect((await stored()).data).toEqual(DATA);
});

test('values and keys that need escapes arrive as they are', async () => {
  const value = 'a"b\\c\n{"x": ["y"]}';
  expect((await as('admin', ['config', 'set', 'odd.key_~1', value])).code).toBe(1);
  expect((await as('admin', ['config', 'set', 'odd.key_1', value])).code).toBe(0);
  expect((await stored()).data['odd.key_1']).toBe(value);
});

test('many that write at once lose nothing', async () => {
  const keys = Array.from({ length: 8 }, (_, i) => `key-${i}`);
  const runs = await Promise.all(keys.map((key) => as('admin', ['config', 'set', key, '1'])));
  const done = keys.filter((_, i) => runs[i]?.code === 0);
  const { data } = await stored();
  expect(done.length).toBeGreaterThan(0);
  for (const key of done) expect(data).toHaveProperty(key, '1');
  expect(data).toMatchObject(DATA);
});

test.each([
  ['viewer', ['view'], 'User "viewer" cannot get resource "configmaps" in API group "" in the namespace'],
  ['expired', ['view'], 'has a token or certificate of the kubeconfig expired?'],
])('the user %s is told what is missing: config %j', async (user, words, message) => {
  const { stdout, stderr, code } = await as(user, ['config', ...words]);
  expect([stdout, code]).toEqual(['', 1]);
  expect(stderr).toContain(message);
});

test('who may do neither is told so behind what was about to be done', async () => {
  const { stdout, stderr, code } = await as('viewer', ['config', 'set', 'a', 'b']);
  expect([stdout, code]).toEqual(['✨ Patching ConfigMap cilium-config with a=b...\n', 1]);
  expect(stderr).toContain('User "viewer" cannot get resource "configmaps"');
});

test('who may read but not write is told so, with the resource', async () => {
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }];
  const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system';
  await server.call('POST', `${rbac}/roles`, { metadata: { name: 'reads' }, rules });
  await server.call('POST', `${rbac}/rolebindings`, {
    metadata: { name: 'reads' },
    roleRef: { kind: 'Role', name: 'reads', apiGroup: 'rbac.authorization.k8s.io' },
    subjects: [{ kind: 'User', name: 'reader', apiGroup: 'rbac.authorization.k8s.io' }],
  });
  expect((await as('admin', ['config', 'view', '--as', 'reader'])).code).toBe(0);
  const { stderr, code } = await as('admin', ['config', 'set', 'a', 'b', '--as', 'reader']);
  expect(code).toBe(1);
  expect(stderr).toContain('User "reader" cannot patch resource "configmaps" in API group ""');
});

test('a context that the kubeconfig does not have is named', async () => {
  const { stderr, code } = await as('admin', ['config', 'view', '--context', 'nowhere']);
  expect(code).toBe(1);
  expect(stderr).toContain('nowhere');
});

test('the ConfigMap is found in the namespace of the DaemonSet', async () => {
  await server.call('POST', '/api/v1/namespaces', { metadata: { name: 'networking' } });
  await server.call(
    'POST',
    '/api/v1/namespaces/networking/configmaps',
    asHelm({ here: 'yes' }, 'networking'),
  );
  await makeAgents('networking');
  expect((await as('admin', ['config', 'view'])).stdout).toBe('here    yes\n');
  await server.call('DELETE', '/apis/apps/v1/namespaces/networking/daemonsets/cilium');
  expect((await as('admin', ['config', 'view'])).stdout).toContain('kind-kind');
  await server.call('DELETE', MAP);
  const { stderr, code } = await as('admin', ['config', 'set', 'a', 'b']);
  expect(code).toBe(1);
  expect(stderr).toContain('configmaps "cilium-config" not found');
  expect((await server.call('GET', MAP)).status).toBe(404);
});

async function makeAgents(namespace: string): Promise<void> {
  const labels = { 'k8s-app': 'cilium' };
  const made = await server.call('POST', `/apis/apps/v1/namespaces/${namespace}/daemonsets`, {
    metadata: { name: 'cilium', labels },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'cilium-agent', image: 'x' }] } },
    },
  });
  expect(made.status).toBe(201);
}

describe('--restart rolling', () => {
  const AGENTS = '/apis/apps/v1/namespaces/kube-system/daemonsets/cilium';
  const report = async (updated: number) => {
    const { generation } = JSON.parse((await server.call('GET', AGENTS)).body).metadata;
    const counts = { desiredNumberScheduled: 2, currentNumberScheduled: 2, numberMisscheduled: 0 };
    const status = { observedGeneration: generation, updatedNumberScheduled: updated, numberAvailable: 2 };
    await server.call(
      'PATCH',
      `${AGENTS}/status`,
      { status: { ...counts, numberReady: 2, ...status } },
      'application/merge-patch+json',
    );
  };
  beforeAll(() => makeAgents('kube-system'));

  test('the annotation is set, and the report of the new generation is waited for', async () => {
    await report(2);
    let lines = '';
    const { stdout, code } = await as('admin', ['config', 'set', 'a', 'b', '--restart', 'rolling'], {
      onStderr: (text) => {
        lines += text;
        // Nobody runs pods here: the test reports what the controller would.
        if (text.includes('not begun yet')) void report(1);
        if (text.includes('1 of 2')) void report(2);
      },
    });
    expect([code, stdout.split('\n').at(-2)]).toEqual([0, '♻️  Restarted Cilium pods']);
    expect(lines).toContain('DaemonSet kube-system/cilium: 1 of 2 pods are new and ready\n');
    const { spec } = JSON.parse((await server.call('GET', AGENTS)).body);
    expect(spec.template.metadata.annotations).toHaveProperty(['kubectl.kubernetes.io/restartedAt']);
  });

  test('an API server that is killed meanwhile is waited for, and nothing is done twice', async () => {
    let isDown: Promise<void> | undefined;
    const { stdout, stderr, code } = await as(
      'admin',
      ['config', 'set', 'during', 'it', '--restart', 'rolling', '--wait-duration', '200h'],
      {
        nowMs: 500,
        onStderr: (text) => {
          if (!text.includes('not begun yet')) return;
          isDown ??= server
            .kill()
            .then(() => server.start())
            .then(() => report(2));
        },
      },
    );
    await isDown;
    expect([code, stdout.match(/Restarted/g)?.length]).toEqual([0, 1]);
    expect(stderr).toMatch(/connection (?:broke|refused)/);
    const { metadata, spec } = JSON.parse((await server.call('GET', AGENTS)).body);
    expect(spec.template.metadata.annotations).toEqual({
      'kubectl.kubernetes.io/restartedAt': '1970-01-01T00:00:00.500Z',
    });
    expect((await stored()).data).toHaveProperty('during', 'it');
    expect(metadata.generation).toBeGreaterThan(1);
  });

  test('one that is stuck ends in time, with the reason', async () => {
    await server.call('POST', '/api/v1/namespaces/kube-system/pods', {
      metadata: { name: 'cilium-x', labels: { 'k8s-app': 'cilium' } },
      spec: { nodeName: 'n1', containers: [{ name: 'cilium-agent', image: 'x' }] },
    });
    const waiting = { reason: 'ImagePullBackOff', message: 'no such image' };
    const containers = [
      { name: 'cilium-agent', ready: false, restartCount: 0, image: 'x', imageID: '', state: { waiting } },
    ];
    await server.call(
      'PATCH',
      '/api/v1/namespaces/kube-system/pods/cilium-x/status',
      { status: { phase: 'Pending', containerStatuses: containers } },
      'application/merge-patch+json',
    );
    const { stderr, code } = await as(
      'admin',
      ['config', 'set', 'a', 'c', '--restart', 'rolling', '--wait-duration', '4s'],
      { nowMs: 1000 },
    );
    expect(code).toBe(1);
    expect(stderr).toContain('is not rolled out after 4s');
    expect(stderr).toContain('pod cilium-x on n1: the container waits: ImagePullBackOff');
  });
});

describe('drift and lint', () => {
  const manifest = `---\nkind: ConfigMap\nmetadata: {name: cilium-config}\ndata: ${JSON.stringify(DATA)}\n`;
  const release = gzipSync(
    JSON.stringify({ name: 'cilium', version: 1, info: { status: 'deployed' }, manifest }),
  );

  beforeAll(async () => {
    const made = await server.call('POST', '/api/v1/namespaces/kube-system/secrets', {
      metadata: {
        name: 'sh.helm.release.v1.cilium.v1',
        labels: { owner: 'helm', name: 'cilium', status: 'deployed', version: '1' },
      },
      type: 'helm.sh/release.v1',
      data: { release: Buffer.from(release.toString('base64')).toString('base64') },
    });
    expect(made.status).toBe(201);
    await server.call('POST', '/api/v1/nodes', { metadata: { name: 'n1' } });
  });

  test('what was changed after Helm is found, and a node without an agent is not without drift', async () => {
    const same = await as('admin', ['config', 'drift']);
    expect([same.stdout, same.code]).toEqual(['', 3]);
    expect(same.stderr).toContain('n1: not read: ');
    await as('admin', ['config', 'set', 'enable-ipv4', 'false', '--force-conflicts']);
    const { stdout, code } = await as('admin', ['config', 'drift']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^\* +enable-ipv4 +true +false +- +- +not from Helm/m);
  });

  test('who may not list pods, nodes or Secrets is told so', async () => {
    const { stdout, stderr, code } = await as('admin', ['config', 'drift', '--as', 'reader']);
    expect([stdout, code]).toEqual(['', 1]);
    expect(stderr).toMatch(/User "reader" cannot list resource "(?:pods|nodes|daemonsets)"/);
  });

  test('--live checks what is stored', async () => {
    await server.call('PATCH', MAP, { data: { tunnel: 'vxlan' } }, 'application/merge-patch+json');
    const { stdout, code } = await as('admin', ['config', 'lint', '--live', '--target', '1.20']);
    expect([code, stdout]).toEqual([1, expect.stringContaining('error: tunnel is gone since 1.15')]);
  });
});
