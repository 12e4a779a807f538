import { UserError } from '../../errors.ts';
import type { LoadedPolicies } from './load.ts';

/** Throws for a ClusterNetworkPolicy: rules of the agent's own form have no tier. */
export function refuseClusterPolicies({ rules }: LoadedPolicies): void {
  const found = rules.find(({ rule }) => rule.order);
  if (found)
    throw new UserError(
      `${found.origin.kind} ${found.origin.name}: no agent takes a ClusterNetworkPolicy through its API`,
      { hint: 'Apply the object to the cluster with --via kubernetes.' },
    );
}

/**
 * Throws for an empty list of peers. An empty list of peers means "no peer" in an object. The agent's API cannot say that: the list would be dropped and
 * the rule would allow every peer.
 */
export function refuseEmptyPeers({ rules }: LoadedPolicies): void {
  for (const { rule, origin } of rules) {
    if (origin.kind === 'rule') continue;
    const items = [...(rule.ingress ?? []), ...(rule.egress ?? [])];
    const peers = items.flatMap((item) =>
      Object.entries(item).filter(([name]) => /^(from|to[A-OQ-Z])/.test(name)),
    );
    const empty = peers.find(([, list]) => Array.isArray(list) && list.length === 0);
    if (empty)
      throw new UserError(
        `${origin.kind} ${origin.name}: the empty "${empty[0]}" would allow every peer when it is sent to the agent`,
        { hint: 'Remove that rule, or apply the object to the cluster with --via kubernetes.' },
      );
  }
}
