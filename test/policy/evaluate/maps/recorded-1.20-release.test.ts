import { describe, expect, test } from '@jest/globals';
import { PolicyEngine } from '../../../../src/policy/evaluate/decide/engine.ts';
import { identityOf } from '../../../../src/policy/evaluate/selectors/identities.ts';
import { parsePolicies } from '../../../../src/policy/read/policies.ts';
import { fixture } from '../../../helpers/recordings.ts';
import { entriesText } from '../../helpers.ts';
import { type PolicySet, recordedEntries } from '../../recorded.ts';

/** As those of 1.17, and `documents` are the objects that were written. */
interface ReleaseSet extends PolicySet {
  status: number;
  documents: unknown[];
  ips: { cidr: string; identity: number }[];
  namespaces: (string | null)[];
}

const SETS = fixture<ReleaseSet[]>('recordings/policy-maps-1.20-release.json');
const NAMED = SETS.map((set) => [set.name, set] as const);

function engineOf({ identities, endpoints, ips }: ReleaseSet): PolicyEngine {
  return new PolicyEngine(
    identities.map(({ id, labels }) => identityOf(id, labels)),
    endpoints.map(({ id, identity }) => ({ id, identity })),
    {
      release: '1.20',
      clusterName: 'lab',
      dualStack: ips.some(({ cidr, identity }) => cidr === '0.0.0.0/0' && identity !== 2),
    },
  );
}

async function readSet({ documents }: ReleaseSet) {
  return parsePolicies([{ file: 'p.json', text: JSON.stringify(documents) }], { target: '1.20' });
}

describe('policy maps of a 1.20 agent', () => {
  test.each(NAMED)('%s', async (_, set) => {
    const { rules } = await readSet(set);
    // What the agent refuses leaves every map as it was.
    const engine = engineOf(set).addAll(set.status === 200 ? rules : []);
    for (const { id, identity, mapEntries } of set.endpoints)
      expect([id, ...entriesText(engine.entriesOf({ id, identity }))]).toEqual([
        id,
        ...entriesText(recordedEntries(mapEntries)),
      ]);
  });
});
