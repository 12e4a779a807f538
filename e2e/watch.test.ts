import { expect, test } from '@jest/globals';
import { KubeClient } from '../src/kube/client.ts';
import { listAll } from '../src/kube/pages.ts';
import { watch } from '../src/kube/watch.ts';
import { startApiServer } from './api-server.ts';

const PATH = '/api/v1/namespaces/default/configmaps';

test('a watch goes on where it was when the server is killed and started again; lists come in pages', async () => {
  await using server = await startApiServer();
  const create = (name: string) =>
    server.call('POST', PATH, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
  for (let i = 0; i < 1100; i++) await create(`c${i}`);
  const stop = new AbortController();
  await using client = await KubeClient.open({
    env: {},
    kubeconfig: server.kubeconfig('admin'),
    signal: stop.signal,
  });
  const names = await listAll(client, PATH, {}, ({ metadata }) => metadata?.name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.filter((name) => /^c\d+$/.test(name))).toHaveLength(1100);
  const seen: string[] = [];
  for await (const event of watch(client, PATH)) {
    if (event.type === 'SYNCED') {
      await create('before');
    } else if ('object' in event && event.object.metadata?.name === 'before') {
      seen.push('before');
      await server.kill();
      void server.start().then(() => create('after'));
    } else if (event.type === 'RESUMED') seen.push('resumed');
    else if ('object' in event && event.object.metadata?.name === 'after') {
      seen.push('after');
      break;
    }
  }
  stop.abort();
  expect(seen).toEqual(['before', 'resumed', 'after']);
});
