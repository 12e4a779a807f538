import type { Endpoint as FlowEndpoint } from '../../../model/hubble.gen.ts';
import { formatLabel, POD_CLUSTER, POD_NAMESPACE } from '../../../model/label.ts';
import { RESERVED_IDENTITIES, reservedLabels } from '../../../model/reserved-identity.ts';
import { FIRST_LOCAL_IDENTITY, type Identity, isOutside, isPodNumber } from '../selectors/identities.ts';
import type { Peers } from './peers.ts';

/**
 * The identity of an end of a flow that carries no labels, as an exporter with a field mask writes it: by its number, by the
 * state's pod of this name, by the state's address book. Else little is known: the namespace, if the flow has it.
 */
export function identityWithoutLabels(
  end: FlowEndpoint,
  ip: string,
  names: readonly string[],
  peers: Peers,
): Identity {
  const { identity: number = 0, namespace, pod_name: pod } = end;
  const known = number === 0 ? undefined : peers.engine.identities.get(number);
  if (known) return isOutside(known) && ip ? peers.outside(ip, ownLabels(known), names) : known;
  const reserved = number > 0 ? RESERVED_IDENTITIES[number] : undefined;
  if (reserved?.startsWith('world') && ip) return peers.outside(ip, reservedLabels(reserved), names);
  if (reserved) return peers.ofLabels(reservedLabels(reserved));
  if (number >= 2 * FIRST_LOCAL_IDENTITY) return peers.ofLabels(reservedLabels('remote-node'));
  if (number >= FIRST_LOCAL_IDENTITY && ip) return peers.outside(ip, [], names);
  // A state of another time may have another pod under this name.
  const found =
    number === 0 ? (pod && peers.ofPod(`${namespace ?? ''}/${pod}`)) || peers.atAddress(ip) : undefined;
  if (found) return found;
  const isPod = Boolean(pod || namespace) || isPodNumber(number);
  const labels = [
    ...(namespace ? [`k8s:${POD_NAMESPACE}=${namespace}`] : []),
    ...(end.cluster_name && isPod ? [`k8s:${POD_CLUSTER}=${end.cluster_name}`] : []),
  ];
  return isPod
    ? peers.ofLabels(labels, [], {
        of: 'pod',
        why: `the flow has no labels of a pod${namespace ? ` of namespace ${namespace}` : ''}`,
      })
    : peers.ofLabels([], names, { of: 'any', why: 'the flow does not say whose address this is' });
}

function ownLabels({ labels }: Identity): string[] {
  return labels.filter(({ source }) => source === 'reserved' || source === 'fqdn').map(formatLabel);
}
