import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { fixturePath } from '../../helpers/recordings.ts';
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
  const done = run(['hubble', 'ui', '--upstream', '--local-port', '0'], {
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

// differs: hubble-ui
test('without --upstream it serves a page of its own, which no cluster is asked for', async () => {
  const stop = new AbortController();
  let answer: Promise<Response> | undefined;
  const { stdout, code } = await run(
    ['hubble', 'ui', '--input-file', fixturePath('recordings/flows-1.20.jsonl'), '--open-browser=false'],
    {
      signal: stop.signal,
      onStdout: (text) => {
        answer = fetch(/http\S+/.exec(text)?.[0] ?? '', { redirect: 'manual' });
        void answer.finally(() => stop.abort());
      },
    },
  );
  expect([stdout, code]).toEqual([
    expect.stringMatching(/^The page is at http:\/\/127\.0\.0\.1:\d+\/\?token=\S+\n$/),
    0,
  ]);
  expect((await answer)?.status).toBe(303);
});

test.each([
  [['--input-file', '/nowhere/flows.jsonl'], 'open /nowhere/flows.jsonl: no such file or directory\n'],
  [['--server', 'unix:///nowhere/hubble.sock'], /no such file or directory/],
])('a page of what cannot be read is not offered: %j', async (words, message) => {
  const { stdout, stderr, code } = await run(['hubble', 'ui', '--open-browser=false', ...words], {
    realTime: true,
  });
  expect([stdout, code]).toEqual(['', 1]);
  expect(stderr).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
});
