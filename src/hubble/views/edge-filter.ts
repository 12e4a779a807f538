import { RESERVED_IDENTITIES } from '../../model/reserved-identity.ts';
import type { TrafficNode } from '../../model/traffic.ts';
import { wordOf } from './row-filter.ts';

type Side = 'src' | 'dst';

/** An expression of `--where` for the flows of an edge. */
export interface EdgeFilter {
  text: string;
  /** It means more than the edge: an end of it stands for many, which no expression tells apart. */
  wider: boolean;
}

/** The flows between two ends, in both directions; undefined where neither end has a name. */
export function edgeFilter(client: TrafficNode, server: TrafficNode): EdgeFilter | undefined {
  if (isMany(client) || isMany(server)) {
    const known = [client, server].find((node) => !isMany(node));
    return known && { text: nodeFilter(known), wider: true };
  }
  const ways = [
    [client, server],
    [server, client],
  ] as const;
  const texts = ways.map(([from, to]) => [...endTests(from, 'src'), ...endTests(to, 'dst')].join(' and '));
  return { text: either(texts), wider: false };
}

/** The flows from and to one end. */
export function nodeFilter(node: TrafficNode): string {
  return either((['src', 'dst'] as const).map((side) => endTests(node, side).join(' and ')));
}

/** Whether a node stands for all that there was no room for. */
export function isMany({ kind }: TrafficNode): boolean {
  return kind === 'others';
}

/** In parentheses, so that what is written behind it is about all of it. */
function either(texts: readonly string[]): string {
  const different = [...new Set(texts)];
  return different.length > 1 ? `(${different.join(' or ')})` : different.join('');
}

/** What flows that have a node at one end have in common. */
function endTests({ kind, name, namespace = '', cluster }: TrafficNode, side: Side): string[] {
  const is = (field: string, value: string) => `${side}.${field} = ${wordOf(whole(value))}`;
  const tests = {
    workload: () => [is('ns', namespace), is('workload', name)],
    pod: () => {
      const [, identity] = /^identity (\d+)$/.exec(name) ?? [];
      return identity ? [is('ns', namespace), is('identity', identity)] : [is('pod', `${namespace}/${name}`)];
    },
    service: () => [
      is('service', namespace ? `${namespace}/${name}` : name),
      `not ${side}.pod and ${outside(side)}`,
    ],
    entity: () => [is('identity', String(RESERVED_IDENTITIES.indexOf(name)))],
    // The pod, else the first DNS name, else the address: what such a node is named by.
    name: () => [is('host', name), outside(side)],
    address: () => [is('host', name), outside(side)],
    others: () => [],
  }[kind]();
  return cluster === undefined ? tests : [...tests, is('cluster', cluster)];
}

/** An end with one of the other identities is named by it: host, health, kube-apiserver … */
const outside = (side: Side) => `${side}.identity in [0,2,9..]`;

/** A name that was cut means all that begin so. */
function whole(name: string): string {
  return name.endsWith('…') ? `${name.slice(0, -1)}*` : name;
}
