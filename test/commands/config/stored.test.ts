import { describe, expect, test } from '@jest/globals';
import { refusal } from '../../helpers/kube.ts';
import { configCluster, managed } from './cluster.ts';

const DATA = { debug: 'false', 'cluster-name': 'kind-kind', 'bpf-lb-map-max': '65536' };
const MAP = '/api/v1/namespaces/kube-system/configmaps/cilium-config';

describe('config view', () => {
  test('keys and values stand in the columns of the reference', async () => {
    await using cluster = await configCluster({ data: DATA });
    expect(await cluster.run(['config', 'view'])).toEqual({
      stdout: 'bpf-lb-map-max    65536\ncluster-name      kind-kind\ndebug             false\n',
      stderr: '',
      code: 0,
    });
  });

  test('a value of several lines continues on the next ones', async () => {
    await using cluster = await configCluster({ data: { metrics: '+a\n-b', z: '1' } });
    expect((await cluster.run(['config', 'view'])).stdout).toBe('metrics    +a\n-b\nz    1\n');
  });

  test.each(['json', 'yaml'])('-o %s gives the keys by name', async (format) => {
    await using cluster = await configCluster({ data: DATA });
    const { stdout } = await cluster.run(['config', 'view', '-o', format]);
    expect(stdout.split('\n').filter((line) => line.includes(':'))).toHaveLength(3);
    expect(stdout.indexOf('bpf-lb-map-max')).toBeLessThan(stdout.indexOf('debug'));
  });

  test('the ConfigMap is looked for where Cilium is', async () => {
    await using cluster = await configCluster({ data: {} }, (call) => {
      if (call === 'GET /apis/apps/v1/daemonsets')
        return { body: { items: [{ metadata: { name: 'cilium', namespace: 'networking' } }] } };
      if (call === 'GET /api/v1/namespaces/networking/configmaps/cilium-config')
        return { body: { data: { here: 'yes' } } };
      return undefined;
    });
    expect((await cluster.run(['config', 'view'])).stdout).toBe('here    yes\n');
    expect((await cluster.run(['config', 'view', '-n', 'elsewhere'])).stderr).toContain(
      'Is Cilium installed in the namespace elsewhere?',
    );
  });

  // differs: cluster-error-line
  test('a refusal is told in the words of the reference, on the first line', async () => {
    const message = 'configmaps "cilium-config" is forbidden: User "viewer" cannot get resource "configmaps"';
    await using cluster = await configCluster({ data: {} }, (call) =>
      call === `GET ${MAP}` ? { status: 403, body: refusal(403, 'Forbidden', message) } : undefined,
    );
    const { stdout, stderr, code } = await cluster.run(['config', 'view']);
    expect([stdout, code]).toEqual(['', 1]);
    expect(stderr.split('\n')[0]).toBe(
      `Error: Unable to view config:  unable get ConfigMap "cilium-config": ${message}`,
    );
  });
});

test.each([
  [['set', 'a', 'b'], '✨ Patching ConfigMap cilium-config with a=b...\n'],
  [['delete', 'a'], '✨ Removing key a from ConfigMap cilium-config...\n'],
])('config %j says what it is about to do before it is refused', async (words, line) => {
  await using cluster = await configCluster({ data: {} }, () => ({
    status: 401,
    body: refusal(401, 'Unauthorized', 'Unauthorized'),
  }));
  const { stdout, stderr, code } = await cluster.run(['config', ...words]);
  expect([stdout, code]).toEqual([line, 1]);
  expect(stderr).toMatch(
    /^Error: Unable to (?:set|delete) config: {2}unable get ConfigMap "cilium-config": Unauthorized\n/,
  );
});

