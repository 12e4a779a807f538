import { EVERYBODY } from '../../src/policy/evaluate/maps/aggregates.ts';
import { ANY_L4, broaderKeys, type L4Key, l4Key, prefixOf } from '../../src/policy/evaluate/maps/map-key.ts';
import type { MapState, Verdict } from '../../src/policy/evaluate/maps/policy-map.ts';

/** The entry that the datapath up to 1.16 finds for a packet; undefined means that it is dropped. */
export function lookup(
  state: MapState,
  identity: number,
  protocol: number,
  port: number,
): Verdict | undefined {
  const full = l4Key(protocol, { port, prefix: 16 });
  const keys = [full, ...broaderKeys(full)];
  const find = (id: number) => {
    for (const key of keys) {
      const verdict = state.get(key)?.get(id);
      if (verdict) return { key, verdict };
    }
    return undefined;
  };
  const peer = find(identity);
  if (peer && prefixOf(peer.key) > 0) return peer.verdict;
  const everybody = find(EVERYBODY);
  if (everybody && prefixOf(everybody.key) > 0) return everybody.verdict;
  if (peer && peer.key !== ANY_L4) return peer.verdict;
  if (everybody && everybody.key !== ANY_L4) return everybody.verdict;
  return (peer ?? everybody)?.verdict;
}

/** The one that it finds from 1.17 on; undefined means that it is dropped. */
export function lookupByPrecedence(
  state: MapState,
  identity: number,
  aggregate: number,
  key: L4Key,
): Verdict | undefined {
  const keys = [key, ...broaderKeys(key)];
  const find = (id: number) => {
    const at = keys.findIndex((each) => state.get(each)?.has(id));
    const verdict = state.get(keys[at] ?? -1)?.get(id);
    return verdict && { verdict, at };
  };
  const [own, all] = [find(identity), find(aggregate)];
  if (!own || !all) return (own ?? all)?.verdict;
  const difference = (own.verdict.precedence ?? 0) - (all.verdict.precedence ?? 0);
  if (difference !== 0) return difference > 0 ? own.verdict : all.verdict;
  return all.at < own.at ? all.verdict : own.verdict;
}
