import { type FieldChange, fieldChanges } from '../../lib/field-changes.ts';
import { compareNatural } from '../../lib/order.ts';
import { isRecord } from '../../lib/record.ts';
import { parseYamlDocuments } from '../../lib/yaml-text.ts';

/** An object of a manifest. */
export interface ManifestObject {
  apiVersion: string;
  kind: string;
  namespace: string | undefined;
  name: string;
  /** Helm leaves it where it is when the release goes (`helm.sh/resource-policy: keep`). */
  isKept: boolean;
  value: Record<string, unknown>;
}

/** The objects of the YAML documents of a manifest; lists are taken apart. Throws for what is no YAML. */
export async function manifestObjects(manifest: string): Promise<ManifestObject[]> {
  const { documents } = await parseYamlDocuments(manifest);
  return documents.flatMap((document) => {
    const [error] = document.errors;
    if (error) throw new SyntaxError(`the manifest is no YAML: ${error.message}`);
    return objectsIn(document.toJS());
  });
}

function objectsIn(value: unknown): ManifestObject[] {
  if (!isRecord(value)) return [];
  const { apiVersion = '', kind = '', metadata, items } = value;
  if (typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items))
    return items.flatMap(objectsIn);
  const { name, namespace, annotations } = isRecord(metadata) ? metadata : {};
  if (typeof kind !== 'string' || kind === '') return [];
  return [
    {
      apiVersion: String(apiVersion),
      kind,
      name: String(name ?? ''),
      namespace: typeof namespace === 'string' && namespace !== '' ? namespace : undefined,
      isKept: isRecord(annotations) && annotations['helm.sh/resource-policy'] === 'keep',
      value,
    },
  ];
}

/** `DaemonSet kube-system/cilium`. */
export function shownObject({
  kind,
  namespace,
  name,
}: Pick<ManifestObject, 'kind' | 'namespace' | 'name'>): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

/** What becomes of an object: without `changes` it is new or goes. */
export interface ObjectChange {
  what: 'new' | 'gone' | 'changed';
  object: string;
  changes?: FieldChange[];
}

/** The differences of two manifests. */
export interface ManifestDiff {
  changes: ObjectChange[];
  /** How many objects are in both and the same. */
  unchanged: number;
}

/** Of Secrets only the names of their keys are told. */
const HIDDEN = '(hidden)';

/** Compares two manifests object by object; an object is the same one by group, kind, namespace and name. */
export function diffManifests(
  before: readonly ManifestObject[],
  after: readonly ManifestObject[],
): ManifestDiff {
  const keyOf = ({ apiVersion, kind, namespace = '', name }: ManifestObject) =>
    [apiVersion.replace(/\/?[^/]*$/, ''), kind, namespace, name].join(' ');
  const old = new Map(before.map((object) => [keyOf(object), object]));
  const fresh = new Map(after.map((object) => [keyOf(object), object]));
  const changes: ObjectChange[] = [];
  let unchanged = 0;
  for (const [key, object] of fresh) {
    const known = old.get(key);
    if (!known) {
      changes.push({ what: 'new', object: shownObject(object) });
      continue;
    }
    const fields = [...fieldChanges(known.value, object.value)].map((change) =>
      object.kind === 'Secret' && /^(?:data|stringData)\b/.test(change.path) ? hidden(change) : change,
    );
    if (fields.length === 0) unchanged++;
    else changes.push({ what: 'changed', object: shownObject(object), changes: fields });
  }
  for (const [key, object] of old)
    if (!fresh.has(key)) changes.push({ what: 'gone', object: shownObject(object) });
  return { changes: changes.toSorted((a, b) => compareNatural(a.object, b.object)), unchanged };
}

function hidden({ path, before, after }: FieldChange): FieldChange {
  return {
    path,
    ...(before !== undefined && { before: HIDDEN }),
    ...(after !== undefined && { after: HIDDEN }),
  };
}
