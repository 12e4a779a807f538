/** Where a right is needed: of the whole cluster, in Cilium's namespace, or in the one that objects are in. */
export type Scope = 'cluster' | 'cilium' | 'objects';

/** Rights that a verb needs. */
export interface Need {
  group: string;
  resources: readonly string[];
  verbs: readonly string[];
  in: Scope;
  /** Names of the objects, where they are known. */
  names?: readonly string[];
  /** Paths of the API server that are no resources; there are no others in such a need. */
  urls?: readonly string[];
}

/** What is needed of a verb of the command line. */
export interface Row {
  needs: readonly Need[];
  /** What cannot be said as a rule, in a sentence. */
  note?: string;
}

type PolicyRule =
  | { apiGroups: string[]; resources: string[]; verbs: string[]; resourceNames?: string[] }
  | { nonResourceURLs: string[]; verbs: string[] };

/** A ClusterRole or a Role. */
export interface Role {
  apiVersion: 'rbac.authorization.k8s.io/v1';
  kind: 'ClusterRole' | 'Role';
  metadata: { name: string; namespace?: string };
  rules: PolicyRule[];
}

/** Who gets a role. */
export interface Subject {
  kind: 'User' | 'Group' | 'ServiceAccount';
  name: string;
  namespace?: string;
}

/** A ClusterRoleBinding or a RoleBinding. */
export interface Binding {
  apiVersion: Role['apiVersion'];
  kind: 'ClusterRoleBinding' | 'RoleBinding';
  metadata: Role['metadata'];
  roleRef: { apiGroup: string; kind: Role['kind']; name: string };
  subjects: (Subject & { apiGroup?: string })[];
}

/** The namespaces that rights are for. */
export interface Places {
  cilium: string;
  /** Undefined: objects of all namespaces. */
  objects: string | undefined;
}

const API = 'rbac.authorization.k8s.io';

/** The smallest roles with these rights: one for the whole cluster, and one for each namespace that suffices. */
export function rolesOf(name: string, needs: readonly Need[], places: Places): Role[] {
  const byNamespace = new Map<string, Need[]>();
  for (const need of needs) {
    const at = namespaceOf(need, places);
    byNamespace.set(at, [...(byNamespace.get(at) ?? []), need]);
  }
  return [...byNamespace]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([namespace, own]) => ({
      apiVersion: `${API}/v1`,
      kind: namespace === '' ? 'ClusterRole' : 'Role',
      metadata: { name, ...(namespace !== '' && { namespace }) },
      rules: rulesOf(own),
    }));
}

function namespaceOf(need: Need, { cilium, objects }: Places): string {
  if (need.in === 'cluster') return '';
  return need.in === 'cilium' ? cilium : (objects ?? '');
}

/** Rules, of which those that differ in their resources alone are one. */
function rulesOf(needs: readonly Need[]): PolicyRule[] {
  const byRights = new Map<string, Set<string>>();
  // Of one resource all verbs are one rule.
  const verbsOf = new Map<string, Set<string>>();
  for (const { group, resources, verbs, names = [] } of needs)
    for (const resource of resources) {
      const key = JSON.stringify([group, resource, names.toSorted()]);
      const known = verbsOf.get(key) ?? new Set();
      for (const verb of verbs) known.add(verb);
      verbsOf.set(key, known);
    }
  for (const [key, verbs] of verbsOf) {
    const [group, resource, names] = JSON.parse(key) as [string, string, string[]];
    const rights = JSON.stringify([group, [...verbs].toSorted(), names]);
    byRights.set(rights, (byRights.get(rights) ?? new Set()).add(resource));
  }
  const urls = needs.flatMap(({ urls: paths = [], verbs }) =>
    paths.length > 0 ? [{ nonResourceURLs: [...paths], verbs: [...verbs] }] : [],
  );
  const rules = [...byRights].map(([rights, resources]) => {
    const [group, verbs, names] = JSON.parse(rights) as [string, string[], string[]];
    return {
      apiGroups: [group],
      resources: [...resources].toSorted(),
      verbs,
      ...(names.length > 0 && { resourceNames: names }),
    };
  });
  return [...rules, ...urls];
}

/** Gives roles to somebody. */
export function bindingsOf(roles: readonly Role[], subjects: readonly Subject[]): Binding[] {
  return roles.map(({ apiVersion, kind, metadata }) => ({
    apiVersion,
    kind: kind === 'ClusterRole' ? 'ClusterRoleBinding' : 'RoleBinding',
    metadata,
    roleRef: { apiGroup: API, kind, name: metadata.name },
    subjects: subjects.map((subject) => ({
      ...(subject.kind !== 'ServiceAccount' && { apiGroup: API }),
      ...subject,
    })),
  }));
}
