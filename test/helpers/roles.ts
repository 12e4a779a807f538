import type { Access } from './rbac-gate.ts';

interface Rule {
  apiGroups?: string[];
  resources?: string[];
  verbs: string[];
  resourceNames?: string[];
}

/** A ClusterRole or Role, as `rbac` prints it. */
export interface PrintedRole {
  kind: string;
  metadata: { name: string; namespace?: string };
  rules: Rule[];
}

/** Whether roles that somebody has allow something, as RBAC decides it. */
export function allowedBy(roles: readonly PrintedRole[]): (access: Access) => boolean {
  return (access) => rightsIn(roles).some((right) => covers(right, access));
}

/** One verb on one resource, which is the smallest part of a rule. */
export interface Right {
  namespace: string | undefined;
  group: string;
  resource: string;
  verb: string;
  name: string | undefined;
}

/** The rights of roles, one by one. */
export function rightsIn(roles: readonly PrintedRole[]): Right[] {
  return roles.flatMap(({ metadata: { namespace }, rules }) =>
    // Paths that are no resources have no groups.
    rules.flatMap(({ apiGroups = [], resources = [], verbs, resourceNames = [undefined] }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) =>
          verbs.flatMap((verb) =>
            resourceNames.map((name) => ({
              namespace,
              group,
              resource,
              verb,
              name: name as string | undefined,
            })),
          ),
        ),
      ),
    ),
  );
}

export function covers(right: Right, access: Access): boolean {
  return (
    right.group === access.group &&
    right.resource === access.resource &&
    right.verb === access.verb &&
    (right.namespace === undefined || right.namespace === access.namespace) &&
    (right.name === undefined || right.name === access.name)
  );
}
