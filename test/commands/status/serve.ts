import type { RestExchange } from '../../helpers/recordings.ts';
import { replay } from '../../helpers/replay.ts';
import { type RunOptions, type RunResult, run } from '../../helpers/run.ts';

/** 2026-11-22T08:05:00Z */
export const NOW_MS = Date.UTC(2026, 10, 22, 8, 5, 0);

/** What the sockets of an agent answer; a string is sent as it is. */
export interface Answers {
  status?: unknown;
  health?: unknown;
  /** Rows of the table of module health; undefined: no such table. */
  modules?: unknown[];
  /** Other exchanges of the agent. */
  others?: RestExchange[];
}

export function answer(path: string, body: unknown, status = 200): RestExchange {
  return {
    request: { method: 'GET', path },
    response: {
      status,
      contentType: 'application/json',
      body: typeof body === 'string' ? body : JSON.stringify(body),
    },
  };
}

/** Runs a command against an agent that gives these answers. */
export async function ask(argv: string[], answers: Answers, options: RunOptions = {}): Promise<RunResult> {
  const rows = answers.modules?.map((obj, i) => JSON.stringify({ rev: i + 1, obj })).join('\n');
  await using agent = await replay([
    ...(answers.status === undefined ? [] : [answer('/v1/healthz', answers.status)]),
    ...(rows === undefined ? [] : [answer('/statedb/query', `${rows}\n`)]),
    ...(answers.others ?? []),
  ]);
  await using health = await replay(
    answers.health === undefined ? [] : [answer('/v1beta/status', answers.health)],
  );
  const env = { CILIUM_SOCK: agent.socket, CILIUM_HEALTH_SOCK: health.socket, ...options.env };
  return await run(argv, { nowMs: NOW_MS, ...options, env });
}

/** A module's report as the agent keeps it. */
export function report(id: string, level: string, message: string, updated = '2026-11-22T08:03:00Z') {
  const [module = '', ...component] = id.split('/');
  return {
    ID: { Module: module.split('.'), Component: component },
    Level: level,
    Message: message,
    Error: '',
    Updated: updated,
    Count: 2,
  };
}
