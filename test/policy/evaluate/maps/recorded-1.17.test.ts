import { describe, expect, test } from '@jest/globals';
import { PolicyEngine } from '../../../../src/policy/evaluate/decide/engine.ts';
import { identityOf } from '../../../../src/policy/evaluate/selectors/identities.ts';
import { entriesText, ruleOf } from '../../helpers.ts';
import { policySets, recordedEntries, recordedSelector } from '../../recorded.ts';

describe('policy maps of a 1.17 agent', () => {
  test.each(policySets().map((set) => [set.name, set] as const))('%s', (_, set) => {
    const engine = new PolicyEngine(
      set.identities.map(({ id, labels }) => identityOf(id, labels)),
      set.endpoints.map(({ id, identity }) => ({ id, identity })),
    ).addAll(set.storedRules.map(ruleOf));
    for (const endpoint of set.endpoints) {
      const entries = engine.entriesOf({ id: endpoint.id, identity: endpoint.identity });
      expect([endpoint.id, ...entriesText(entries)]).toEqual([
        endpoint.id,
        ...entriesText(recordedEntries(endpoint.mapEntries)),
      ]);
    }
  });
});

describe('selectors of a 1.17 agent', () => {
  test.each(policySets().map((set) => [set.name, set] as const))('%s', (_, set) => {
    const engine = new PolicyEngine(
      set.identities.map(({ id, labels }) => identityOf(id, labels)),
      [],
    );
    for (const { selector, identities } of set.selectors) {
      const ours = engine.selectors.resolve(recordedSelector(selector));
      expect([selector, ...ours.ids]).toEqual([selector, ...identities]);
    }
  });
});
