import { UserError } from '../../errors.ts';
import { isRecord } from '../../lib/record.ts';

/** Helm values. */
export type Values = Record<string, unknown>;

/** The other clusters that the values of a release name: without their names, in their order. */
export type NamedClusters = ReadonlyMap<string, Values>;

/** What a cluster is to know of another: where its server is. */
export interface Place {
  ips: readonly string[];
  port: number;
}

/** From this chart on clusters are a map by their names. */
const MAP_FROM = [1, 20] as const;

/** The value below some keys; undefined where there is none. Throws UserError where a key is within what has none. */
function below(values: Values, ...keys: readonly string[]): unknown {
  let found: unknown = values;
  for (const key of keys) {
    if (found === undefined || found === null) return undefined;
    if (!isRecord(found)) throw new UserError(`existing ${keys.slice(0, -1).join('.')} is invalid`);
    found = found[key];
  }
  return found;
}

/** Reads the clusters that a release is connected to. Throws UserError where they have no form that a chart takes. */
export function clustersOf(values: Values): NamedClusters {
  const found = below(values, 'clustermesh', 'config', 'clusters') ?? undefined;
  if (found === undefined) return new Map();
  const invalid = () => new UserError('existing clustermesh.config.clusters is invalid');
  const entryOf = (value: unknown): Values => {
    if (!isRecord(value)) throw invalid();
    return value;
  };
  if (isRecord(found)) return new Map(Object.entries(found).map(([name, entry]) => [name, entryOf(entry)]));
  if (!Array.isArray(found)) throw invalid();
  const clusters = found.map((entry): [string, Values] => {
    const { name, ...rest } = entryOf(entry);
    if (typeof name !== 'string') throw invalid();
    return [name, rest];
  });
  return new Map(clusters);
}

/** Whether a chart takes a map of clusters; undefined when its version says nothing. */
function takesMap(chartVersion: string): boolean | undefined {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(chartVersion) ?? [];
  if (major === undefined) return undefined;
  return Number(major) > MAP_FROM[0] || (Number(major) === MAP_FROM[0] && Number(minor) >= MAP_FROM[1]);
}

/** The values that name these clusters, and no others, in the form that a chart takes. */
export function clusterValues(after: ReadonlyMap<string, Values>, chartVersion: string): Values {
  const isMap = takesMap(chartVersion);
  if (isMap === undefined) throw new UserError(`Failed to parse Helm chart version ${chartVersion}`);
  const clusters = isMap
    ? Object.fromEntries(after)
    : [...after].map(([name, entry]) => ({ ...entry, name }));
  return { clustermesh: { config: { enabled: true, clusters } } };
}

/** The clusters of a release with some more; one of the same name is replaced. */
export function withClusters(before: NamedClusters, more: ReadonlyMap<string, Place>): Map<string, Values> {
  const after = new Map(before);
  for (const [name, { ips, port }] of more) after.set(name, { ips: [...ips], port });
  return after;
}

/** The clusters of a release without some. */
export function withoutClusters(before: NamedClusters, names: readonly string[]): Map<string, Values> {
  return new Map([...before].filter(([name]) => !names.includes(name)));
}

/** The values that make a release trust further authorities; undefined when it trusts them already. */
export function trustValues(
  values: Values,
  authorities: readonly string[],
  cluster: string,
  at: Date,
): Values | undefined {
  const wrong = (why: string) =>
    new UserError(`existing tls.caBundle values are invalid for cluster ${cluster}: ${why}`);
  const content = below(values, 'tls', 'caBundle', 'content') ?? '';
  const isOn = below(values, 'tls', 'caBundle', 'enabled') ?? false;
  if (typeof content !== 'string') throw wrong('content is no text');
  if (typeof isOn !== 'boolean') throw wrong('enabled is neither true nor false');
  if (content === '' && isOn) throw wrong('caBundle is enabled but no content was provided');
  const before = content.trim();
  const after = authorities
    .map((one) => one.trim())
    .reduce((all, one) => (all.includes(one) ? all : `${all}\n${one}`), before)
    .trim();
  if (after === before && isOn) return undefined;
  // The server reads its bundle once: an annotation of its own rolls its pods out.
  const restartedAt = at.toISOString().replace(/\.\d+Z$/, 'Z');
  return {
    tls: { caBundle: { enabled: true, content: after } },
    clustermesh: {
      apiserver: { podAnnotations: { 'cilium.io/caBundleChangeRestartedAt': restartedAt } },
    },
  };
}

/** Two trees of values as one; the second goes first. */
export function joinValues(first: Values, second: Values): Values {
  const joined = { ...first };
  for (const [key, value] of Object.entries(second)) {
    const old = joined[key];
    joined[key] = isRecord(old) && isRecord(value) ? joinValues(old, value) : value;
  }
  return joined;
}

/**
 * All values of a release after a change. A cluster that the change does not name is gone: Helm itself, told to reuse values,
 * renders what was taken out of a map all the same.
 */
export function wholeValues(before: Values, change: Values): Values {
  const whole = joinValues(before, change);
  const clusters = below(change, 'clustermesh', 'config', 'clusters');
  if (clusters === undefined) return whole;
  const mesh = whole.clustermesh as Values;
  return { ...whole, clustermesh: { ...mesh, config: { ...(mesh.config as Values), clusters } } };
}

const KEPT = '<as it is>';

/** The same values without what is secret in them, to be shown: keys of certificates that clusters of older charts have. */
export function shownValues(values: Values): Values {
  const shown = (value: unknown, key: string): unknown => {
    if (Array.isArray(value)) return value.map((one) => shown(one, ''));
    if (isRecord(value))
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, shown(one, name)]));
    return (key === 'key' || key === 'cert') && typeof value === 'string' ? KEPT : value;
  };
  return shown(values, '') as Values;
}
