import { readFileSync } from 'node:fs';
import { fixture, fixturePath, type RestCase, type RestExchange } from '../helpers/recordings.ts';
import { replay } from '../helpers/replay.ts';
import { run } from '../helpers/run.ts';
import { serveStream } from '../helpers/stream-server.ts';
import { chosen, type GoldenResult, type GoldenSuite, nameOf, resultOf } from './suite.ts';

interface MonitorCase {
  argv: string[];
  /** -9 where the reference was still running when the recording ended. */
  exit: number;
  stdout: string;
  stderr: string;
}

/** What was beside the stream where it was recorded. */
interface Machine {
  /** The folder of fixtures/ that has the machine's interfaces. */
  sys?: string;
  /** The recording of the agent whose status is served; without it no agent answers, and the stream tells its release. */
  agent?: string;
}

/** Replays a recorded monitor stream on a real socket, once per set of flags, and stops when all of it was read. */
export function monitorSuite(
  file: string,
  exceptions: Record<string, string>,
  machine: Machine = {},
): GoldenSuite {
  const stream = readFileSync(fixturePath(`recordings/${file.replace('.json', '.gob')}`));
  const cases = () => fixture<MonitorCase[]>(`recordings/${file}`);
  return {
    file,
    exceptions,
    names: () => cases().map(nameOf),
    async *run(only) {
      for (const recorded of chosen(cases(), only)) yield runCase(recorded, stream, machine);
    },
  };
}

async function runCase(recorded: MonitorCase, stream: Buffer, machine: Machine): Promise<GoldenResult> {
  const stop = new AbortController();
  await using server = await serveStream((connection, number) => {
    if (number === 0) connection.end(stream);
    else stop.abort(new DOMException('stopped', 'AbortError'));
  });
  await using agent = await replay(statusOf(machine.agent));
  const result = await run(recorded.argv, {
    env: {
      CILIUM_MONITOR_SOCK: server.socket,
      CILIUM_SOCK: machine.agent ? agent.socket : `${server.socket}.none`,
      CILIUM_SYSFS: fixturePath(machine.sys ?? 'monitor/sys'),
    },
    signal: stop.signal,
  });
  const code = recorded.exit === -9 ? 0 : recorded.exit;
  return resultOf(recorded, result, { stdout: withoutLog(recorded.stdout), code });
}

/** The status that an agent answered in another recording. */
function statusOf(agent: string | undefined): RestExchange[] {
  if (!agent) return [];
  const exchanges = fixture<RestCase[]>(`recordings/${agent}`).flatMap((recorded) => recorded.exchanges);
  const status = exchanges.find(
    ({ request, response }) => request.path === '/v1/healthz' && response.status === 200,
  );
  return status ? [status] : [];
}

/** The reference logs to stdout, in the middle of a line that has no end too; its log lines carry the time. */
function withoutLog(stdout: string): string {
  return stdout.replace(/time="?\d{4}-\S+ level=.*\n/g, '');
}