describe('config set', () => {
  // differs: config-set-restart
  test('applies the key and restarts nothing', async () => {
    await using cluster = await configCluster({ data: DATA });
    const { stdout, stderr, code } = await cluster.run(['config', 'set', 'debug', 'true']);
    expect(code).toBe(0);
    expect(stdout).toBe(
      '✨ Patching ConfigMap cilium-config with debug=true...\n⚠️  Restart Cilium pods for configmap changes to take effect\n',
    );
    expect(stderr).toBe('debug was "false". To undo it: cilium config set debug false\n');
    expect(cluster.written).toEqual([
      {
        call: `PATCH ${MAP}?fieldManager=cilium-toolkit`,
        type: 'application/apply-patch+yaml',
        body: {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'cilium-config', namespace: 'kube-system', resourceVersion: '7' },
          data: { debug: 'true' },
        },
      },
    ]);
  });

  // differs: config-set-value
  test.each([['a"b\\c'], ['line\nline'], ['{"x": 1}'], ['-5']])(
    'takes the value %j as it is',
    async (value) => {
      await using cluster = await configCluster({ data: { key: value } });
      const { code, stderr } = await cluster.run(['config', 'set', '--', 'key', value]);
      expect([code, stderr]).toEqual([0, 'key had this value already.\n']);
      expect(cluster.written[0]?.body).toMatchObject({ data: { key: value } });
    },
  );

  test('keys that it set before stay', async () => {
    await using cluster = await configCluster({
      data: DATA,
      metadata: {
        resourceVersion: '7',
        managedFields: managed({ 'cilium-toolkit': ['cluster-name', 'gone'] }),
      },
    });
    await cluster.run(['config', 'set', 'debug', 'true']);
    expect(cluster.written[0]?.body).toMatchObject({ data: { 'cluster-name': 'kind-kind', debug: 'true' } });
  });

  test('a conflict names the key and its owner; --force-conflicts takes it over', async () => {
    const conflict = {
      ...refusal(409, 'Conflict', 'Apply failed with 1 conflict'),
      details: {
        causes: [
          {
            reason: 'FieldManagerConflict',
            message: 'conflict with "helm" using v1',
            field: '.data.debug',
          },
        ],
      },
    };
    await using cluster = await configCluster({ data: DATA }, (call) =>
      call.startsWith('PATCH') ? { status: 409, body: conflict } : undefined,
    );
    const { stderr, code } = await cluster.run(['config', 'set', 'debug', 'true']);
    expect(code).toBe(1);
    expect(stderr).toContain(
      'Error: Unable to set config:  another manager has set: data.debug is managed by helm\n',
    );
    expect(cluster.written).toHaveLength(1);
    await cluster.run(['config', 'set', 'debug', 'true', '--force-conflicts']);
    expect(cluster.written[1]?.call).toBe(`PATCH ${MAP}?fieldManager=cilium-toolkit&force=true`);
  });

  test('another writer that came first is no conflict: the change is made to what is there then', async () => {
    let tries = 0;
    await using cluster = await configCluster({ data: DATA }, (call) => {
      if (!call.startsWith('PATCH') || ++tries > 2) return undefined;
      return { status: 409, body: refusal(409, 'Conflict', 'the object has been modified') };
    });
    expect((await cluster.run(['config', 'set', 'debug', 'true'])).code).toBe(0);
    expect(cluster.written).toHaveLength(3);
  });

  test.each([
    [
      { annotations: { 'meta.helm.sh/release-name': 'cilium' } },
      'Warning: Helm (cilium) sets the ConfigMap back at the next upgrade or sync. Write it there too: debug.enabled=true\n',
      'debug',
    ],
    [
      { annotations: { 'argocd.argoproj.io/tracking-id': 'net:/ConfigMap:kube-system/cilium-config' } },
      'Warning: Argo CD (net) sets the ConfigMap back at the next upgrade or sync. Write it there too: extraConfig.my-key=true\n',
      'my-key',
    ],
    [
      { labels: { 'helm.toolkit.fluxcd.io/name': 'cni', 'app.kubernetes.io/managed-by': 'Helm' } },
      'Warning: Flux (cni) and Helm (cilium) sets the ConfigMap back at the next upgrade or sync. Write it there too: kubeProxyReplacement=true\n',
      'kube-proxy-replacement',
    ],
  ])(
    'who keeps the ConfigMap is named, with the value to write there: %j',
    async (metadata, warning, key) => {
      await using cluster = await configCluster({ data: DATA, metadata });
      expect((await cluster.run(['config', 'set', key, 'true'])).stderr).toContain(warning);
    },
  );

  test('a dry run is checked by the API server, and nothing else is done', async () => {
    await using cluster = await configCluster({ data: DATA });
    const { stdout, stderr } = await cluster.run([
      ...['config', 'set', 'debug', 'true', '--dry-run', '--restart', 'rolling'],
    ]);
    expect(cluster.written.map(({ call }) => call)).toEqual([
      `PATCH ${MAP}?fieldManager=cilium-toolkit&dryRun=All`,
    ]);
    expect(stdout).toBe('✨ Patching ConfigMap cilium-config with debug=true...\n');
    expect(stderr).toBe('Nothing was changed: the API server checked it only (--dry-run).\n');
  });
});

