/** What a check cannot do without. */
export type Need = 'two-nodes' | 'l7-proxy' | 'external-target' | 'health';

/** A check of the set that proves connectivity in under two minutes. */
export interface MinimalCheck {
  id: string;
  what: string;
  needs?: readonly Need[];
  /** Names of policies.json that are applied for it. */
  policies?: readonly string[];
}

/** In the order in which they run: what others rest on comes first. */
export const MINIMAL: readonly MinimalCheck[] = [
  { id: 'dns', what: 'names of a service and of kubernetes.default resolve' },
  { id: 'pod-pod-same-node', what: 'HTTP between two pods of one node' },
  { id: 'pod-pod-other-node', what: 'HTTP to a pod of another node', needs: ['two-nodes'] },
  { id: 'pod-service', what: 'HTTP to services by name' },
  { id: 'pod-host', what: 'ping of the own and of the other node' },
  { id: 'host-pod', what: 'probes of the kubelets reach the pods' },
  { id: 'nodeport', what: 'HTTP to a port of a node', needs: [] },
  {
    id: 'deny-ingress',
    what: 'a policy that denies all ingress is enforced, and removed again',
    policies: ['check-deny-ingress'],
  },
  {
    id: 'deny-egress',
    what: 'a policy that denies all egress is enforced',
    policies: ['check-deny-egress'],
  },
  { id: 'allow-one', what: 'a policy lets one of two clients in', policies: ['check-allow-one'] },
  {
    id: 'l7',
    what: 'a policy for HTTP allows one path and refuses another',
    needs: ['l7-proxy'],
    policies: ['check-l7'],
  },
  {
    id: 'fqdn',
    what: 'a policy for names goes through the DNS proxy',
    needs: ['l7-proxy'],
    policies: ['check-fqdn'],
  },
  { id: 'world', what: 'HTTPS to a name outside the cluster', needs: ['external-target'] },
  { id: 'health', what: 'every agent reaches every node', needs: ['health'] },
  { id: 'identities', what: 'every test pod has an endpoint that is ready, and an identity at all agents' },
];
