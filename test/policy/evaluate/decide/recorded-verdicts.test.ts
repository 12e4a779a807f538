import { describe, expect, test } from '@jest/globals';
import { atLeast, type Release } from '../../../../src/model/release.ts';
import { decideDirection } from '../../../../src/policy/evaluate/decide/decide.ts';
import { PolicyEngine } from '../../../../src/policy/evaluate/decide/engine.ts';
import { aggregateByKind, EVERYBODY } from '../../../../src/policy/evaluate/maps/aggregates.ts';
import { DIRECTIONS, type Direction } from '../../../../src/policy/evaluate/maps/compile-rule.ts';
import { l4Key } from '../../../../src/policy/evaluate/maps/map-key.ts';
import type { MapEntry, MapState } from '../../../../src/policy/evaluate/maps/policy-map.ts';
import { identityOf, isNode } from '../../../../src/policy/evaluate/selectors/identities.ts';
import { parsePolicies } from '../../../../src/policy/read/policies.ts';
import { lookup, lookupByPrecedence } from '../../../helpers/datapath-lookup.ts';
import { fixture } from '../../../helpers/recordings.ts';
import { ruleOf } from '../../helpers.ts';
import { type PolicySet, policySets, recordedEntries } from '../../recorded.ts';

interface ReleaseSet extends PolicySet {
  status: number;
  documents: unknown[];
  ips: { cidr: string; identity: number }[];
}

/** What the agent wrote, as the datapath looks it up. */
function stateOf(entries: readonly MapEntry[], direction: Direction): MapState {
  const state: MapState = new Map();
  for (const entry of entries) {
    if (entry.direction !== direction) continue;
    const key = l4Key(entry.protocol, entry);
    const bucket = state.get(key) ?? new Map();
    const { identity, deny, proxy, auth, precedence } = entry;
    bucket.set(identity, {
      deny,
      proxy,
      auth,
      explicitAuth: true,
      parts: [],
      ...(precedence && { precedence }),
    });
    state.set(key, bucket);
  }
  return state;
}

/** The ports that the entries name, and one that none does. */
function portsOf(entries: readonly MapEntry[]): [protocol: number, port: number][] {
  const named = entries.filter(({ port }) => port > 0).map(({ protocol, port }) => `${protocol} ${port}`);
  const [TCP, UDP] = [6, 17];
  return [...new Set([...named, `${TCP} 1`, `${UDP} 1`])].map((text) => {
    const [protocol = 0, port = 0] = text.split(' ').map(Number);
    return [protocol, port];
  });
}

/** Verdicts that are not those of the recorded maps. */
function wrongOf(engine: PolicyEngine, release: Release, { endpoints }: PolicySet) {
  const clusterName = engine.clusterName;
  const aggregateOf = atLeast(release, '1.20')
    ? aggregateByKind(engine.identities, clusterName)
    : () => EVERYBODY;
  const wrong: string[] = [];
  let asked = 0;
  for (const { id, identity, mapEntries } of endpoints) {
    const subject = engine.identities.get(identity);
    if (!subject || isNode(subject)) continue;
    const entries = recordedEntries(mapEntries);
    for (const direction of DIRECTIONS) {
      const state = stateOf(entries, direction);
      for (const peer of engine.identities.all.values())
        for (const [protocol, port] of portsOf(entries)) {
          const found = atLeast(release, '1.18')
            ? lookupByPrecedence(state, peer.id, aggregateOf(peer.id), l4Key(protocol, { port, prefix: 16 }))
            : lookup(state, peer.id, protocol, port);
          const recorded = found !== undefined && !found.deny ? 'allowed' : 'denied';
          const { answer } = decideDirection(engine, direction, subject, peer, { protocol, port });
          asked++;
          if (answer !== recorded)
            wrong.push(
              `${id} ${direction} ${peer.id} ${port}/${protocol}: ${answer}, by the map ${recorded}`,
            );
        }
    }
  }
  return { asked, wrong };
}

describe('verdicts are those of the recorded maps', () => {
  test.each(policySets().map((set) => [set.name, set] as const))('of 1.17: %s', (_, set) => {
    const engine = new PolicyEngine(
      set.identities.map(({ id, labels }) => identityOf(id, labels)),
      set.endpoints.map(({ id, identity }) => ({ id, identity, namedPorts: [] })),
      { release: '1.17', cidrMatchMode: [] },
    ).addAll(set.storedRules.map(ruleOf));
    const { asked, wrong } = wrongOf(engine, '1.17', set);
    expect(wrong).toEqual([]);
    expect(asked).toBeGreaterThan(0);
  });

  const sets = fixture<ReleaseSet[]>('recordings/policy-maps-1.20-release.json');
  test.each(sets.map((set) => [set.name, set] as const))('of 1.20: %s', async (_, set) => {
    const { rules } = await parsePolicies([{ file: 'p.json', text: JSON.stringify(set.documents) }], {
      target: '1.20',
    });
    const engine = new PolicyEngine(
      set.identities.map(({ id, labels }) => identityOf(id, labels)),
      set.endpoints.map(({ id, identity }) => ({ id, identity, namedPorts: [] })),
      {
        release: '1.20',
        clusterName: 'lab',
        cidrMatchMode: [],
        dualStack: set.ips.some(({ cidr, identity }) => cidr === '0.0.0.0/0' && identity !== 2),
      },
    ).addAll(set.status === 200 ? rules : []);
    const { asked, wrong } = wrongOf(engine, '1.20', set);
    expect(wrong).toEqual([]);
    expect(asked).toBeGreaterThan(0);
  });
});