describe('config delete', () => {
  const withManagers = (keys: Record<string, string[]>) => ({
    data: DATA,
    metadata: { resourceVersion: '7', managedFields: managed(keys) },
  });

  test('a key of our own goes by an apply without it', async () => {
    await using cluster = await configCluster(withManagers({ 'cilium-toolkit': ['debug', 'cluster-name'] }));
    const { stdout, stderr } = await cluster.run(['config', 'delete', 'debug']);
    expect(stdout).toBe(
      '✨ Removing key debug from ConfigMap cilium-config...\n⚠️  Restart Cilium pods for configmap changes to take effect\n',
    );
    expect(stderr).toBe('debug was "false". To undo it: cilium config set debug false\n');
    expect(cluster.written[0]?.body).toMatchObject({ data: { 'cluster-name': 'kind-kind' } });
    expect(cluster.written[0]?.body).not.toHaveProperty('data.debug');
  });

  // differs: config-delete-owner
  test('a key of somebody else stays, unless it is forced; then by a patch that tests the old value', async () => {
    await using cluster = await configCluster(withManagers({ helm: ['debug'], 'cilium-toolkit': ['debug'] }));
    const { stderr, code } = await cluster.run(['config', 'delete', 'debug']);
    expect([code, cluster.written]).toEqual([1, []]);
    expect(stderr).toContain('Error: Unable to delete config:  data.debug is managed by helm\n');
    expect((await cluster.run(['config', 'delete', 'debug', '--force-conflicts'])).code).toBe(0);
    expect(cluster.written).toEqual([
      {
        call: `PATCH ${MAP}?fieldManager=cilium-toolkit`,
        type: 'application/json-patch+json',
        body: [
          { op: 'test', path: '/data/debug', value: 'false' },
          { op: 'remove', path: '/data/debug' },
        ],
      },
    ]);
  });

  test('a key that nobody manages goes', async () => {
    await using cluster = await configCluster(withManagers({ helm: ['cluster-name'] }));
    expect((await cluster.run(['config', 'delete', 'debug'])).code).toBe(0);
    expect(cluster.written[0]?.type).toBe('application/json-patch+json');
  });

  test('a key that is not there is an error that names the nearest', async () => {
    await using cluster = await configCluster({ data: DATA });
    expect(await cluster.run(['config', 'delete', 'debugg'])).toEqual({
      stdout: '✨ Removing key debugg from ConfigMap cilium-config...\n',
      stderr:
        'Error: Unable to delete config:  the ConfigMap cilium-config has no key debugg\nDid you mean debug?\n',
      code: 1,
    });
  });
});

