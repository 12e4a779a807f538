import { describe, expect, test } from '@jest/globals';
import { PolicyEngine } from '../../../../src/policy/evaluate/decide/engine.ts';
import { identityOf } from '../../../../src/policy/evaluate/selectors/identities.ts';
import { parsePolicies } from '../../../../src/policy/read/policies.ts';
import { fixture } from '../../../helpers/recordings.ts';

interface OldSet {
  name: string;
  rules: unknown[];
  identities: { id: number; labels: string[] }[];
  eps: { id: number; labels: string[]; want: [direction: string, number, number, number, boolean][] }[];
}

const { sets: SETS } = fixture<{ sets: OldSet[] }>('recordings/policy-maps-1.10.json');

function key(labels: readonly string[]): string {
  return [...labels].sort().join();
}

describe('policy maps of a 1.10 agent', () => {
  test.each(SETS.map((set) => [set.name, set] as const))('%s', async (_, { rules, identities, eps }) => {
    const text = JSON.stringify(rules);
    const read = await parsePolicies([{ file: 'r.json', text }], { target: '1.10', strict: false });
    const endpoints = eps.map(({ id, labels, want }) => ({
      id,
      identity: identities.find((identity) => key(identity.labels) === key(labels))?.id ?? -1,
      want: want.map((entry) => entry.join(' ')).sort(),
    }));
    const engine = new PolicyEngine(
      identities.map(({ id, labels }) => identityOf(id, labels)),
      endpoints,
      { release: '1.10' },
    ).addAll(read.rules);
    for (const endpoint of endpoints) {
      const entries = engine
        .entriesOf(endpoint)
        .map(({ direction, identity, protocol, port, deny }) =>
          [direction, identity, protocol, port, deny].join(' '),
        );
      expect([endpoint.id, ...entries.sort()]).toEqual([endpoint.id, ...endpoint.want]);
    }
  });
});
