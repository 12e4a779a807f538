import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadState } from '../../src/cli/policy/inputs.ts';
import type { Release } from '../../src/model/release.ts';
import type { PolicyState } from '../../src/policy/evaluate/decide/cluster-state.ts';
import { PolicyEngine } from '../../src/policy/evaluate/decide/engine.ts';
import type { Settings } from '../../src/policy/evaluate/decide/settings.ts';
import { parsePolicies } from '../../src/policy/read/policies.ts';
import type { SourcedRule } from '../../src/policy/rule.ts';
import { startTestLab } from '../helpers/lab.ts';
import { fixture, type RestCase } from '../helpers/recordings.ts';
import { replay } from '../helpers/replay.ts';
import { testContext } from '../helpers/run.ts';

/** What is known of a cluster: pieces of it can be taken away. */
export interface Known {
  state: PolicyState;
  settings: Partial<Settings>;
}

/** A cluster with rules of it. */
export interface World extends Known {
  name: string;
  rules: SourcedRule[];
}

/** The evaluator of what is known. */
export function engineOf({ state, settings }: Known, rules: readonly SourcedRule[]): PolicyEngine {
  const { objects, addresses } = state;
  return new PolicyEngine(state.identities, state.endpoints, { ...settings, objects, addresses }).addAll(
    rules,
  );
}

/** What the agent of a recording knows, with its rules. */
export async function recordedWorld(name: string): Promise<World> {
  const exchanges = fixture<RestCase[]>(`recordings/${name}.json`)
    .flatMap((each) => each.exchanges)
    .filter(({ response }) => response.status === 200);
  await using server = await replay(exchanges);
  return { name, ...(await ask(server.socket)) };
}

/** What the agent of a lab knows, with the rules of its scenario. */
export async function labWorld(scenario: string): Promise<World> {
  await using lab = await startTestLab({ scenario });
  return { name: `the lab's ${scenario}`, ...(await ask(lab.lab.info.sockets.agent)) };
}

function ask(socket: string): Promise<Omit<World, 'name'>> {
  return loadState(testContext({ env: { CILIUM_SOCK: socket } }), { state: 'agent' });
}

interface RecordedSet {
  name: string;
  rules: unknown[];
  documents?: unknown[];
  status?: number;
  identities: { id: number; labels: string[] }[];
  ips?: { cidr: string; identity: number }[];
  endpoints?: { id: number; identity: number }[];
}

/** The sets of rules of a recording, each in its cluster. */
export async function recordedSets(name: string, release: Release): Promise<World[]> {
  const given = fixture<RecordedSet[] | { sets: RecordedSet[] }>(`recordings/${name}.json`);
  const sets = (Array.isArray(given) ? given : given.sets).filter(({ status = 200 }) => status === 200);
  return Promise.all(
    sets.map(async ({ rules, documents, identities, ips = [], endpoints = [], ...set }) => {
      const text = JSON.stringify(documents ?? rules);
      const read = await parsePolicies([{ file: 'p.json', text }], { target: release, strict: false });
      const known = await readState({ identities, ips, endpoints, hostFirewall: false, cidrMatchMode: [] });
      return {
        name: `${name}, ${set.name}`,
        state: known.state,
        settings: { ...known.settings, release },
        rules: read.rules,
      };
    }),
  );
}

/** A state document, read as `--state` reads it. */
export async function readState(document: Record<string, unknown>): Promise<Known> {
  const folder = mkdtempSync(join(tmpdir(), 'state-'));
  try {
    const file = join(folder, 'state.json');
    writeFileSync(file, JSON.stringify(document));
    return await loadState(testContext(), { state: file });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
