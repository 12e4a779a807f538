import { compareBytes } from '../../lib/order.ts';
import type { PolicyState } from '../evaluate/decide/cluster-state.ts';
import type { PolicyEngine, SubjectPolicy } from '../evaluate/decide/engine.ts';
import { DIRECTIONS } from '../evaluate/maps/compile-rule.ts';

/** Whether a pod accepts or makes only the connections that rules allow: `open` accepts or makes all. */
export type Cover = 'enforced' | 'open' | 'unknown';

/** How a pod is protected. */
export interface PodCover {
  namespace: string;
  pod: string;
  ingress: Cover;
  egress: Cover;
  /** Why a direction is not known. */
  why?: string;
}

/** The pods of a state, by namespace and name, each with whether rules apply to its traffic. */
export function coverage(engine: PolicyEngine, state: Pick<PolicyState, 'pods'>): PodCover[] {
  const pods = [...state.pods].toSorted(([a], [b]) => compareBytes(a, b));
  return pods.map(([name, id]) => {
    const slash = name.indexOf('/');
    const identity = engine.identities.get(id);
    const named = { namespace: name.slice(0, slash), pod: name.slice(slash + 1) };
    if (!identity)
      return {
        ...named,
        ingress: 'unknown',
        egress: 'unknown',
        why: `identity ${id} is not among those known`,
      };
    const policy = engine.policyOf(identity);
    const [ingress, egress] = DIRECTIONS.map((direction) => coverOf(policy, direction));
    const isOpen = ingress === 'unknown' || egress === 'unknown';
    const why = isOpen ? (policy.conflict?.why ?? policy.perhaps?.why ?? policy.whenOn?.why) : undefined;
    return {
      ...named,
      ingress: ingress ?? 'unknown',
      egress: egress ?? 'unknown',
      ...(why !== undefined && { why }),
    };
  });
}

function coverOf(policy: SubjectPolicy, direction: (typeof DIRECTIONS)[number]): Cover {
  if (policy.conflict) return 'unknown';
  if (policy[direction].enforced) return 'enforced';
  const perhaps = policy.perhaps?.[direction].enforced === true;
  const whenOn = policy.whenOn !== undefined && coverOf(policy.whenOn.policy, direction) !== 'open';
  return perhaps || whenOn ? 'unknown' : 'open';
}
