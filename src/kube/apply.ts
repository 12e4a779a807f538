import type { KubernetesObject } from '@kubernetes/client-node';
import { apiMessage } from './answer.ts';
import { type ClusterFlags, loadKubeConfig } from './config.ts';

/** How an object fared. */
export interface Applied {
  /** `kind namespace/name`. */
  name: string;
  outcome: string;
  error?: string;
}

/** Which cluster, and whether in earnest. */
export interface ApplyOptions extends ClusterFlags {
  env: Readonly<Record<string, string | undefined>>;
  /** The API server checks the objects and keeps nothing. */
  dryRun: boolean;
}

/** Whose fields the applied ones become. */
const FIELD_MANAGER = 'cilium-toolkit';

/** Applies objects one after the other (server-side apply); one that fails does not keep the others back. */
export async function* applyPolicyObjects(
  objects: readonly { value: Record<string, unknown>; namespace: string }[],
  options: ApplyOptions,
): AsyncGenerator<Applied> {
  const config = await loadKubeConfig(options.env, options);
  const { KubernetesObjectApi, PatchStrategy } = await import('@kubernetes/client-node');
  const api = KubernetesObjectApi.makeApiClient(config);
  for (const { value, namespace } of objects) {
    const object = applicable(value, namespace);
    const { name = '' } = object.metadata ?? {};
    const shown = `${object.kind} ${namespace === '' ? '' : `${namespace}/`}${name}`;
    try {
      await api.patch(
        object,
        undefined,
        options.dryRun ? 'All' : undefined,
        FIELD_MANAGER,
        true,
        PatchStrategy.ServerSideApply,
      );
      yield { name: shown, outcome: 'applied' };
    } catch (error) {
      yield { name: shown, outcome: 'failed', error: apiMessage(error) };
    }
  }
}

/** The object without what only the server may write, in the namespace it is meant for. */
function applicable(value: Record<string, unknown>, namespace: string): KubernetesObject {
  const { status: _, ...object } = value;
  const metadata: Record<string, unknown> =
    typeof value.metadata === 'object' && value.metadata !== null ? { ...value.metadata } : {};
  for (const field of [
    'managedFields',
    'resourceVersion',
    'uid',
    'creationTimestamp',
    'generation',
    'selfLink',
  ])
    delete metadata[field];
  if (namespace === '') delete metadata.namespace;
  return { ...object, metadata: { ...metadata, ...(namespace !== '' && { namespace }) } };
}
