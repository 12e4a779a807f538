import { fixture, fixturePath, type RestCase, type RestExchange } from '../helpers/recordings.ts';
import { replay } from '../helpers/replay.ts';
import { run } from '../helpers/run.ts';
import { serveStream } from '../helpers/stream-server.ts';
import { chosen, type GoldenResult, type GoldenSuite, nameOf, resultOf } from './suite.ts';

/** The folder that `/opt/node/pol` stands for in the recordings. */
const POLICIES = fixturePath('recordings/pol');

/**
 * `at` is when the reference was started; the ages that it printed show that it read the clock 52 to 65 ms later,
 * the same for every case.
 */
const STARTUP_MS = 58;

/** Replays a recording of the in-agent CLI: a real server on a real socket, the clock at the recorded time. */
export function agentSuite(file: string, exceptions: Record<string, string>): GoldenSuite {
  const cases = () => fixture<RestCase[]>(`recordings/${file}`);
  return {
    file,
    exceptions,
    names: () => cases().map(nameOf),
    async *run(only) {
      for (const recorded of chosen(cases(), only)) yield runCase(file, recorded);
    },
  };
}

/** What the agents also answered on other routes and sockets, by recording: rebuilt from what was printed. */
const BESIDE: Readonly<Record<string, string>> = { 'agent-1.20.json': 'agent/status-beside-1.20.json' };

interface Beside {
  /** The cilium-health daemon's socket. */
  health: RestExchange[];
  /** The agent's in-memory tables, on its own socket. */
  statedb: RestExchange[];
}

/** What the reference prints differently from run to run, by the first words of the case; each with its reason. */
const VIEWS: readonly { argv: readonly string[]; view: (stdout: string) => string }[] = [
  // Go walks the options in random order.
  { argv: ['config', '--list-options'], view: (text) => text.split('\n').sort().join('\n') },
  // Go walks the sections in random order.
  {
    argv: ['debuginfo'],
    view: (text) =>
      text
        .split(/^(?=#### )/m)
        .sort()
        .join(''),
  },
  // The client's half is the program's own.
  { argv: ['version'], view: (text) => text.slice(text.indexOf('Daemon')) },
];

function viewOf(argv: readonly string[]): (stdout: string) => string {
  return VIEWS.find((rule) => rule.argv.every((word, i) => argv[i] === word))?.view ?? ((text) => text);
}

interface Recorded extends RestCase {
  /** What the health daemon answered. */
  health?: RestExchange[];
  /** Conversations with the shell socket. */
  shell?: { sent: string; received: string }[];
}

async function runCase(file: string, recorded: Recorded): Promise<GoldenResult> {
  const beside: Beside = BESIDE[file] ? fixture<Beside>(BESIDE[file]) : { health: [], statedb: [] };
  await using server = await replay([...recorded.exchanges, ...beside.statedb]);
  await using health = await replay(recorded.health ?? beside.health);
  await using shell = await serveShell(recorded.shell?.[0]?.received ?? '');
  const local = (text: string) =>
    text.replaceAll('/opt/node/pol', POLICIES).replaceAll('AGENT_SOCK', server.socket);
  const argv = recorded.argv.map(local);
  const flags = recorded.shell ? ['--shell-sock-path', shell.socket] : [];
  const result = await run([...argv, ...flags], {
    env: { CILIUM_SOCK: server.socket, CILIUM_HEALTH_SOCK: health.socket },
    nowMs: recorded.at * 1000 + STARTUP_MS,
  });
  const view = viewOf(recorded.argv);
  const want = { stdout: view(local(recorded.stdout)), code: recorded.exit };
  return resultOf(recorded, { ...result, stdout: view(result.stdout) }, want);
}

/** A shell socket that says the same to whatever was asked, once it was asked to end. */
function serveShell(received: string) {
  return serveStream((connection) => {
    let sent = '';
    connection.on('data', (bytes) => {
      sent += bytes.toString();
      if (sent.endsWith('\nexit\n')) connection.end(received);
    });
  });
}
