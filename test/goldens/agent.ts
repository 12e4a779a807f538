import { fixture, fixturePath, type RestCase } from '../helpers/recordings.ts';
import { replay } from '../helpers/replay.ts';
import { run } from '../helpers/run.ts';
import { firstDifference, type GoldenResult, type GoldenSuite } from './suite.ts';

/** The folder that `/opt/node/pol` stands for in the recordings. */
const POLICIES = fixturePath('recordings/pol');

/** Replays a recording of the in-agent CLI: a real server on a real socket, the clock at the recorded time. */
export function agentSuite(file: string, exceptions: Record<string, string>): GoldenSuite {
  return {
    file,
    exceptions,
    async *run() {
      for (const recorded of fixture<RestCase[]>(`recordings/${file}`)) yield runCase(recorded);
    },
  };
}

async function runCase(recorded: RestCase): Promise<GoldenResult> {
  await using server = await replay(recorded.exchanges);
  const local = (text: string) =>
    text.replaceAll('/opt/node/pol', POLICIES).replaceAll('AGENT_SOCK', server.socket);
  const result = await run(recorded.argv.map(local), {
    env: { CILIUM_SOCK: server.socket },
    nowMs: recorded.at * 1000,
  });
  const want = local(recorded.stdout);
  const matched = result.stdout === want && result.code === recorded.exit;
  const name = recorded.argv.join(' ');
  if (matched) return { name, matched };
  const difference =
    result.code === recorded.exit
      ? firstDifference(want, result.stdout)
      : `exit code: recorded ${recorded.exit}, ours ${result.code}\n  ours says: ${result.stderr.trim()}`;
  return { name, matched, difference };
}
