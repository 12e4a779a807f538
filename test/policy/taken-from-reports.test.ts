import { describe, expect, test } from '@jest/globals';
import type { Endpoint } from '../../src/model/hubble.gen.ts';
import type { FlowRecord } from '../../src/policy/evaluate/decide/connections.ts';
import { PolicyEngine } from '../../src/policy/evaluate/decide/engine.ts';
import { Peers } from '../../src/policy/evaluate/decide/peers.ts';
import { parsePolicies } from '../../src/policy/read/policies.ts';
import { FlowTable } from '../../src/policy/reports/flow-table.ts';
import { replay } from '../../src/policy/reports/replay.ts';
import { suggest } from '../../src/policy/reports/suggest.ts';
import { rulesOfFlows, unusedRules } from '../../src/policy/reports/unused.ts';
import { why } from '../../src/policy/reports/why.ts';
import { fixtureText } from '../helpers/recordings.ts';
import { copyOf, TAKEN } from './taken.ts';
import { engineOf, type Known, recordedWorld, type World } from './worlds.ts';

/** Each leaves one piece out of flows, as field masks do. */
const MASKS: readonly (readonly [string, (flow: FlowRecord) => FlowRecord])[] = [
  ['nothing', (flow) => flow],
  ['labels', ends(({ labels: _, ...end }) => end)],
  ['labels and numbers', ends(({ labels: _, identity: __, ID: ___, ...end }) => end)],
  ['all but the namespaces', ends(({ namespace }) => ({ ...(namespace && { namespace }) }))],
  ['both ends', ends(() => ({}))],
  ['the names of pods', ends(({ pod_name: _, workloads: __, ...end }) => end)],
  ['the names of clusters', ends(({ cluster_name: _, ...end }) => end)],
  ['DNS names', ({ source_names: _, destination_names: __, l7: ___, ...flow }) => flow],
  ['services', ({ source_service: _, destination_service: __, ...flow }) => flow],
  ['directions', ({ traffic_direction: _, ...flow }) => flow],
  ['the node', ({ node_name: _, ...flow }) => flow],
];

function ends(change: (end: Endpoint) => Endpoint): (flow: FlowRecord) => FlowRecord {
  return ({ source, destination, ...flow }) => ({
    ...flow,
    ...(source && { source: change(source) }),
    ...(destination && { destination: change(destination) }),
  });
}

function flowsOf(name: string, step: number): FlowRecord[] {
  return fixtureText(`recordings/${name}.jsonl`)
    .split('\n')
    .filter((line, n) => line !== '' && n % step === 0)
    .map((line) => (JSON.parse(line) as { flow?: FlowRecord }).flow ?? {});
}

const CASES = [
  ['agent-1.14', 'flows-1.14', 2],
  ['agent-1.20-release', 'flows-1.20-release', 3],
] as const;
const WORLDS = new Map<string, World>();
for (const [agent] of CASES) WORLDS.set(agent, await recordedWorld(agent));

function worldOf(agent: string): World {
  const world = WORLDS.get(agent);
  if (!world) throw new Error(`no recording ${agent}`);
  return world;
}

/** The verdict for each flow on its own, and whether the agent agrees, as `policy why` and `policy replay` say it. */
function verdictsOf(known: Known, world: World, flows: readonly FlowRecord[]): string[][] {
  const engine = engineOf(known, world.rules);
  const peers = new Peers(engine, known.state);
  return flows.map((flow) => {
    const table = new FlowTable(peers);
    table.add(flow);
    const { allowed, denied, changes } = replay(table, engine);
    const answer = why(flow, engine, peers);
    const explained = typeof answer === 'string' ? 'undecided' : answer.verdict;
    return [
      explained === 'unknown' ? 'undecided' : explained,
      allowed > 0 ? 'allowed' : denied > 0 ? 'denied' : 'undecided',
      changes.map(({ change }) => change).join(',') || 'undecided',
    ];
  });
}

/** Certain answers that a fuller report does not give. */
function contradictions(full: readonly string[][], less: readonly string[][]): string[] {
  return less.flatMap((own, n) =>
    own.flatMap((answer, i) =>
      answer !== 'undecided' && answer !== full[n]?.[i]
        ? [`flow ${n}: ${answer}, really ${full[n]?.[i]}`]
        : [],
    ),
  );
}

describe.each(CASES)('reports of %s on its flows', (agent, file, step) => {
  const flows = flowsOf(file, step);
  const world = worldOf(agent);
  const full = verdictsOf(world, world, flows);

  test('say something for certain', () => {
    for (const answer of ['allowed', 'denied']) expect(full.flat()).toContain(answer);
  });

  test.each(MASKS)('why and replay say nothing wrong of flows without %s', (_, mask) => {
    expect(contradictions(full, verdictsOf(world, world, flows.map(mask))).slice(0, 5)).toEqual([]);
  });

  test.each(TAKEN)('why and replay say nothing wrong without %s in the state', (_, take) => {
    const known = copyOf(world);
    take(known);
    expect(contradictions(full, verdictsOf(known, world, flows)).slice(0, 5)).toEqual([]);
  });

  const unusedIn = async (known: Known, seen?: readonly FlowRecord[]): Promise<string[]> => {
    const engine = engineOf(known, world.rules);
    const used = seen && (await rulesOfFlows(each(seen), engine, new Peers(engine, known.state)));
    return unusedRules(engine, { used }).map(
      ({ rule, reason }) => `${rule.location} ${rule.part ?? ''} ${reason}`,
    );
  };

  // Which endpoints there are is what is asked about.
  const known = TAKEN.filter(([piece]) => !/^(pods|endpoints|the endpoints|all identities)/.test(piece));
  test.each(known)('unused lists no rule for the lack of %s', async (_, take) => {
    const taken = copyOf(world);
    take(taken);
    const whole = await unusedIn(world);
    expect((await unusedIn(taken)).filter((line) => !whole.includes(line))).toEqual([]);
  });

  test.each(MASKS)('unused lists no rule for flows without %s', async (_, mask) => {
    const whole = await unusedIn(world, flows);
    const less = await unusedIn(world, flows.map(mask));
    expect(less.filter((line) => !whole.includes(line))).toEqual([]);
  });

  test.each(MASKS)(
    'what is suggested for flows without %s denies none of those that it is made of',
    async (_, mask) => {
      const { state, settings } = world;
      const engine = new PolicyEngine(state.identities, state.endpoints, {
        ...settings,
        objects: state.objects,
      });
      const masked = new FlowTable(new Peers(engine, state));
      for (const flow of flows) masked.add(mask(flow));
      const { suggestions, unnamed } = suggest(masked);
      const text = suggestions.map(({ policy }) => JSON.stringify(policy)).join('\n---\n');
      const { rules } = await parsePolicies([{ file: 'p.yaml', text: text || '[]' }]);
      const tried = new PolicyEngine(state.identities, state.endpoints, {
        ...settings,
        objects: state.objects,
      });
      const { changes } = replay(masked, tried.addAll(rules));
      const denied = changes.filter(({ change }) => change === 'newly-denied');
      // What it leaves out is said.
      expect(unnamed.length > 0 ? [] : denied).toEqual([]);
      expect(suggestions.length + unnamed.length).toBeGreaterThan(0);
    },
  );
});

async function* each<T>(list: readonly T[]): AsyncGenerator<T> {
  yield* list;
}
