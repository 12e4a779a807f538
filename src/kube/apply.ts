import type { KubernetesObject } from '@kubernetes/client-node';
import { errorCode, errorMessage } from '../errors.ts';
import { loadKubeConfig } from './config.ts';

/** How an object fared. */
export interface Applied {
  /** `kind namespace/name`. */
  name: string;
  outcome: string;
  error?: string;
}

export interface ApplyOptions {
  env: Readonly<Record<string, string | undefined>>;
  kubeconfig?: string | undefined;
  context?: string | undefined;
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

/** The sentence in an error of the API server. */
function apiMessage(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'body' in error) {
    const { body } = error;
    try {
      const status: unknown = typeof body === 'string' ? JSON.parse(body) : body;
      if (typeof status === 'object' && status !== null && 'message' in status) return String(status.message);
    } catch {
      // The body is no JSON: the error's own message has to do.
    }
  }
  const told = errorMessage(error).split('\n')[0] ?? '';
  const reason = rootCause(error);
  return reason === undefined ? told : `${told}: ${reason}`;
}

/** What the library's "fetch failed" hides: the code or message of the innermost error. */
function rootCause(error: unknown): string | undefined {
  let inner: unknown = error instanceof Error ? error.cause : undefined;
  while (inner instanceof Error && inner.cause !== undefined) inner = inner.cause;
  return inner === undefined ? undefined : (errorCode(inner) ?? errorMessage(inner));
}
