import { EVERYBODY } from './aggregates.ts';
import { covers, type DirectionPolicy, type Filter } from './direction-policy.ts';
import { ANY_L4, type L4Key, l4Key, portOf } from './map-key.ts';
import { type MapState, mergeVerdicts, type NamedPort, OPEN, type Verdict, verdictOf } from './policy-map.ts';

/**
 * The map of one direction as agents up to 1.13 compute it. They have no port ranges, and compare a deny entry only with
 * the entries of the same peer and of every peer: one for a peer on every port removes what the peer is allowed, and is
 * repeated for each port that every peer may use. Entries on the same port stand beside each other, so that a peer's own
 * allow entry is found before the deny entry for every peer.
 */
export function plainMap(policy: DirectionPolicy, namedPort: NamedPort, allowHost: boolean): MapState {
  const map = new PlainMap();
  if (!policy.enforced) {
    map.allow(ANY_L4, EVERYBODY, OPEN);
    return map.state;
  }
  // Whole denials first: then the order of the others makes no difference.
  const [whole, others] = [policy.filters.filter(isWhole), policy.filters.filter((each) => !isWhole(each))];
  for (const filter of [...whole, ...others]) addFilter(filter, map, namedPort);
  if (allowHost) map.allow(ANY_L4, 1, OPEN);
  return map.state;
}

function isWhole({ protocol, port, name }: Filter): boolean {
  return protocol === 0 && port === 0 && name === '';
}

function addFilter(filter: Filter, map: PlainMap, namedPort: NamedPort): void {
  const port = filter.name === '' ? filter.port : namedPort(filter.name, filter.protocol);
  if (filter.name !== '' && port === 0) return;
  const key = l4Key(filter.protocol, { port, prefix: port === 0 ? 0 : 16 });
  const everybody = [...filter.peers.values()].find((peer) => peer.selection.wildcard);
  const peers = [...filter.peers.values()].sort((a, b) => Number(b.deny) - Number(a.deny));
  for (const peer of peers) {
    const besideAll = port !== 0 && everybody !== undefined && peer !== everybody;
    if (besideAll && covers(everybody, peer)) continue;
    const verdict = verdictOf(peer, !peer.deny && peer.redirect);
    for (const id of peer.selection.wildcard ? [EVERYBODY] : peer.selection.ids)
      if (peer.deny) map.deny(key, id, verdict);
      else map.allow(key, id, verdict);
  }
}

class PlainMap {
  readonly state: MapState = new Map();

  #get(key: L4Key, id: number): Verdict | undefined {
    return this.state.get(key)?.get(id);
  }

  #isDenied(id: number): boolean {
    return this.#get(ANY_L4, id)?.deny === true;
  }

  #put(key: L4Key, id: number, verdict: Verdict): void {
    const bucket = this.state.get(key) ?? new Map<number, Verdict>();
    this.state.set(key, bucket);
    const known = bucket.get(id);
    bucket.set(id, known ? mergeVerdicts(known, verdict) : verdict);
  }

  deny(key: L4Key, id: number, verdict: Verdict): void {
    if (this.#isDenied(EVERYBODY)) return;
    if (key === ANY_L4 && id === EVERYBODY) this.state.clear();
    else if (key !== ANY_L4 && this.#isDenied(id)) return;
    this.#put(key, id, verdict);
  }

  allow(key: L4Key, id: number, verdict: Verdict): void {
    if (this.#isDenied(EVERYBODY)) return;
    if (id !== EVERYBODY || portOf(key) === 0) {
      if (!this.#isDenied(id)) this.#put(key, id, verdict);
      return;
    }
    for (const [denied, { deny, ...rest }] of this.state.get(ANY_L4) ?? [])
      if (deny && denied !== EVERYBODY) this.#put(key, denied, { deny, ...rest });
    this.#put(key, id, verdict);
  }
}
