import { parseAddress } from '../../../lib/address.ts';
import { NAMESPACE_LABELS, POD_ACCOUNT, POD_CLUSTER, POD_NAMESPACE } from '../../../model/label.ts';
import type { PodObject } from '../selectors/cluster-objects.ts';
import { Identities, type Identity, identityOf } from '../selectors/identities.ts';
import type { PolicyState } from './cluster-state.ts';

/** Pods that are given as objects get identities from here on, which no agent of a small cluster number gives. */
const FIRST_MADE_IDENTITY = 0xf0_0000;
const LAST_MADE_IDENTITY = 0xff_ffff;

/** Whether an agent gave the number, and not this program. */
export function isOfAgent(id: number): boolean {
  return id >= 0 && (id < FIRST_MADE_IDENTITY || id > LAST_MADE_IDENTITY);
}

/**
 * Adds the pods that are given as Kubernetes objects to the identities, addresses and pods of the state, unless it has them.
 * Those that use the network of their node are none, and those that have ended have no address any more.
 */
export function takePods(state: PolicyState): void {
  const cluster = new Identities(state.identities).clusterName(state.endpoints);
  const byLabels = new Map(state.identities.map((identity) => [keyOf(identity), identity.id]));
  let next = FIRST_MADE_IDENTITY;
  for (const { id } of state.identities) if (id >= next) next = id + 1;
  for (const pod of state.objects.pods) {
    const name = `${pod.namespace}/${pod.name}`;
    const known = state.pods.get(name);
    if (known !== undefined || pod.onNode || pod.ended) {
      if (known !== undefined) pod.identity = known;
      continue;
    }
    const made = identityOfPod(next, pod, state, cluster);
    const id = byLabels.get(keyOf(made)) ?? next;
    if (id === next) {
      state.identities.push(made);
      byLabels.set(keyOf(made), next++);
    }
    pod.identity = id;
    state.pods.set(name, id);
    for (const ip of pod.ips) {
      const address = parseAddress(ip);
      if (address) state.addresses.push({ cidr: `${ip}/${address.length}`, identity: id });
    }
  }
}

function keyOf({ labels }: Identity): string {
  return labels
    .map(({ source, key, value }) => `${source}:${key}=${value}`)
    .sort()
    .join(',');
}

/** The labels that the agent gives a pod, as far as the objects tell. */
function identityOfPod(
  id: number,
  pod: PodObject,
  state: PolicyState,
  cluster: string | undefined,
): Identity {
  const { labels, namespace, account } = pod;
  const ofNamespace = state.objects.namespaces.get(namespace);
  const all = {
    ...labels,
    [POD_NAMESPACE]: namespace,
    [POD_ACCOUNT]: account,
    ...(cluster !== undefined && { [POD_CLUSTER]: cluster }),
    ...Object.fromEntries(
      Object.entries(ofNamespace ?? {}).map(([key, value]) => [`${NAMESPACE_LABELS}.${key}`, value]),
    ),
  };
  return identityOf(
    id,
    Object.entries(all).map(([key, value]) => `k8s:${key}=${value}`),
  );
}
