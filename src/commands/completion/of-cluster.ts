import type { KubeObject } from '../../kube/client.ts';
import { PAGE } from '../../kube/pages.ts';
import { openCluster } from '../../kube/road.ts';
import { isRecord } from '../../lib/record.ts';
import type { Ask, Candidate, Source } from './place.ts';

/** The names of what a path of the API lists, the first page of them. */
async function named(ask: Ask, path: string): Promise<NonNullable<KubeObject['metadata']>[]> {
  await using client = await openCluster(ask.ctx);
  // To log in may start a program that opens a browser: not for a key press.
  if (!client.recorded && isRecord(client.config.getCurrentUser()?.exec)) return [];
  const list = await client.json<{ items?: KubeObject[] | null }>({
    path,
    query: { limit: PAGE },
    accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json',
  });
  return (list.items ?? []).flatMap(({ metadata }) => metadata ?? []);
}

const names =
  (path: string): Source =>
  async (ask) =>
    (await named(ask, path)).map(({ name = '' }) => ({ value: name, meaning: '' }));

export const namespaces: Source = names('/api/v1/namespaces');

export const nodes: Source = names('/api/v1/nodes');

/** Pods of the cluster as `namespace/name`; of one namespace once it is typed. */
export const pods: Source = async (ask) => {
  const [, namespace] = /^([a-z0-9-]+)\//.exec(ask.current) ?? [];
  const path = namespace ? `/api/v1/namespaces/${namespace}/pods` : '/api/v1/pods';
  return (await named(ask, path)).map(({ name, namespace: of }) => ({ value: `${of}/${name}`, meaning: '' }));
};

/** Keys of Cilium's ConfigMap. */
export const configKeys: Source = async ({ ctx }) => {
  await using client = await openCluster(ctx);
  if (!client.recorded && isRecord(client.config.getCurrentUser()?.exec)) return [];
  const namespace = encodeURIComponent(ctx.globals.cluster?.namespace ?? 'kube-system');
  const map = await client.json<{ data?: Record<string, string> }>({
    path: `/api/v1/namespaces/${namespace}/configmaps/cilium-config`,
  });
  const keys: Candidate[] = Object.entries(map.data ?? {}).map(([value, meaning]) => ({ value, meaning }));
  return keys;
};

/** Contexts of the kubeconfig. */
export const contexts: Source = async ({ ctx, command }) => {
  const { readKubeConfig } = await import('../../kube/config.ts');
  const kubeconfig = command.opts<{ kubeconfig?: string }>().kubeconfig;
  const config = await readKubeConfig(ctx.env, { kubeconfig: kubeconfig ?? ctx.globals.cluster?.kubeconfig });
  return config.getContexts().map(({ name, cluster }) => ({ value: name, meaning: `cluster ${cluster}` }));
};
