import { expect, test } from '@jest/globals';
import { runWith } from '../../helpers/agent.ts';

test('cgroups list has a line per container', async () => {
  const body = {
    'pod-metadatas': [
      { name: 'web', namespace: 'shop', containers: [{ 'cgroup-id': 1 }, { 'cgroup-id': 22 }] },
      { name: 'idle', namespace: 'shop' },
    ],
  };
  const { stdout } = await runWith(['cgroups', 'list', '--no-headers'], {
    'GET /v1/cgroup-dump-metadata': { body },
  });
  expect(stdout).toBe('web   shop   1    \n             22   \n');
});
