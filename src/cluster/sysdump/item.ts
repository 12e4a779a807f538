import type { Group, Selectors } from './options.ts';

/** Which namespace an item is in; absent means that it is of all, or of none. */
export type Scope = 'cilium' | 'operator' | 'spire' | 'tetragon' | 'kube-system';

interface Common {
  /** What is printed when it begins. */
  about: string;
  group: Group;
  /** Kept with `--quick`. */
  quick: boolean;
  /** Only where the configuration turns this on. */
  feature?: string;
}

/** A list of the API server, or the objects that stand in one; `{ns}` in a path is the namespace of its scope. */
export interface ListItem extends Common {
  kind: 'list';
  /** Name of the file without the time. */
  stem: string;
  /** Of several versions the first counts that the cluster serves. */
  paths: readonly string[];
  scope?: Scope;
  selector?: keyof Selectors;
  /** Only the objects with these names. */
  names?: readonly string[];
  /** The first object is written, not the list. */
  isSingle?: boolean;
  /** What is printed when nothing is found: the kind, and when that is expected. */
  missing?: { what: string; expected: string };
}

/** One object. */
export interface ObjectItem extends Common {
  kind: 'object';
  stem: string;
  path: string;
  name: string;
  scope: Scope;
  /** As of lists; `how` is what the object is called. */
  missing?: { what: string; expected: string };
}

/** Something that needs code of its own. */
export interface SpecialItem extends Common {
  kind: 'special';
  special: Special;
  /** Of pods that the user names by their labels. */
  labels?: string;
}

export type Special =
  | 'version'
  | 'events'
  | 'pods-table'
  | 'api-metrics'
  | 'top-nodes'
  | 'top-pods'
  | 'crashed-logs'
  | 'extra-logs'
  | 'etcd-secret'
  | 'agent-config'
  | 'operator-metrics'
  | 'operator-debug'
  | 'clustermesh-debug'
  | 'cni-files'
  | 'cni-configmap'
  | 'gops-agents'
  | 'gops-operators'
  | 'gops-hubble'
  | 'gops-relay'
  | 'bugtool'
  | 'profiles-operators'
  | 'profiles-agents'
  | 'traces-agents'
  | 'logs-crashing'
  | 'platform'
  | 'api-resources'
  | 'secrets'
  | 'kvstore'
  | 'flows'
  | 'agent-api'
  | 'tetragon-bugtool'
  | 'spire-entries'
  | `logs:${keyof Selectors}`
  | `helm:${'cilium' | 'tetragon'}:${'metadata' | 'values'}`;

export type Item = ListItem | ObjectItem | SpecialItem;

/** A list that is kept with `--quick`. */
export const list = (
  about: string,
  group: Group,
  stem: string,
  paths: string | string[],
  more: Partial<ListItem> = {},
): ListItem => ({
  kind: 'list',
  about,
  group,
  stem,
  paths: [paths].flat(),
  quick: true,
  ...more,
});
/** An object of the workloads that is kept with `--quick`. */
export const object = (
  about: string,
  stem: string,
  path: string,
  scope: Scope,
  name: string,
  more: Partial<ObjectItem> = {},
): ObjectItem => ({
  kind: 'object',
  about,
  group: 'workloads',
  stem,
  path,
  scope,
  name,
  quick: true,
  ...more,
});
/** Something that is not kept with `--quick` unless that is said. */
export const special = (
  about: string,
  group: Group,
  name: Special,
  quick = false,
  more: Partial<SpecialItem> = {},
): SpecialItem => ({
  kind: 'special',
  about,
  group,
  special: name,
  quick,
  ...more,
});
