import { compareBytes } from '../../lib/order.ts';
import type { EndpointRow } from '../../model/endpoint.ts';
import { Reader } from './reader.ts';
import type { Endpoint } from './types.gen.ts';

/** Picks what a list shows from the agent's answer; in order of the endpoint's number. */
export function decodeEndpointRows(answer: unknown): EndpointRow[] {
  return new Reader<Endpoint[]>('GET /endpoint', answer)
    .items()
    .map(decodeRow)
    .toSorted((a, b) => a.id - b.id);
}

function decodeRow(endpoint: Reader<Endpoint>): EndpointRow {
  const status = endpoint.at('status');
  const realized = status.at('policy').at('realized');
  const identity = status.at('identity');
  const networking = status.at('networking');
  const [pair] = networking.at('addressing').items();
  const names = status.at('external-identifiers');
  const [podNamespace = '', podName = ''] = names.text('pod-name').split('/', 2);
  return {
    id: endpoint.integer('id'),
    policy: realized.present ? realized.text('policy-enabled') : undefined,
    identity: identity.present ? identity.integer('id') : undefined,
    labels: status.at('labels').texts('security-relevant').toSorted(compareBytes),
    addresses: networking.present
      ? pair
        ? { ipv4: pair.text('ipv4'), ipv6: pair.text('ipv6') }
        : null
      : undefined,
    state: status.has('state') ? status.text('state') : undefined,
    pod: names.text('k8s-pod-name') || podName,
    namespace: names.text('k8s-namespace') || podNamespace,
  };
}

/** The entries of a list in order of their `id`, as they came; what is no list stays as it is. */
export function sortById<T>(answer: T[]): T[] {
  return Array.isArray(answer) ? answer.toSorted((a, b) => idOf(a) - idOf(b)) : answer;
}

function idOf(entry: unknown): number {
  const id = typeof entry === 'object' && entry !== null && 'id' in entry ? entry.id : undefined;
  return typeof id === 'number' ? id : 0;
}
