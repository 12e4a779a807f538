import { expect, test } from '@jest/globals';
import { releaseSecret, startInstallCluster } from '../helpers/install-cluster.ts';

const CONFIG = '/api/v1/namespaces/kube-system/configmaps/cilium-config';

// differs: install-foreign
test.each([
  [['uninstall', '--yes']],
  [['uninstall', '--yes', '--crds']],
  [['uninstall', '--dry-run']],
  [['upgrade', '--version', '1.20.0', '--yes']],
  [['upgrade', '--version', '1.20.0', '--dry-run']],
  [['hubble', 'enable', '--yes']],
  [['hubble', 'disable', '--yes']],
  [['clustermesh', 'enable', '--service-type', 'NodePort', '--yes']],
  [['clustermesh', 'disable', '--yes']],
])('%j leaves the release of another chart alone', async (argv) => {
  await using here = await startInstallCluster({
    ...releaseSecret({ chartName: 'prometheus', chart: '25.1.0' }),
    [CONFIG]: { metadata: { name: 'cilium-config' }, data: { 'cluster-name': 'c', 'cluster-id': '1' } },
  });
  const { stderr, code } = await here.run([...argv, '-n', 'kube-system']);
  expect(stderr).toContain(
    'the Helm release cilium in the namespace kube-system is of the chart prometheus 25.1.0, not of cilium: nothing was changed',
  );
  expect([code, here.changes, here.helm.calls()]).toEqual([1, [], []]);
});
