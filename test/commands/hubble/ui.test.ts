import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { serveRelayCluster } from '../../helpers/relay-cluster.ts';
import { run } from '../../helpers/run.ts';

// differs: hubble-ui-screen
test('the page of the cluster is at a port of this machine; without a screen nothing is opened', async () => {
  const page = createServer((_, response) => response.end('the page')).listen(0, '127.0.0.1');
  await once(page, 'listening');
  await using cluster = await serveRelayCluster({}, { service: 'hubble-ui' });
  Object.assign(cluster.pods, { ui: (page.address() as AddressInfo).port });
  const stop = new AbortController();
  let url = '';
  const done = run(['hubble', 'ui', '--port-forward', '0'], {
    env: { KUBECONFIG: cluster.kubeconfig },
    signal: stop.signal,
    onStdout: (text) => {
      url = /"(http:[^"]+)"/.exec(text)?.[1] ?? '';
      fetch(url)
        .then((answer) => answer.text())
        .then((text) => expect(text).toBe('the page'))
        .finally(() => stop.abort());
    },
  });
  const { stdout, stderr, code } = await done;
  expect([stdout, stderr, code]).toEqual([`ℹ️  Hubble UI is available at "${url}"\n`, '', 0]);
  expect(cluster.seen.filter((line) => line.startsWith('WS'))).toEqual([
    'WS /api/v1/namespaces/kube-system/pods/ui/portforward?ports=4245',
  ]);
  page.close();
});
