import type { KubeClient, KubeObject } from './client.ts';
import { listAll } from './pages.ts';
import { DEFINITIONS } from './paths.ts';

interface DefinitionObject extends KubeObject {
  spec?: {
    group?: string;
    names?: { plural?: string };
    versions?: { name?: string; served?: boolean }[];
  };
  status?: { storedVersions?: string[] };
}

/** The definitions of `cilium.io`: their versions, and those that objects are stored in. */
export function listDefinitions(
  client: KubeClient,
): Promise<{ plural: string; served: string[]; stored: string[] }[]> {
  // Whole schemas are large.
  return listAll<DefinitionObject, { plural: string; served: string[]; stored: string[] }>(
    client,
    DEFINITIONS,
    { limit: 20 },
    ({ spec = {}, status }) => {
      if (spec.group !== 'cilium.io') return undefined;
      return {
        plural: spec.names?.plural ?? '',
        served: (spec.versions ?? []).flatMap(({ name = '', served }) => (served ? [name] : [])),
        stored: status?.storedVersions ?? [],
      };
    },
  );
}

/** How many objects of a kind there are. */
export async function countObjects(client: KubeClient, plural: string, version: string): Promise<number> {
  const names = await listAll<KubeObject, string>(
    client,
    `/apis/cilium.io/${version}/${plural}`,
    { namesOnly: true },
    ({ metadata }) => metadata?.name ?? '',
  );
  return names.length;
}

interface Node extends KubeObject {
  status?: { nodeInfo?: { kernelVersion?: string } };
}

/** The kernels of all nodes. */
export function listKernels(client: KubeClient): Promise<{ node: string; kernel: string }[]> {
  return listAll<Node, { node: string; kernel: string }>(
    client,
    '/api/v1/nodes',
    {},
    ({ metadata, status }) => ({
      node: metadata?.name ?? '',
      kernel: status?.nodeInfo?.kernelVersion ?? '',
    }),
  );
}
