import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import type { HelmCall } from '../helpers/fake-helm.ts';
import { HELM_SCRIPT, releaseSecret, startInstallCluster } from '../helpers/install-cluster.ts';

const PROXY = {
  '/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy': { metadata: { name: 'kube-proxy' } },
};
const CHART = ['--chart', '/chart'];
const WARNING = '⚠️  You maybe need to restart Cilium pods for configmap changes to take effect\n';
/** The upgrade in earnest, not the dry runs before it. */
const upgradeOf = (calls: HelmCall[]) =>
  calls.find(({ argv }) => argv[0] === 'upgrade' && !argv.some((word) => word.startsWith('--dry-run')));
const CONFIG = (data: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cilium-config, namespace: kube-system}\ndata: {a: "${data}"}\n`;
const SECRET = (key: string) =>
  `---\napiVersion: v1\nkind: Secret\nmetadata: {name: ca, namespace: kube-system}\ndata: {key: ${key}}\n`;
const rendering = (manifest: string, version = '1.20.0') =>
  HELM_SCRIPT.replace('1.20.0', version).replace(
    '"manifest":""',
    `"manifest":${JSON.stringify(manifest).replaceAll('\\', '\\\\')}`,
  );

// differs: upgrade-diff, upgrade-dry-run
test('what changes is shown object by object; of secrets only that they change', async () => {
  await using here = await startInstallCluster(
    { ...PROXY, ...releaseSecret({ manifest: `${CONFIG('1')}${SECRET('aHVudGVyMg==')}` }) },
    { script: rendering(`${CONFIG('2')}${SECRET('aHVudGVyMw==')}`) },
  );
  const diff = `From revision 1 (1.20.0) to 1.20.0:
ConfigMap kube-system/cilium-config:
  ~ data.a: "1" -> "2"
Secret kube-system/ca:
  ~ data.key: "(hidden)" -> "(hidden)"
