import { readFileSync } from 'node:fs';
import { fixture, fixturePath } from '../helpers/recordings.ts';
import { run } from '../helpers/run.ts';
import { serveStream } from '../helpers/stream-server.ts';
import { firstDifference, type GoldenResult, type GoldenSuite } from './suite.ts';

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
  return {
    file,
    exceptions,
    async *run() {
      for (const recorded of fixture<MonitorCase[]>(`recordings/${file}`)) yield runCase(recorded, stream);
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
  const want = withoutLog(recorded.stdout);
  const wantedCode = recorded.exit === -9 ? 0 : recorded.exit;
  const name = recorded.argv.join(' ');
  const matched = result.stdout === want && result.code === wantedCode;
  if (matched) return { name, matched };
  const difference =
    result.code === wantedCode
      ? firstDifference(want, result.stdout)
      : `exit code: recorded ${recorded.exit}, ours ${result.code}\n  ours says: ${result.stderr.trim()}`;
  return { name, matched, difference };
}

/** The reference logs to stdout; its log lines carry the time. */
function withoutLog(stdout: string): string {
  return stdout.replace(/^time=\S+ level=.*\n/gm, '');
}
