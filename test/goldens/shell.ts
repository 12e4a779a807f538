import { fixture } from '../helpers/recordings.ts';
import { run } from '../helpers/run.ts';
import { serveStream } from '../helpers/stream-server.ts';
import { firstDifference, type GoldenResult, type GoldenSuite } from './suite.ts';

interface ShellCase {
  argv: string[];
  /** Seconds since the epoch. */
  at: number;
  exit: number;
  stdout: string;
  stderr: string;
  /** What the reference wrote to the socket, and what came back. */
  sent: string;
  received: string;
}

/** Replays recorded conversations with the agent's shell socket. */
export function shellSuite(file: string): GoldenSuite {
  return {
    file,
    async *run() {
      for (const recorded of fixture<ShellCase[]>(`recordings/${file}`)) yield runCase(recorded);
    },
  };
}

async function runCase(recorded: ShellCase): Promise<GoldenResult> {
  let sent = '';
  await using server = await serveStream((connection) => {
    connection.on('data', (bytes) => {
      sent += bytes.toString();
      if (sent.endsWith('\nexit\n')) connection.end(recorded.received);
    });
  });
  const at = recorded.argv.indexOf('--');
  const flag = ['--shell-sock-path', server.socket];
  const argv =
    at === -1
      ? [...recorded.argv, ...flag]
      : [...recorded.argv.slice(0, at), ...flag, ...recorded.argv.slice(at)];
  const result = await run(argv, { nowMs: recorded.at * 1000 });
  const name = recorded.argv.join(' ');
  const matched =
    result.stdout === recorded.stdout && result.code === recorded.exit && sent === recorded.sent;
  if (matched) return { name, matched };
  const difference =
    sent === recorded.sent
      ? result.code === recorded.exit
        ? firstDifference(recorded.stdout, result.stdout)
        : `exit code: recorded ${recorded.exit}, ours ${result.code}\n  ours says: ${result.stderr.trim()}`
      : `sent: recorded ${JSON.stringify(recorded.sent)}, ours ${JSON.stringify(sent)}`;
  return { name, matched, difference };
}
