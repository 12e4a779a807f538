import { describe, expect, test } from '@jest/globals';
import { Peers } from '../../src/policy/evaluate/decide/peers.ts';
import { parsePolicies } from '../../src/policy/read/policies.ts';
import { starterTests } from '../../src/policy/reports/starter-test-file.ts';
import { type Expectation, runExpectations } from '../../src/policy/reports/test-file.ts';
import type { SourcedRule } from '../../src/policy/rule.ts';
import { FULL, POLICIES, TIERED } from './made-cluster.ts';
import { copyOf, TAKEN } from './taken.ts';
import { engineOf, type Known, readState, recordedWorld, type World } from './worlds.ts';

/** The tests that `policy test --init` would write of what is known. */
function starters(known: Known, rules: readonly SourcedRule[]): Expectation[] {
  const engine = engineOf(known, rules);
  const found = starterTests(engine, new Peers(engine, known.state, 'shop'));
  return found.map((each) => ({
    ...each,
    name: `${each.from} -> ${each.to} ${each.port}`,
    position: { file: 't', line: 1, column: 1 },
  }));
}

/** What the tests give, by name: `error` where a peer cannot be found. */
function resultsOf(
  known: Known,
  rules: readonly SourcedRule[],
  tests: readonly Expectation[],
): Map<string, string> {
  const engine = engineOf(known, rules);
  const file = { rules: [], state: undefined, namespace: 'shop' };
  return new Map(
    tests.map((one) => {
      try {
        const [result] = runExpectations({ ...file, tests: [one] }, engine, known.state);
        return [one.name, result?.got ?? 'error'];
      } catch {
        return [one.name, 'error'];
      }
    }),
  );
}

/** Labels may mean several identities where those are known: then it is unknown. */
const isVerdict = (got: string | undefined) => got === 'allow' || got === 'deny';

/** Tests that pass with a piece taken away, and fail when it is known; and files that begin with such tests. */
function wrongIn(world: World): string[] {
  const { rules } = world;
  const tests = starters(world, rules);
  expect(tests.length).toBeGreaterThan(0);
  const full = resultsOf(world, rules, tests);
  return TAKEN.flatMap(([piece, take]) => {
    const known = copyOf(world);
    take(known);
    const own = starters(known, rules);
    const wrong = [
      ...[...resultsOf(known, rules, tests)].map(([name, got]) => [name, got, full.get(name)]),
      ...[...resultsOf(world, rules, own)].map(([name, got], n) => [name, own[n]?.expect, got]),
    ];
    return wrong
      .filter(([, got, really]) => isVerdict(got) && isVerdict(really) && got !== really)
      .map(([name, got, really]) => `without ${piece}: ${name}: ${got}, really ${really}`);
  });
}

describe('policy test passes nothing for the lack of knowledge, and --init writes no such test', () => {
  test.each([...POLICIES, ...TIERED])('in a cluster made for it: %s', async (_, text) => {
    const { state, settings } = await readState(FULL);
    const { rules } = await parsePolicies([{ file: 'policy.yaml', text }], { readAll: true });
    const given = { ...settings, release: '1.20', clusterNetworkPolicy: true, nodeLabels: true } as const;
    const world = { name: 'made', state, settings: given, rules };
    const named = starters(world, rules).length > 0;
    expect(named ? wrongIn(world) : []).toEqual([]);
  });

  test.each(['agent-1.14', 'agent-1.20', 'agent-1.20-release'])('at the agent of %s', async (name) => {
    expect(wrongIn(await recordedWorld(name))).toEqual([]);
  });
});
