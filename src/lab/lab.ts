import { createHash } from 'node:crypto';
import { appendFileSync, chmodSync, readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import type { Clock } from '../context.ts';
import { errorMessage, UserError } from '../errors.ts';
import { Agent } from './agent.ts';
import { type Claimed, claimFolder, type LabInfo, processStart, publish, releaseFolder } from './folder.ts';
import { loadScenario } from './load.ts';
import { healthServer } from './rest/health.ts';
import { restServer } from './rest/server.ts';
import type { LabState } from './state.ts';
import type { AgentVersion } from './version.ts';
import { initialState } from './world.ts';

const SOCKET_MODE = 0o660;

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
  clock: Pick<Clock, 'nowMs'>;
}

/** A lab that serves. */
export interface Lab {
  readonly info: LabInfo;
  readonly agent: Agent;
  /** Whether it went on with the state of an earlier run. */
  readonly resumed: boolean;
  close(): Promise<void>;
}

/** Starts a lab in this process: resolves when all its sockets answer. */
export async function startLab(options: LabOptions): Promise<Lab> {
  const { scenario, file } = loadScenario(options.scenario, options.cwd);
  const digest = createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 16);
  const folder = await claimFolder(options);
  const servers: Server[] = [];
  try {
    const state = folder.resumed
      ? resumedState(folder, scenario.name)
      : initialState(scenario, digest, options.clock.nowMs());
    const logFile = join(folder.dir, 'lab.log');
    const agent = new Agent({
      state,
      file: folder.stateFile,
      scenario,
      version: options.version,
      clock: options.clock,
      log: (line) => appendFileSync(logFile, `${new Date().toISOString()} ${line}\n`),
    });
    const socket = (name: string) => join(folder.dir, `${name}.sock`);
    const sockets = { agent: socket('agent'), health: socket('health'), hubble: socket('hubble') };
    const rest = restServer(agent);
    const health = healthServer(agent);
    await listen(rest, sockets.agent);
    servers.push(rest);
    await listen(health, sockets.health);
    servers.push(health);
    const info: LabInfo = {
      name: folder.name,
      dir: folder.dir,
      pid: process.pid,
      pidStart: processStart(process.pid),
      scenario: scenario.name,
      agentVersion: options.version,
      startedAt: new Date(options.clock.nowMs()).toISOString(),
      sockets,
      hubbleTcp: '',
      temporary: folder.temporary,
    };
    await publish(info);
    agent.log(`started: scenario ${scenario.name}, agent version ${options.version}`);
    return {
      info,
      agent,
      resumed: folder.resumed,
      close: async () => {
        await Promise.all(servers.map(stop));
        await agent.close();
        releaseFolder(folder);
      },
    };
  } catch (error) {
    await Promise.all(servers.map(stop));
    if (folder.temporary && !folder.resumed) releaseFolder(folder);
    throw error;
  }
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

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
  chmodSync(path, SOCKET_MODE);
}

async function stop(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  // Streams that follow (map events) would keep it open for ever.
  setTimeout(() => server.closeAllConnections(), 200).unref();
  await closed;
}
