import { describe, expect, test } from '@jest/globals';
import type { Settings } from '../../src/policy/evaluate/decide/settings.ts';
import { parsePolicies } from '../../src/policy/read/policies.ts';
import { type CostReport, costOf } from '../../src/policy/reports/cost.ts';
import { openQuestions } from '../../src/policy/reports/open-questions.ts';
import { entriesText } from './helpers.ts';
import { FULL, POLICIES, TIERED } from './made-cluster.ts';
import { copyOf, TAKEN } from './taken.ts';
import {
  engineOf,
  type Known,
  labWorld,
  readState,
  recordedSets,
  recordedWorld,
  type World,
} from './worlds.ts';

/** What `policy maps` and `policy cost` say, and which questions they leave open. */
interface Said {
  maps: Map<number, string[]>;
  cost: CostReport;
  questions: { maps: string[]; cost: string[] };
}

/** What is said of the endpoints with these ids; of entries those of identities with these numbers. */
function said(
  known: Known,
  { rules }: World,
  endpoints: ReadonlySet<number>,
  ids: ReadonlySet<number>,
): Said {
  const kept = { ...known.state, endpoints: known.state.endpoints.filter(({ id }) => endpoints.has(id)) };
  const engine = engineOf({ ...known, state: kept }, rules);
  const maps = engine.endpoints.map(
    (endpoint) =>
      [
        endpoint.id,
        entriesText(engine.entriesOf(endpoint).filter(({ identity }) => ids.has(identity))),
      ] as const,
  );
  // Both verbs end with these.
  const refused = engine.openRules.map(({ why }) => why);
  return {
    maps: new Map(maps),
    cost: costOf(engine),
    questions: {
      maps: [...refused, ...openQuestions(engine)],
      cost: [...refused, ...openQuestions(engine, engine.rules)],
    },
  };
}

/** Which pods and prefixes there are is what is counted: who leaves them out is told of those that are given. */
const COUNTED = /^(pods|prefixes|all identities)$/;

/** A rule for everybody selects as many peers as are given. */
function costText({ rules, ...cost }: CostReport, piece: string): string {
  const counts = piece === 'reserved identities' ? rules.map(({ identities: _, ...rule }) => rule) : rules;
  const sorted = counts.map((each) => JSON.stringify(each)).sort();
  return JSON.stringify([sorted, cost]);
}

/** The world, with everything taken away in turn: what is then said otherwise, and without a word that it is not known. */
function wrongIn(world: World): string[] {
  return TAKEN.flatMap(([piece, take]) => {
    const known = copyOf(world);
    take(known);
    const endpoints = new Set(known.state.endpoints.map(({ id }) => id));
    const ids = new Set([0, ...engineOf(known, world.rules).identities.all.keys()]);
    const full = said(world, world, endpoints, ids);
    const less = said(known, world, endpoints, ids);
    const isAsked = (verb: 'maps' | 'cost') =>
      less.questions[verb].some((question) => !full.questions[verb].includes(question));
    const otherMaps = [...less.maps].filter(([id, own]) => own.join('\n') !== full.maps.get(id)?.join('\n'));
    const otherCost = !COUNTED.test(piece) && costText(less.cost, piece) !== costText(full.cost, piece);
    return [
      ...(otherMaps.length > 0 && !isAsked('maps') ? [`${world.name} without ${piece}: maps`] : []),
      ...(otherCost && !isAsked('cost') ? [`${world.name} without ${piece}: cost`] : []),
    ];
  });
}

/** Whether the questions are only asked where something is missing. */
function needlesslyAsked({ state, settings, rules }: World): string[] {
  const engine = engineOf({ state, settings }, rules);
  return openQuestions(engine, engine.rules).filter(
    (question) => !/^the (release|addresses of DNS)/.test(question),
  );
}

describe('policy maps and cost say what they lack, when they say something else for it', () => {
  const inMadeCluster = async (text: string, settings: Partial<Settings> = {}) => {
    const { state, settings: own } = await readState(FULL);
    const { rules } = await parsePolicies([{ file: 'policy.yaml', text }], { readAll: true });
    const world = { name: 'made', state, settings: { release: '1.17', ...own, ...settings } as const, rules };
    expect(wrongIn(world)).toEqual([]);
  };

  test.each(POLICIES)('in a cluster made for it: %s', (_, text) => inMadeCluster(text));
  test.each(POLICIES)('in one of 1.20: %s', (_, text) => inMadeCluster(text, { release: '1.20' }));
  test.each(TIERED)('in one whose agents read ClusterNetworkPolicy: %s', (_, text) =>
    inMadeCluster(text, { release: '1.20', clusterNetworkPolicy: true, nodeLabels: true }),
  );
  test.each(POLICIES)('in one whose CIDR rules select nodes and pods: %s', (_, text) =>
    inMadeCluster(text, { release: '1.20', cidrMatchMode: ['nodes', 'pods'] }),
  );

  test.each(['agent-1.10', 'agent-1.14', 'agent-1.20', 'agent-1.20-release'])(
    'at the agent of %s',
    async (name) => {
      const world = await recordedWorld(name);
      expect(wrongIn(world)).toEqual([]);
      expect(needlesslyAsked(world)).toEqual([]);
    },
  );

  test.each(['shop', 'incident', 'beginners-guide'])("in the lab's scenario %s", async (scenario) => {
    const world = await labWorld(scenario);
    expect(wrongIn(world)).toEqual([]);
    expect(needlesslyAsked(world)).toEqual([]);
  });

  test.each([
    ['policy-maps-1.10', '1.10', 4],
    ['policy-maps-1.17', '1.17', 2],
    ['policy-maps-1.20-release', '1.20', 2],
  ] as const)('with the sets of rules of %s', async (name, release, step) => {
    const worlds = (await recordedSets(name, release)).filter((_, n) => n % step === 0);
    expect(worlds.length).toBeGreaterThan(5);
    expect(worlds.flatMap(wrongIn)).toEqual([]);
    expect(worlds.flatMap(needlesslyAsked)).toEqual([]);
  });
});
