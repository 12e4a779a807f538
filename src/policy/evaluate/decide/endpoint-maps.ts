import type { ContainerPort } from '../../../model/agent-lists.ts';
import { atLeast, type Release } from '../../../model/release.ts';
import { type AggregateOf, aggregateByKind, aggregateOfAll } from '../maps/aggregates.ts';
import type { Direction } from '../maps/compile-rule.ts';
import type { DirectionPolicy } from '../maps/direction-policy.ts';
import { plainMap } from '../maps/plain-map.ts';
import { type EgressPorts, type MapState, mapState, type NamedPort } from '../maps/policy-map.ts';
import { protocolNumber } from '../maps/ports.ts';
import { precedenceMap } from '../maps/precedence-map.ts';
import type { Identities } from '../selectors/identities.ts';

/** An endpoint of this node: its id, its identity, and the ports that rules may refer to by name. */
export interface Endpoint {
  id: number;
  identity: number;
  namedPorts?: readonly ContainerPort[];
}

/** What the maps of all endpoints rest on. */
interface Ground {
  identities: Identities;
  endpoints: readonly Endpoint[];
  clusterName: string | undefined;
  release: Release;
  /** Pods accept connections from their node. */
  allowLocalhost: boolean;
}

/** Makes the policy maps of endpoints, as agents of one release do. */
export class EndpointMaps {
  readonly #ground: Ground;
  readonly #namedPorts: Map<string, number>;
  readonly #aggregateOf: AggregateOf;

  constructor(ground: Ground) {
    const { identities, endpoints, clusterName, release } = ground;
    this.#ground = ground;
    this.#namedPorts = portsByName(endpoints);
    this.#aggregateOf = atLeast(release, '1.20') ? aggregateByKind(identities, clusterName) : aggregateOfAll;
  }

  /** The maps of an endpoint with this policy. */
  of(
    { ingress, egress }: Record<Direction, DirectionPolicy>,
    endpoint: Endpoint,
  ): Record<Direction, MapState> {
    const { release, identities, allowLocalhost: allowHost } = this.#ground;
    const ingressPort = namedPort(portsByName([endpoint]));
    const egressPort = namedPort(this.#namedPorts);
    if (atLeast(release, '1.17')) {
      const common = { release, aggregateOf: this.#aggregateOf };
      const egressPorts = atLeast(release, '1.20') ? this.#portsByIdentity : undefined;
      return {
        ingress: precedenceMap(ingress, {
          ...common,
          allowHost,
          namedPort: ingressPort,
          egressPorts: undefined,
        }),
        egress: precedenceMap(egress, { ...common, allowHost: false, namedPort: egressPort, egressPorts }),
      };
    }
    if (!atLeast(release, '1.14'))
      return {
        ingress: plainMap(ingress, ingressPort, allowHost),
        egress: plainMap(egress, egressPort, false),
      };
    return {
      ingress: mapState(ingress, identities, ingressPort, allowHost),
      egress: mapState(egress, identities, egressPort, false),
    };
  }

  /** From 1.20 on a port name on egress means the peer's own number. An identity with several numbers has none. */
  readonly #portsByIdentity: EgressPorts = (name, protocol) => {
    const { endpoints } = this.#ground;
    const identities = new Set(endpoints.map(({ identity }) => identity));
    return [...identities].flatMap((identity): [number, number][] => {
      const own = endpoints.filter((endpoint) => endpoint.identity === identity);
      const port = portsByName(own).get(`${name}/${protocol}`) ?? 0;
      return port === 0 ? [] : [[identity, port]];
    });
  };
}

const namedPort =
  (ports: ReadonlyMap<string, number>): NamedPort =>
  (name, protocol) =>
    ports.get(`${name}/${protocol}`) ?? 0;

/** Ports by `name/protocol` number. A name that stands for several ports stands for none. */
function portsByName(endpoints: readonly Endpoint[]): Map<string, number> {
  const ports = new Map<string, number>();
  for (const { namedPorts } of endpoints) {
    for (const { name, port, protocol } of namedPorts ?? []) {
      const key = `${name.toLowerCase()}/${protocolNumber(protocol) ?? 0}`;
      const known = ports.get(key);
      ports.set(key, known === undefined || known === port ? port : 0);
    }
  }
  return ports;
}
