import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Clock } from '../context.ts';
import { errorMessage, UserError } from '../errors.ts';
import { processStart } from '../lib/alive.ts';
import type { Flow } from '../model/hubble.gen.ts';
import { Agent } from './agent/agent.ts';
import { assetPath, readAsset } from './assets.ts';
import {
  bpfRootIn,
  type Claimed,
  claimFolder,
  type LabInfo,
  publish,
  releaseFolder,
  socketsIn,
} from './folder.ts';
import { readFlows } from './hubble/flow-file.ts';
import { HubbleServices } from './hubble/observer.ts';
import { FlowPlayer, loopOf } from './hubble/player.ts';
import { TrafficSource } from './hubble/traffic.ts';
import { Pins } from './pins/pins.ts';
import type { Fault } from './pods/faults.ts';
import { loadScenario } from './scenario/load.ts';
import type { Scenario } from './scenario/scenario.ts';
import { seenFrom, withNodes } from './scenario/seen-from.ts';
import { serveAgent } from './serve.ts';
import type { LabState } from './state/state.ts';
import type { AgentVersion } from './version.ts';
import { initialState } from './world/world.ts';

const DEFAULT_RATE = 20;
const DEFAULT_RING = 4095;

/** Whether a lab pins maps. */
export const MAPS_MODES = ['auto', 'on', 'off'] as const;
export type MapsMode = (typeof MAPS_MODES)[number];

/** What to start a lab with. */
export interface LabOptions {
  /** Name of a shipped scenario, or the path of a file. */
  scenario: string;
  cwd: string;
  root: string;
  version: AgentVersion;
  dir?: string | undefined;
  name?: string | undefined;
  throwaway?: boolean;
  fresh?: boolean;
  /** File of flows to play instead of those of the scenario. */
  flows?: string | undefined;
  /** Flows per second. */
  rate?: number | undefined;
  /** Flows to keep. */
  ring?: number | undefined;
  /** TCP port of the Hubble API on 127.0.0.1; 0 or absent takes a free one. */
  hubblePort?: number | undefined;
  /** Whether to pin maps: `auto` does where that is possible; absent is `off`. */
  maps?: MapsMode | undefined;
  /** Name of the node whose agent is played; absent means the scenario's own. */
  node?: string | undefined;
  /** The cluster has so many nodes at least. */
  nodes?: number | undefined;
  /** Pods of a cluster run as processes in networks of their own. */
  pods?: boolean | undefined;
  /** What is wrong with them on purpose. */
  faults?: readonly Fault[] | undefined;
  /** The agent begins without the scenario's policies: it is given them. */
  bare?: boolean | undefined;
  clock: Pick<Clock, 'nowMs' | 'uptimeMs'>;
}

/** A lab that serves. */
export interface Lab {
  readonly info: LabInfo;
  readonly agent: Agent;
  /** Whether it went on with the state of an earlier run. */
  readonly resumed: boolean;
  /** Has its Hubble show a flow. */
  show(flow: Flow): void;
  close(): Promise<void>;
}

/** Starts a lab in this process: resolves when all its sockets answer. */
export async function startLab(options: LabOptions): Promise<Lab> {
  const world = readWorld(options);
  const folder = await claimFolder(options);
  const opened = new AsyncDisposableStack();
  try {
    const agent = openAgent(world, folder, options);
    opened.defer(() => agent.close());
    const { pins, noMaps } = openMaps(agent, bpfRootIn(folder.dir), options);
    if (pins) opened.defer(() => pins.close());
    const { player, close: closeFlows } = playFlows(agent, options, world.file, pins);
    opened.defer(closeFlows);
    const hubble = new HubbleServices(agent, player);
    opened.defer(() => hubble.close());
    const sockets = socketsIn(folder.dir);
    const hubbleTcp = await serveAgent({ agent, hubble, sockets, ...options }, opened);
    if (world.seesFlows) player.start();
    pins?.start();
    const info: LabInfo = {
      name: folder.name,
      dir: folder.dir,
      pid: process.pid,
      pidStart: processStart(process.pid),
      scenario: world.scenario.name,
      agentVersion: options.version,
      startedAt: new Date(options.clock.nowMs()).toISOString(),
      sockets,
      hubbleTcp,
      bpfRoot: bpfRootIn(folder.dir),
      ...(noMaps !== undefined && { noMaps }),
      temporary: folder.temporary,
    };
    await publish(info);
    agent.log(`started: scenario ${info.scenario}, agent version ${options.version}`);
    return {
      info,
      agent,
      resumed: folder.resumed,
      show: (flow) => player.add(flow),
      close: async () => {
        await opened.disposeAsync();
        releaseFolder(folder);
      },
    };
  } catch (error) {
    await opened.disposeAsync();
    // A state that was there before stays; so does a folder of the user's own.
    releaseFolder({ dir: folder.dir, temporary: folder.temporary && !folder.resumed });
    throw error;
  }
}

