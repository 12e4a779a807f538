import type { CgroupRow } from '../../model/cgroup.ts';
import type { AgentClient } from '../client.ts';
import { Answer } from './answer.ts';

/** The control groups of the node's pods. */
export async function listCgroups(agent: AgentClient): Promise<Answer<CgroupRow[]>> {
  const pods = (await agent.get('/cgroup-dump-metadata')).at('pod-metadatas');
  return new Answer(pods.document ?? null, 'CgroupPodMetadata[]', () =>
    pods.items().map((pod) => ({
      name: pod.text('name'),
      namespace: pod.text('namespace'),
      ids: pod
        .at('containers')
        .items()
        .map((container) => container.exact('cgroup-id')),
    })),
  );
}