0 objects without a change.
`;
  expect(await here.run(['upgrade', ...CHART, '--diff'])).toEqual({ stdout: diff, stderr: '', code: 0 });
  expect(upgradeOf(here.helm.calls())).toBeUndefined();
  const dry = await here.run(['upgrade', ...CHART, '--dry-run', '--restart']);
  expect([dry.stdout, dry.stderr]).toEqual([`${CONFIG('2')}${SECRET('aHVudGVyMw==')}\n`, '']);
  expect([upgradeOf(here.helm.calls()), here.changes]).toEqual([undefined, []]);
  const done = await here.run(['upgrade', ...CHART]);
  expect(done.stderr).toBe(diff);
  expect(done.stdout).toBe(
    `ℹ️  Using Cilium version 1.20.0\n🔮 Auto-detected cluster name: c\n🔮 Auto-detected kube-proxy has been installed\n${WARNING}`,
  );
  expect(upgradeOf(here.helm.calls())?.argv).toEqual(
    expect.arrayContaining([
      'upgrade',
      'cilium',
      '/chart',
      '--reset-then-reuse-values',
      '--history-max',
      '10',
    ]),
  );
});

// differs: upgrade-jump
describe('versions', () => {
  test.each([
    ['1.17.3', '1.18.0', undefined],
    ['1.17.3', '1.17.4', undefined],
    ['1.18.0-rc.1', '1.18.0', undefined],
    [
      '1.17.3',
      '1.19.0',
      '1.19.0 is more than one minor version after 1.17.3, which is installed: 1.18 would be left out',
    ],
    [
      '1.17.3',
      '1.20.1',
      '1.20.1 is more than one minor version after 1.17.3, which is installed: 1.18, 1.19 would be left out',
    ],
    ['1.17.3', '1.17.2', '1.17.2 is older than 1.17.3, which is installed'],
    ['1.18.0', '1.18.0-rc.1', '1.18.0-rc.1 is older than 1.18.0, which is installed'],
  ])('%s to %s', async (from, to, message) => {
    await using here = await startInstallCluster(
      { ...PROXY, ...releaseSecret({ chart: from }) },
      { script: rendering('', to) },
    );
    const { stderr, code } = await here.run(['upgrade', ...CHART]);
    if (message === undefined) expect(code).toBe(0);
    else {
      expect([stderr.split('\n')[0], code]).toEqual([
        `Error: Unable to upgrade Cilium: ${message}: nothing was changed`,
        1,
      ]);
      expect(upgradeOf(here.helm.calls())).toBeUndefined();
      expect((await here.run(['upgrade', ...CHART, '--diff'])).stderr).toContain(`Note: ${message}.`);
      expect((await here.run(['upgrade', ...CHART, '--allow-version-jump'])).code).toBe(0);
    }
  });
});

test('values of the release that the new version no longer has are told', async () => {
  await using here = await startInstallCluster({
    ...PROXY,
    ...releaseSecret({ chart: '1.19.0', config: { tunnel: 'disabled' } }),
  });
  const refused = await here.run(['upgrade', ...CHART]);
  expect(refused.stderr).toMatch(/release:1:1: error: tunnel is gone/);
  expect(refused.code).toBe(1);
  expect((await here.run(['upgrade', ...CHART, '--reset-values'])).code).toBe(0);
});

// differs: upgrade-proxy
test('what the release says of kube-proxy stays', async () => {
  await using here = await startInstallCluster(
    releaseSecret({ config: { kubeProxyReplacement: false, k8sServiceHost: 'h' } }),
  );
  const { stderr, stdout } = await here.run(['upgrade', ...CHART]);
  expect(stderr).toContain('Note: kubeProxyReplacement is off by the values, and no kube-proxy runs');
  expect(stdout).not.toContain('fully replace');
  const texts = upgradeOf(here.helm.calls())?.values.map(({ text }) => JSON.parse(text));
  expect(Object.assign({}, ...(texts ?? []))).toEqual({ k8sServicePort: expect.any(Number) });
});

// differs: upgrade-restart
test('--restart rolls out anew, the operator first', async () => {
  const operator = '/apis/apps/v1/namespaces/kube-system/deployments/cilium-operator';
  const agents = '/apis/apps/v1/namespaces/kube-system/daemonsets/cilium';
  await using here = await startInstallCluster({
    ...PROXY,
    ...releaseSecret(),
    [operator]: { metadata: { name: 'cilium-operator', namespace: 'kube-system' } },
    [agents]: { metadata: { name: 'cilium', namespace: 'kube-system' } },
  });
  const { stdout, code } = await here.run(['upgrade', ...CHART, '-r'], { nowMs: 1000 });
  expect([stdout.split('\n').at(-2), code]).toEqual(['♻️  Force restarted Cilium pods', 0]);
  const annotations = { 'kubectl.kubernetes.io/restartedAt': '1970-01-01T00:00:01.000Z' };
  const body = { spec: { template: { metadata: { annotations } } } };
  expect(here.changes.filter(({ path }) => [operator, agents].includes(path))).toEqual([
    { method: 'PATCH', path: operator, body },
    { method: 'PATCH', path: agents, body },
  ]);
});

test('a failure says what is left behind, and the way back', async () => {
  await using here = await startInstallCluster(
    { ...PROXY, ...releaseSecret({ version: 4 }), ...releaseSecret({ version: 5, status: 'failed' }) },
    {
      script: `case "$*" in *--dry-run*|*"show chart"*) ;; upgrade*) echo 'Error: UPGRADE FAILED: post-upgrade hooks failed: x' >&2; exit 1;; esac\n${HELM_SCRIPT}`,
    },
  );
  const { stderr, code } = await here.run(['upgrade', ...CHART, '--context', 'k']);
  expect(stderr).toContain(`Error: Unable to upgrade Cilium: post-upgrade hooks failed: x
Revision 5 is left in the state "failed": objects of it may be changed already. Back to revision 4: helm rollback cilium 4 --namespace kube-system --kube-context k
`);
  expect(code).toBe(1);
});

test('a helm that was ended in the middle is told, with the way back', async () => {
  await using here = await startInstallCluster({
    ...PROXY,
    ...releaseSecret({ version: 4 }),
    ...releaseSecret({ version: 5, status: 'pending-upgrade' }),
  });
  for (const argv of [
    ['upgrade', ...CHART],
    ['hubble', 'enable'],
  ]) {
    const { stderr, code } = await here.run(argv);
    expect(stderr).toContain(`another operation (install/upgrade/rollback) is in progress
