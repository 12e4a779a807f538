import { fixture } from '../helpers/recordings.ts';
import { run } from '../helpers/run.ts';
import { serveStream } from '../helpers/stream-server.ts';
import { chosen, type GoldenResult, type GoldenSuite, nameOf, resultOf } from './suite.ts';

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
  const cases = () => fixture<ShellCase[]>(`recordings/${file}`);
  return {
    file,
    names: () => cases().map(nameOf),
    async *run(only) {
      for (const recorded of chosen(cases(), only)) yield runCase(recorded);
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
  // What went to the socket counts like what was printed.
  const both = (written: string, stdout: string) => `sent: ${JSON.stringify(written)}\n${stdout}`;
  return resultOf(
    recorded,
    { ...result, stdout: both(sent, result.stdout) },
    { stdout: both(recorded.sent, recorded.stdout), code: recorded.exit },
  );
}
