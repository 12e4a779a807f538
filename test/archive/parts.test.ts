import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Recording } from '../../src/archive/recording.ts';
import { RecordedCluster } from '../../src/kube/recorded/cluster.ts';

const PATH = '/apis/apps/v1/namespaces/kube-system/daemonsets';

/** An archive with the DaemonSet of the agents, and without that of Envoy. */
async function daemonSets(envoy: 'failed' | 'absent', path: string): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), 'parts-'));
  try {
    const index = {
      format: 1,
      tasks: [{ task: '[1] Envoy', stem: 'cilium-envoy-daemonset', status: envoy, reason: 'timed out' }],
    };
    writeFileSync(join(folder, 'index.json'), JSON.stringify(index));
    writeFileSync(
      join(folder, 'cilium-daemonset-20261129-070000.yaml'),
      'apiVersion: apps/v1\nkind: DaemonSet\nmetadata:\n  name: cilium\n  namespace: kube-system\n',
    );
    const recording = await Recording.open(folder, 'a.zip');
    try {
      return await new RecordedCluster(recording).json({ path });
    } finally {
      await recording.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('a kind of which a part was not collected is not said to be whole', async () => {
  await expect(daemonSets('failed', `${PATH}/cilium`)).resolves.toMatchObject({
    metadata: { name: 'cilium' },
  });
  await expect(daemonSets('failed', `${PATH}/cilium-envoy`)).rejects.toThrow('timed out');
  await expect(daemonSets('failed', PATH)).rejects.toThrow('timed out');
});

test('a part that was not there is missing for certain', async () => {
  await expect(daemonSets('absent', `${PATH}/cilium-envoy`)).rejects.toThrow('not found');
  await expect(daemonSets('absent', PATH)).resolves.toMatchObject({
    items: [{ metadata: { name: 'cilium' } }],
  });
});

test('one that no item of the collection is about was not asked for', async () => {
  await expect(daemonSets('absent', `${PATH}/kube-proxy`)).rejects.toThrow(
    'holds no daemonsets "kube-proxy" (it was not asked for)',
  );
  await expect(daemonSets('absent', `${PATH}/something`)).rejects.toThrow(
    'holds no daemonsets "something" (no sysdump asks for it)',
  );
});
