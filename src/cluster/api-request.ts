import { decodePercent } from '../lib/percent.ts';
import { isRecord } from '../lib/record.ts';
import { compileSelector } from '../model/selector.ts';

/** What a path of an API server names. */
export interface ApiPlace {
  /** `v1`, or `group/version`. */
  apiVersion: string;
  /** Empty for those of `/api`. */
  group: string;
  plural: string;
  /** Undefined means all namespaces, or that the kind has none. */
  namespace: string | undefined;
  /** Undefined means the collection. */
  name: string | undefined;
  /** `log`, `exec`, `portforward`, `status`. */
  subresource: string | undefined;
}

/** Takes a path apart; undefined when it names no kind. */
export function parseApiPath(path: string): ApiPlace | undefined {
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decodePercent);
  const root = parts.shift();
  const group = root === 'apis' ? (parts.shift() ?? '') : '';
  const version = parts.shift();
  if ((root !== 'api' && root !== 'apis') || version === undefined) return undefined;
  // A namespace is an object, and a place for others.
  const namespace = parts[0] === 'namespaces' && parts.length > 2 ? parts.splice(0, 2)[1] : undefined;
  const [plural, name, subresource] = parts;
  const apiVersion = group === '' ? version : `${group}/${version}`;
  return plural === undefined ? undefined : { apiVersion, group, plural, namespace, name, subresource };
}

/** Whether an object has the labels and fields that a request selects; undefined where the text for labels is no selector. */
export function compileObjectSelector(
  labelSelector: string,
  fieldSelector: string,
): ((object: { metadata?: { labels?: Readonly<Record<string, string>> } }) => boolean) | undefined {
  const hasLabels = compileSelector(labelSelector);
  if (!hasLabels) return undefined;
  const fields = fieldSelector
    .split(',')
    .filter((term) => term !== '')
    .map((term) => {
      const [, path = '', not = '', value = ''] = /^([\w.]+)(!?)={1,2}(.*)$/.exec(term) ?? [];
      return { names: path.split('.'), isNot: not === '!', value };
    });
  return (object) =>
    hasLabels(Object.entries(object.metadata?.labels ?? {}).map(([key, value]) => `k8s:${key}=${value}`)) &&
    fields.every(({ names, isNot, value }) => (fieldOf(object, names) === value) !== isNot);
}

function fieldOf(object: unknown, names: readonly string[]): string {
  const value = names.reduce<unknown>((at, name) => (isRecord(at) ? at[name] : undefined), object);
  return value === undefined || value === null ? '' : String(value);
}
