import { atLeast, type Release } from '../../model/release.ts';
import type { Complaint } from '../language/decoders.ts';

/** Policies of other APIs, which no agent takes for its own although some have the names of its kinds. */
const GROUPS: Readonly<Record<string, string>> = {
  'projectcalico.org': 'Calico',
  'crd.projectcalico.org': 'Calico',
  'crd.antrea.io': 'Antrea',
};

const CLUSTER_NETWORK_POLICY = 'ClusterNetworkPolicy';
const OPTION = 'enable-k8s-cluster-network-policy';

const INSTEAD =
  'Write it as a CiliumClusterwideNetworkPolicy: its deny rules go before all allow rules, as those of an administrator do.';

/** Kinds that only restrict traffic where something reads them: passing one over would be a false "valid". */
const REFUSED: Readonly<Record<string, Pick<Complaint, 'message' | 'hint'>>> = {
  AdminNetworkPolicy: {
    message: 'no release of Cilium reads an AdminNetworkPolicy',
    hint: INSTEAD,
  },
  BaselineAdminNetworkPolicy: {
    message: 'no release of Cilium reads a BaselineAdminNetworkPolicy',
    hint: 'Write it as a CiliumClusterwideNetworkPolicy; a default that other policies may lift is an allow rule with "enableDefaultDeny".',
  },
  GlobalNetworkPolicy: {
    message: 'no release of Cilium reads a GlobalNetworkPolicy, which is a kind of Calico',
    hint: INSTEAD,
  },
};

/** What there is to say about an object that is a policy for somebody else. */
export function foreignPolicy(
  { kind, apiVersion }: Readonly<Record<string, unknown>>,
  target: Release,
): Complaint | undefined {
  if (typeof kind !== 'string') return undefined;
  const group = typeof apiVersion === 'string' ? (apiVersion.split('/')[0] ?? '') : '';
  const owner = Object.hasOwn(GROUPS, group) ? GROUPS[group] : undefined;
  const refused = Object.hasOwn(REFUSED, kind) ? REFUSED[kind] : undefined;
  if (refused) return { severity: 'error', code: 'kind', ...refused, path: ['kind'] };
  if (kind === CLUSTER_NETWORK_POLICY && (owner !== undefined || !atLeast(target, '1.20')))
    return {
      severity: 'error',
      code: 'kind',
      message:
        owner === undefined
          ? `Cilium ${target} does not read a ${kind}: agents read it from 1.20 on, with the option ${OPTION}`
          : `this ${kind} is an object of ${owner} (${group}): no release of Cilium reads it`,
      hint: INSTEAD,
      path: [owner === undefined ? 'kind' : 'apiVersion'],
    };
  if (owner === undefined) return undefined;
  return {
    severity: 'warning',
    code: 'kind',
    message: `this ${kind} is an object of ${owner} (${group}), which Cilium does not read: it is passed over`,
    hint: 'Write policies as NetworkPolicy (networking.k8s.io/v1), CiliumNetworkPolicy or CiliumClusterwideNetworkPolicy.',
    path: ['apiVersion'],
  };
}

/** What to say of a ClusterNetworkPolicy where the agents' option is off, or where nobody said. */
export function optionComplaint(on: boolean | undefined): Complaint | undefined {
  if (on) return undefined;
  return {
    severity: 'error',
    code: 'option',
    message:
      on === false
        ? `the agents do not read a ClusterNetworkPolicy: their option ${OPTION} is off`
        : `agents of 1.20 read a ClusterNetworkPolicy only with the option ${OPTION}, which is off by default`,
    hint:
      on === false
        ? 'Turn it on (Helm: k8sClusterNetworkPolicy.enabled=true), or write a CiliumClusterwideNetworkPolicy.'
        : 'Where it is on (Helm: k8sClusterNetworkPolicy.enabled=true), say so: --cluster-network-policy on.',
    path: ['kind'],
  };
}
