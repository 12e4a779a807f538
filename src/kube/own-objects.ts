import { UserError } from '../errors.ts';
import { conflictOf, FIELD_MANAGER } from './apply.ts';
import { type KubeClient, type KubeObject, KubeRefusal } from './client.ts';
import { DELETED } from './forms.ts';

/** An object of this program's own: tests and what they need. */
export interface OwnObject extends KubeObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; [field: string]: unknown };
}

const PLURALS: Readonly<Record<string, string>> = {
  Namespace: 'namespaces',
  ServiceAccount: 'serviceaccounts',
  Deployment: 'deployments',
  Service: 'services',
  CiliumNetworkPolicy: 'ciliumnetworkpolicies',
  NetworkPolicy: 'networkpolicies',
};

/** Path of an object of one of these kinds. */
export function pathOfObject({ apiVersion, kind, metadata }: OwnObject): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const { name, namespace } = metadata;
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${scope}/${PLURALS[kind] ?? ''}/${encodeURIComponent(name)}`;
}

/** Applies an object without force, and returns it as the server has it then. */
export async function putOwn(client: KubeClient, object: OwnObject): Promise<KubeObject> {
  try {
    return await client.json<KubeObject>({
      method: 'PATCH',
      path: pathOfObject(object),
      query: { fieldManager: FIELD_MANAGER },
      body: object,
      contentType: 'application/apply-patch+yaml',
    });
  } catch (error) {
    if (!(error instanceof KubeRefusal)) throw error;
    const { name, namespace } = object.metadata;
    const shown = `${object.kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
    const told = error.status.message ?? error.message;
    const { error: what = told, hint } = error.code === 409 ? conflictOf(error.status, told) : {};
    throw new UserError(`${shown} cannot be applied: ${what}`, { hint: hint ?? error.hint, cause: error });
  }
}

/** Deletes an object and what depends on it. One that is gone is no error; with a uid only that very one is deleted. */
export async function dropOwn(client: KubeClient, path: string, uid?: string): Promise<void> {
  try {
    await client.json({
      method: 'DELETE',
      path,
      form: DELETED,
      body: {
        kind: 'DeleteOptions',
        apiVersion: 'v1',
        propagationPolicy: 'Background',
        ...(uid !== undefined && { preconditions: { uid } }),
      },
    });
  } catch (error) {
    if (!(error instanceof KubeRefusal && error.code === 404)) throw error;
  }
}
