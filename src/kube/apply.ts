import { UserError } from '../errors.ts';
import { type FieldChange, fieldChanges } from '../lib/field-changes.ts';
import { KubeClient, type KubeObject, type KubeOptions, KubeRefusal, type Status } from './client.ts';
import { RESOURCE_LIST } from './forms.ts';

/** How an object fared. */
export interface Applied {
  /** `kind namespace/name`. */
  name: string;
  outcome: 'applied' | 'failed';
  /** Of the object, where it was applied. */
  uid?: string | undefined;
  /** The server counts a new version of it. Only told where it was asked for. */
  isChanged?: boolean;
  /** It was there already as it is applied. False where that may not be read. */
  isThere?: boolean;
  error?: string;
  hint?: string | undefined;
}

/** Which cluster, and whether in earnest. */
export interface ApplyOptions extends KubeOptions {
  /** The API server checks the objects and keeps nothing. */
  dryRun: boolean;
  /** Take over fields that somebody else manages. */
  forceConflicts: boolean;
  /** Whether it is told which objects have changed. */
  compare?: boolean;
  /** Told what would change in each object, before anything does: undefined where it is new. */
  onChanges?: ((name: string, changes: readonly FieldChange[] | undefined) => Promise<void>) | undefined;
  /** Told how many of the objects the API server has checked. */
  onChecked?: (count: number) => Promise<void>;
}

/** Whose fields the applied ones become. */
export const FIELD_MANAGER = 'cilium-toolkit';

/** Resources by kind, of the groups whose kinds need not be looked up. */
const RESOURCES: Readonly<Record<string, string>> = {
  'cilium.io/v2 CiliumNetworkPolicy': 'ciliumnetworkpolicies',
  'cilium.io/v2 CiliumClusterwideNetworkPolicy': 'ciliumclusterwidenetworkpolicies',
  'networking.k8s.io/v1 NetworkPolicy': 'networkpolicies',
};

/**
 * Applies objects (server-side apply). The API server checks all of them first: when it would refuse one, none is
 * applied. After that one that fails does not keep the others back, and the same run again ends in the same state.
 */
export async function* applyPolicyObjects(
  objects: readonly { value: Record<string, unknown>; namespace: string }[],
  options: ApplyOptions,
): AsyncGenerator<Applied> {
  await using client = await KubeClient.open(options);
  const resources = new Map(Object.entries(RESOURCES));
  const targets: { object: KubeObject; path: string; name: string; isThere: boolean }[] = [];
  const checked: Applied[] = [];
  for (const { value, namespace } of objects) {
    const object = applicable(value, namespace);
    const { name = '' } = object.metadata ?? {};
    const shown = `${object.kind} ${namespace === '' ? '' : `${namespace}/`}${name}`;
    const path = await pathOf(client, object, resources);
    const before = await findIfAllowed(client, path, options.onChanges !== undefined);
    const [applied, after] = await apply(client, path, object, shown, { ...options, dryRun: true });
    const changes = before && after && [...fieldChanges(written(before), written(after))];
    const isThere = changes?.length === 0;
    targets.push({ object, path, name: shown, isThere });
    checked.push({ ...applied, isThere });
    if (after) await options.onChanges?.(shown, changes);
    await options.onChecked?.(checked.length);
  }
  const failed = checked.filter(({ outcome }) => outcome === 'failed');
  if (options.dryRun || failed.length > 0) {
    yield* options.dryRun ? checked : failed;
    return;
  }
  for (const { object, path, name, isThere } of targets) {
    const before = options.compare ? await client.find<KubeObject>({ path }) : undefined;
    const [applied, after] = await apply(client, path, object, name, options);
    const isChanged = before?.metadata?.generation !== after?.metadata?.generation;
    yield { ...applied, isThere, uid: after?.metadata?.uid, ...(options.compare && { isChanged }) };
  }
}

/** What is there at a path. Unless it is needed, one that may not be read counts as none. */
async function findIfAllowed(
  client: KubeClient,
  path: string,
  isNeeded: boolean,
): Promise<KubeObject | undefined> {
  try {
    return await client.find<KubeObject>({ path });
  } catch (error) {
    if (isNeeded || !(error instanceof KubeRefusal)) throw error;
    return undefined;
  }
}

/** What somebody wrote of an object, and not the server. */
function written({ metadata = {}, ...object }: KubeObject): Record<string, unknown> {
  const { labels, annotations } = metadata;
  const { status: _, ...rest } = object as Record<string, unknown>;
  return { ...rest, metadata: { labels, annotations } };
}

/** How an object fared, and what the server made of it where it took it. */
async function apply(
  client: KubeClient,
  path: string,
  object: KubeObject,
  name: string,
  { dryRun, forceConflicts }: ApplyOptions,
): Promise<[Applied, KubeObject?]> {
  try {
    const after = await client.json<KubeObject>({
      method: 'PATCH',
      path,
      query: {
        fieldManager: FIELD_MANAGER,
        ...(dryRun && { dryRun: 'All' }),
        ...(forceConflicts && { force: true }),
      },
      body: object,
      contentType: 'application/apply-patch+yaml',
    });
    return [{ name, outcome: 'applied' }, after];
  } catch (error) {
    if (!(error instanceof KubeRefusal)) throw error;
    const { code, status, message, hint } = error;
    const isUnknown = code === 404 && status.message === undefined;
    const told = isUnknown
      ? `the cluster has no resource ${object.kind} of ${object.apiVersion}`
      : (status.message ?? message);
    if (code !== 409) return [{ name, outcome: 'failed', error: told, hint }];
    return [{ name, outcome: 'failed', ...conflictOf(status, told) }];
  }
}

/** A conflict, field by field with who manages it. The hint is there when it is one of managers. */
export function conflictOf(status: Status, told: string): Pick<Applied, 'error' | 'hint'> {
  const rows = (status.details?.causes ?? [])
    .filter(({ reason }) => reason === 'FieldManagerConflict')
    .map(({ field = '', message = '' }) => {
      const owner = /^conflict with "([^"]*)"/.exec(message)?.[1] ?? message;
      return `${field.replace(/^\./, '')} is managed by ${owner}`;
    });
  if (rows.length === 0) return { error: told, hint: undefined };
  return {
    error: `another manager has set: ${rows.join('; ')}`,
    hint: 'Change it where it is managed (Helm, Argo CD, Flux, kubectl), or take the fields over with --force-conflicts.',
  };
}

/** The path of an object. Kinds that are not known are asked for. */
async function pathOf(
  client: KubeClient,
  object: KubeObject,
  resources: Map<string, string>,
): Promise<string> {
  const { apiVersion = '', kind = '', metadata = {} } = object;
  const key = `${apiVersion} ${kind}`;
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  if (!resources.has(key)) {
    const found = await client.find<{ resources?: { name: string; kind: string }[] }>({
      path: root,
      form: RESOURCE_LIST,
    });
    for (const resource of found?.resources ?? [])
      if (!resource.name.includes('/')) resources.set(`${apiVersion} ${resource.kind}`, resource.name);
  }
  const plural = resources.get(key);
  if (plural === undefined)
    throw new UserError(`the cluster has no resource ${kind} of ${apiVersion}`, {
      hint: 'Is Cilium installed there, with this version of its CRDs?',
    });
  const scope = metadata.namespace ? `/namespaces/${encodeURIComponent(metadata.namespace)}` : '';
  return `${root}${scope}/${plural}/${encodeURIComponent(metadata.name ?? '')}`;
}

/** The object without what only the server may write, in the namespace it is meant for. */
function applicable(value: Record<string, unknown>, namespace: string): KubeObject {
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
