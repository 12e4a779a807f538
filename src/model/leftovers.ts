/** What of Cilium is in a cluster beside what Helm keeps a list of. */
export interface Leftovers {
  crds: LeftCrd[];
  nodes: LeftNode[];
  /** That connectivity tests made. */
  testNamespaces: string[];
  /** Named like those, without a label that says so. */
  namedLikeTests: string[];
  /** Secrets that jobs and people made: Helm does not know them. */
  secrets: string[];
  /** What could not be looked at: one refusal each. */
  unseen: string[];
}

/** A definition of Cilium's, and its objects. */
export interface LeftCrd {
  name: string;
  kind: string;
  /** Of the objects: `/apis/cilium.io/v2/ciliumnodes`. */
  path: string;
  /** Undefined where they may not be listed. */
  objects: number | undefined;
  /** Objects that only go when somebody takes a finalizer away, and who does so goes with Cilium. */
  held: HeldObject[];
}

export interface HeldObject {
  namespace: string | undefined;
  name: string;
}

/** What Cilium wrote on a node. */
export interface LeftNode {
  name: string;
  annotations: string[];
  taints: string[];
}

/** The ways in which agents have named their annotations of nodes, over the releases. */
const ANNOTATIONS = ['io.cilium.', 'cilium.io/', 'network.cilium.io/'];
/** Keeps pods off a node until its agent is ready. */
const TAINTS = ['node.cilium.io/', 'node.cilium.io'];
const TEST_NAMESPACE = /^cilium-test(?:-\d+|-ccnp\d+|-ztunnel-(?:un)?enrolled(?:-\d+)?)?$/;

/** Secrets with certificates that a job makes anew where they lack, and the keys of IPsec. */
export const KEPT_SECRETS: ReadonlySet<string> = new Set([
  ...['cilium-ca', 'cilium-ipsec-keys', 'hubble-ca-secret', 'hubble-server-certs'],
  ...['hubble-relay-client-certs', 'hubble-relay-server-certs', 'hubble-ui-client-certs'],
  ...['clustermesh-apiserver-admin-cert', 'clustermesh-apiserver-client-cert'],
  ...['clustermesh-apiserver-local-cert', 'clustermesh-apiserver-remote-cert'],
  ...['clustermesh-apiserver-server-cert', 'cilium-clustermesh', 'cilium-kvstoremesh'],
]);

export function isCiliumAnnotation(key: string): boolean {
  return ANNOTATIONS.some((prefix) => key.startsWith(prefix));
}

export function isCiliumTaint(key: string): boolean {
  return TAINTS.some((prefix) => key.startsWith(prefix));
}

/** Whether a namespace is named as connectivity tests name theirs. */
export function isTestNamespace(name: string): boolean {
  return TEST_NAMESPACE.test(name);
}

/** Whether a definition is of Cilium: Tetragon keeps its own ones, such as TracingPolicy, in the same group. */
export function isCiliumKind(group: string, kind: string): boolean {
  return (group === 'cilium.io' || group.endsWith('.cilium.io')) && kind.startsWith('Cilium');
}

/** The namespaces that cannot go while an object in them is held. */
export function heldNamespaces(crds: readonly LeftCrd[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { namespace } of crds.flatMap(({ held }) => held))
    if (namespace !== undefined) counts.set(namespace, (counts.get(namespace) ?? 0) + 1);
  return counts;
}