Revision 5 is in the state "pending-upgrade". If no helm runs any more: helm rollback cilium 4 --namespace kube-system
`);
    expect(code).toBe(1);
  }
  expect(here.helm.calls()).toEqual([]);
});

test('without a release it says so', async () => {
  await using here = await startInstallCluster();
  const { stderr, code } = await here.run(['upgrade', ...CHART]);
  expect([stderr, code]).toEqual([
    'Error: Unable to upgrade Cilium: there is no Helm release cilium in the namespace kube-system\n' +
      'Name the place and the release: --namespace, --helm-release-name. To install it: cilium install\n',
    1,
  ]);
});

test('--force-conflicts needs helm 4', async () => {
  await using here = await startInstallCluster({ ...PROXY, ...releaseSecret() }, { version: 'v3.22.0' });
  const { stderr, code } = await here.run(['upgrade', ...CHART, '--force-conflicts']);
  expect(stderr).toContain('--force-conflicts needs helm 4');
  expect(code).toBe(1);
});

describe('hubble', () => {
  const hubbleOf = (calls: HelmCall[]) => JSON.parse(upgradeOf(calls)?.values[0]?.text ?? '{}');

  // differs: hubble-enable-ui
  test('enable leaves the UI as it is unless it is named', async () => {
    await using here = await startInstallCluster(releaseSecret({ version: 2 }));
    const { stdout, stderr, code } = await here.run(['hubble', 'enable']);
    expect([stdout, stderr, code]).toEqual([
      '',
      'Revision 2 of the release cilium: hubble.relay.enabled=true.\n',
      0,
    ]);
    expect(hubbleOf(here.helm.calls())).toEqual({ hubble: { relay: { enabled: true } } });
    expect(upgradeOf(here.helm.calls())?.argv).toEqual(
      expect.arrayContaining([
        'upgrade',
        'cilium',
        expect.stringContaining('cilium-chart-'),
        '--reuse-values',
      ]),
    );
  });

  test.each([
    [['--ui'], { relay: { enabled: true }, ui: { enabled: true } }],
    [['--ui=false'], { relay: { enabled: true }, ui: { enabled: false } }],
    [['--relay=false'], { relay: { enabled: false } }],
  ])('enable %j', async (flags, hubble) => {
    await using here = await startInstallCluster(releaseSecret());
    expect((await here.run(['hubble', 'enable', ...flags])).code).toBe(0);
    expect(hubbleOf(here.helm.calls())).toEqual({ hubble });
  });

  // differs: hubble-enable-off
  test('enable where Hubble itself is off switches it on', async () => {
    await using here = await startInstallCluster(releaseSecret({ config: { hubble: { enabled: false } } }));
    await here.run(['hubble', 'enable']);
    expect(hubbleOf(here.helm.calls())).toEqual({ hubble: { enabled: true, relay: { enabled: true } } });
  });

  test('disable switches both off; a dry run changes nothing', async () => {
    await using here = await startInstallCluster(releaseSecret());
    const dry = await here.run(['hubble', 'disable', '--dry-run']);
    expect(dry.stdout).toBe(
      'Would set hubble.relay.enabled=false and hubble.ui.enabled=false in the release kube-system/cilium.\n',
    );
    expect(upgradeOf(here.helm.calls())).toBeUndefined();
    await here.run(['hubble', 'disable']);
    expect(hubbleOf(here.helm.calls())).toEqual({
      hubble: { relay: { enabled: false }, ui: { enabled: false } },
    });
  });

  test('without a UI it is said how it comes', async () => {
    await using here = await startInstallCluster();
    const { stderr, code } = await here.run(['hubble', 'ui', '--upstream']);
    expect(stderr).toContain('failed to port forward: failed to get service "hubble-ui"');
    expect(stderr).toContain('cilium hubble enable --ui installs it.');
    expect(code).toBe(1);
  });

  test('a chart of the cluster that leads out of its folder is not written', async () => {
    const secret = releaseSecret();
    const [path = '', object] = Object.entries(secret)[0] ?? [];
    await using here = await startInstallCluster({ [path]: withFile(object, '../../evil') });
    const { stderr, code } = await here.run(['hubble', 'enable']);
    expect(stderr).toContain('the chart of the release has a file outside of it: "../../evil"');
    expect(code).toBe(1);
  });
});

/** The Secret of a release with one file more in its chart. */
function withFile(object: object | undefined, name: string): object {
  const { data } = object as { data: { release: string } };
  const inner = Buffer.from(Buffer.from(data.release, 'base64').toString(), 'base64');
  const release = JSON.parse(gunzipSync(inner).toString());
  release.chart.files = [{ name, data: '' }];
  const packed = Buffer.from(gzipSync(JSON.stringify(release)).toString('base64')).toString('base64');
  return { ...object, data: { release: packed } };
}