/** The scenario as the node of this lab sees it. */
interface World {
  file: string;
  digest: string;
  scenario: Scenario;
  /** The flows of a scenario are seen by the agent of its own node. */
  seesFlows: boolean;
}

function readWorld({ scenario: name, cwd, node, nodes = 1, bare = false }: LabOptions): World {
  const { scenario: loaded, file } = loadScenario(name, cwd);
  const all = withNodes(bare ? { ...loaded, policies: [] } : loaded, nodes);
  const scenario = node === undefined ? all : seenFrom(all, node);
  return {
    file,
    digest: createHash('sha256').update(readAsset(file)).digest('hex').slice(0, 16),
    scenario,
    seesFlows: scenario.node === loaded.node || node === all.nodes?.[0]?.name,
  };
}

function openAgent({ scenario, digest }: World, folder: Claimed, options: LabOptions): Agent {
  const { clock, version, pods } = options;
  const state = folder.resumed
    ? resumedState(folder, scenario.name)
    : initialState(scenario, digest, clock.nowMs());
  const logFile = join(folder.dir, 'lab.log');
  const log = (line: string) => {
    // What is said after its end has no place any more.
    if (existsSync(folder.dir)) appendFileSync(logFile, `${new Date().toISOString()} ${line}\n`);
  };
  return new Agent({ state, file: folder.stateFile, scenario, version, clock, allowLocalhost: pods, log });
}

function resumedState(folder: Claimed, scenario: string): LabState {
  let state: LabState;
  try {
    state = JSON.parse(readFileSync(folder.stateFile, 'utf8')) as LabState;
  } catch (cause) {
    throw new UserError(`the state in ${folder.stateFile} cannot be read: ${errorMessage(cause)}`, {
      hint: 'Begin anew with --fresh.',
      cause,
    });
  }
  if (state.format !== 1)
    throw new UserError(`the state in ${folder.stateFile} was written by another version of the toolkit`, {
      hint: 'Begin anew with --fresh.',
    });
  if (state.scenario.name !== scenario)
    throw new UserError(
      `${folder.dir} holds the state of a lab with scenario ${state.scenario.name}, not ${scenario}`,
      {
        hint: `Go on with it: --scenario ${state.scenario.name}. Or begin anew: --fresh.`,
      },
    );
  return state;
}

/** Pins the maps of a lab, or says why not. */
function openMaps(
  agent: Agent,
  root: string,
  { maps = 'off', clock }: LabOptions,
): { pins?: Pins; noMaps?: string } {
  if (maps === 'off') return { noMaps: 'they are switched off' };
  try {
    return { pins: Pins.open(root, agent, clock) };
  } catch (error) {
    if (!(error instanceof UserError) || maps === 'on') throw error;
    return { noMaps: error.message };
  }
}

/** Sets the flows of a lab going: those of a file, or the traffic of its scenario. */
function playFlows(agent: Agent, options: LabOptions, scenarioFile: string, pins: Pins | undefined) {
  const { flows = {}, traffic = [] } = agent.world.scenario;
  const given = options.flows !== undefined ? resolve(options.cwd, options.flows) : undefined;
  const own = flows.file !== undefined ? resolve(dirname(scenarioFile), flows.file) : undefined;
  const live = given === undefined && own === undefined && traffic.length > 0;
  // Where pods run, what happens is what is to be seen.
  const source = options.pods
    ? undefined
    : live
      ? new TrafficSource(traffic, agent)
      : loopOf(readFlows(given ?? own ?? assetPath('scenarios/flows.jsonl')));
  const player = new FlowPlayer(source, {
    ratePerSecond: options.rate ?? flows.rate ?? DEFAULT_RATE,
    ringSize: options.ring ?? flows.ring ?? DEFAULT_RING,
    nowMs: () => agent.nowMs(),
    onFlow: pins && ((flow) => pins.played(flow)),
  });
  agent.flowCounts = () => ({
    current: player.ring.size,
    max: player.ring.capacity,
    seen: player.ring.end,
    uptimeMs: agent.nowMs() - player.beganMs,
  });
  agent.dropCounts = () => player.dropped;
  const close = () => {
    player.stop();
    if (source instanceof TrafficSource) source.close();
  };
  return { player, close };
}
