import { readFileSync } from 'node:fs';
import { fixture, fixturePath } from '../helpers/recordings.ts';
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

/** Replays a recorded monitor stream on a real socket, once per set of flags, and stops when all of it was read. */
export function monitorSuite(file: string, exceptions: Record<string, string>): GoldenSuite {
  const stream = readFileSync(fixturePath(`recordings/${file.replace('.json', '.gob')}`));
  const cases = () => fixture<MonitorCase[]>(`recordings/${file}`);
  return {
    file,
    exceptions,
    names: () => cases().map(nameOf),
    async *run(only) {
      for (const recorded of chosen(cases(), only)) yield runCase(recorded, stream);
    },
  };
}

async function runCase(recorded: MonitorCase, stream: Buffer): Promise<GoldenResult> {
  const stop = new AbortController();
  await using server = await serveStream((connection, number) => {
    if (number === 0) connection.end(stream);
    else stop.abort(new DOMException('stopped', 'AbortError'));
  });
  const result = await run(recorded.argv, {
    env: {
      CILIUM_MONITOR_SOCK: server.socket,
      CILIUM_SOCK: `${server.socket}.none`,
      // The interfaces of the machine where the reference ran.
      CILIUM_SYSFS: fixturePath('monitor/sys'),
    },
    signal: stop.signal,
  });
  const code = recorded.exit === -9 ? 0 : recorded.exit;
  return resultOf(recorded, result, { stdout: withoutLog(recorded.stdout), code });
}

/** The reference logs to stdout; its log lines carry the time. */
function withoutLog(stdout: string): string {
  return stdout.replace(/^time=\S+ level=.*\n/gm, '');
}
