import { UserError } from '../errors.ts';
import { conflictOf, FIELD_MANAGER } from './apply.ts';
import { type KubeClient, type KubeObject, KubeRefusal } from './client.ts';
import { pathIn } from './paths.ts';

/** The ConfigMap that agents and operators are configured by, in every release. */
export const CONFIG_MAP = 'cilium-config';

/** The ConfigMap as it is, and who has set which key. */
export interface StoredConfig {
  namespace: string;
  data: Record<string, string>;
  /** Managers by key. Who manages nothing, as after an import from a backup, is not named. */
  managers: Map<string, string[]>;
  object: KubeObject;
}

/** How a change of one key is to be made. */
export interface ChangeOptions {
  /** The API server checks the change and keeps nothing. */
  dryRun: boolean;
  /** Take over a key that somebody else manages. */
  forceConflicts: boolean;
}

interface ManagedFields {
  manager?: string;
  operation?: string;
  fieldsV1?: { 'f:data'?: Record<string, unknown> };
}

/** So often a change is tried again that another writer got in before. */
const TRIES = 5;
const CONFLICT = 409;

export function configMapPath(namespace: string): string {
  return pathIn(namespace, 'configmaps', CONFIG_MAP);
}

/** Reads the ConfigMap. Throws KubeRefusal when it is not there. */
export async function readConfigMap(client: KubeClient, namespace: string): Promise<StoredConfig> {
  const object = await client.json<KubeObject & { data?: Record<string, string> }>({
    path: configMapPath(namespace),
  });
  // A key may have the name of what every object has.
  const data = Object.assign(Object.create(null), object.data) as Record<string, string>;
  return { namespace, data, managers: managersOf(object), object };
}

function managersOf({ metadata }: KubeObject): Map<string, string[]> {
  const managers = new Map<string, string[]>();
  for (const { manager = '', fieldsV1 } of (metadata?.managedFields ?? []) as ManagedFields[])
    for (const field of Object.keys(fieldsV1?.['f:data'] ?? {})) {
      if (!field.startsWith('f:')) continue;
      const key = field.slice(2);
      const known = managers.get(key) ?? [];
      if (!known.includes(manager)) managers.set(key, [...known, manager]);
    }
  return managers;
}

/**
 * Sets one key and leaves all others as they are. Of two that write at once none is lost. Returns the value that it had;
 * undefined when it was not there.
 */
export function setKey(
  client: KubeClient,
  first: StoredConfig,
  key: string,
  value: string,
  options: ChangeOptions,
): Promise<string | undefined> {
  return retried(client, first, async (stored) => {
    await apply(client, stored, { ...ownKeys(stored), [key]: value }, options);
    return stored.data[key];
  });
}

/**
 * Removes one key. Server-side apply removes what this program alone has set; what somebody else has set, or nobody, is
 * removed by a patch that fails when the value is no longer the one that was read. Returns that value.
 */
export function deleteKey(
  client: KubeClient,
  first: StoredConfig,
  key: string,
  options: ChangeOptions,
): Promise<string | undefined> {
  return retried(client, first, async (stored) => {
    const value = stored.data[key];
    if (value === undefined) return value;
    const managers = stored.managers.get(key) ?? [];
    const others = managers.filter((manager) => manager !== FIELD_MANAGER);
    if (others.length > 0 && !options.forceConflicts)
      throw new UserError(`data.${key} is managed by ${others.join(', ')}`, {
        hint: 'Remove it where it is managed (Helm, Argo CD, Flux, kubectl), or remove it here with --force-conflicts.',
      });
    const { [key]: _, ...rest } = ownKeys(stored);
    if (others.length === 0 && managers.length > 0) {
      await apply(client, stored, rest, options);
      return value;
    }
    const path = `/data/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    await client.json({
      method: 'PATCH',
      path: configMapPath(stored.namespace),
      query: { fieldManager: FIELD_MANAGER, ...(options.dryRun && { dryRun: 'All' }) },
      body: [
        { op: 'test', path, value },
        { op: 'remove', path },
      ],
      contentType: 'application/json-patch+json',
    });
    return value;
  });
}

/** What this program has set by server-side apply: an apply without one of them would remove it. */
function ownKeys({ data, object }: StoredConfig): Record<string, string> {
  const own = ((object.metadata?.managedFields ?? []) as ManagedFields[]).find(
    ({ manager, operation }) => manager === FIELD_MANAGER && operation === 'Apply',
  );
  const keys = Object.keys(own?.fieldsV1?.['f:data'] ?? {}).map((field) => field.slice(2));
  return Object.fromEntries(keys.flatMap((key) => (data[key] === undefined ? [] : [[key, data[key]]])));
}

async function apply(
  client: KubeClient,
  { namespace, object }: StoredConfig,
  data: Record<string, string>,
  { dryRun, forceConflicts }: ChangeOptions,
): Promise<void> {
  const { resourceVersion } = object.metadata ?? {};
  await client.json({
    method: 'PATCH',
    path: configMapPath(namespace),
    query: {
      fieldManager: FIELD_MANAGER,
      ...(dryRun && { dryRun: 'All' }),
      ...(forceConflicts && { force: true }),
    },
    body: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      // With the version nothing is made where the ConfigMap has gone, and no write in between is missed.
      metadata: { name: CONFIG_MAP, namespace, ...(resourceVersion && { resourceVersion }) },
      data,
    },
    contentType: 'application/apply-patch+yaml',
  });
}

/** Makes a change to what is stored, once more when another writer came first. Conflicts of managers are errors. */
async function retried<T>(
  client: KubeClient,
  first: StoredConfig,
  change: (stored: StoredConfig) => Promise<T>,
): Promise<T> {
  let stored = first;
  for (let tries = 1; ; tries++) {
    try {
      return await change(stored);
    } catch (error) {
      if (!(error instanceof KubeRefusal)) throw error;
      const { code, status } = error;
      const managers = code === CONFLICT ? conflictOf(status, status.message ?? error.message) : undefined;
      if (managers?.hint !== undefined) throw new UserError(managers.error ?? '', { hint: managers.hint });
      // A test of a patch that does not hold is 422.
      const isStale = code === CONFLICT || (code === 422 && /test/i.test(status.message ?? ''));
      if (!isStale || tries === TRIES) throw error;
      stored = await readConfigMap(client, stored.namespace);
    }
  }
}

/**
 * When a key of `data` was last written, at the latest: its manager may have written another one then. Without a key it is
 * any part of the object. Undefined where nobody's writes are recorded.
 */
export function writtenMs({ metadata }: KubeObject, key: string | undefined): number | undefined {
  const times = ((metadata?.managedFields ?? []) as (ManagedFields & { time?: string })[])
    .filter(({ fieldsV1 }) => key === undefined || Object.hasOwn(fieldsV1?.['f:data'] ?? {}, `f:${key}`))
    .map(({ time = '' }) => Date.parse(time))
    .filter((ms) => !Number.isNaN(ms));
  return times.length === 0 ? undefined : Math.max(...times);
}