describe('--restart rolling', () => {
  const APPS = '/apis/apps/v1/namespaces/kube-system';
  const AGENTS = `${APPS}/daemonsets/cilium`;
  const OPERATOR = `${APPS}/deployments/cilium-operator`;
  const selector = (label: string) => ({
    selector: { matchLabels: { app: label } },
    template: { spec: { containers: [{ name: 'cilium-agent' }] } },
  });

  /** The agents are new and ready after so many looks. */
  const rolling = (looks: number, pods: object[] = [], strategy = 'RollingUpdate') => {
    let asked = 0;
    return configCluster({ data: DATA }, (call) => {
      const agents = {
        metadata: { name: 'cilium', namespace: 'kube-system', generation: 2 },
        spec: { ...selector('agents'), updateStrategy: { type: strategy } },
        status: {
          observedGeneration: 2,
          desiredNumberScheduled: 3,
          updatedNumberScheduled: Math.min(asked, 3),
          numberAvailable: 3,
        },
      };
      const operator = {
        metadata: { name: 'cilium-operator', namespace: 'kube-system', generation: 2 },
        spec: { ...selector('operator'), replicas: 1 },
        status: { observedGeneration: 2, replicas: 1, updatedReplicas: 1, availableReplicas: 1 },
      };
      if (call === `GET ${APPS}/daemonsets`) return { body: { items: [agents] } };
      if (call === `GET ${APPS}/deployments`) return { body: { items: [operator] } };
      if (call === `GET ${AGENTS}`) {
        asked += 3 / looks;
        return { body: agents };
      }
      if (call === `GET ${OPERATOR}`) return { body: operator };
      if (call.startsWith(`PATCH ${APPS}`)) return { body: {} };
      if (call === 'GET /api/v1/namespaces/kube-system/pods') return { body: { items: pods } };
      return undefined;
    });
  };

  // differs: config-set-restart
  test('rolls the operator and the agents out by their annotation, and waits', async () => {
    await using cluster = await rolling(3);
    const { stdout, stderr, code } = await cluster.run(
      ['config', 'set', 'debug', 'true', '--restart', 'rolling'],
      { nowMs: Date.UTC(2026, 0, 2) },
    );
    expect(code).toBe(0);
    expect(stdout).toContain('♻️  Restarted Cilium pods\n');
    expect(stderr).toContain('DaemonSet kube-system/cilium: 1 of 3 pods are new and ready\n');
    const restarts = cluster.written.filter(({ call }) => call.includes('/apps/'));
    expect(restarts.map(({ call }) => call)).toEqual([
      `PATCH ${OPERATOR}?fieldManager=cilium-toolkit`,
      `PATCH ${AGENTS}?fieldManager=cilium-toolkit`,
    ]);
    expect(restarts[1]?.body).toEqual({
      spec: {
        template: {
          metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': '2026-01-02T00:00:00.000Z' } },
        },
      },
    });
  });

  test.each([
    [
      { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 5m0s' } },
      'pod cilium-x on n1: the container waits: CrashLoopBackOff',
    ],
    [{ terminated: { reason: 'Error', exitCode: 1 } }, 'pod cilium-x on n1: the container ended: Error'],
    [{ running: {} }, 'pod cilium-x on n1: the container runs, and says that it is not ready'],
  ])('a restart that is stuck says why: %j', async (state, reason) => {
    const pod = {
      metadata: { name: 'cilium-x' },
      spec: { nodeName: 'n1' },
      status: {
        phase: 'Running',
        containerStatuses: [{ name: 'cilium-agent', ready: false, state }],
      },
    };
    await using cluster = await rolling(1000, [pod]);
    const { stderr, code } = await cluster.run([
      ...['config', 'delete', 'debug', '--restart', 'rolling', '--wait-duration', '10s'],
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain('Error: DaemonSet kube-system/cilium is not rolled out after 10s');
    expect(stderr).toContain(reason);
  });

  test('pods that are replaced only by hand are not waited for', async () => {
    await using cluster = await rolling(1, [], 'OnDelete');
    const { stderr, code } = await cluster.run(['config', 'set', 'debug', 'true', '--restart', 'rolling']);
    expect([code, cluster.written]).toEqual([1, []]);
    expect(stderr).toContain('replaces pods only when they are deleted');
  });
});
