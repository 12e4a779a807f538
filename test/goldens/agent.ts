import { fixture, fixturePath, type RestCase, type RestExchange } from '../helpers/recordings.ts';
import { replay } from '../helpers/replay.ts';
import { run } from '../helpers/run.ts';
import { serveStream } from '../helpers/stream-server.ts';
import { chosen, type GoldenResult, type GoldenSuite, nameOf, resultOf } from './suite.ts';

/** The folder that `/opt/node/pol` stands for in the recordings. */
const POLICIES = fixturePath('recordings/pol');

/**
 * `at` is when the reference was started; the ages that it printed show how much later it read the clock: 48 to 65 ms,
 * and in other recordings the same for every case too.
 */
const STARTUP_MS = 58;
const OTHER_STARTUP_MS: Readonly<Record<string, number>> = {
  'agent-1.10.json': 138,
  'agent-1.14.json': 266,
  'agent-1.20-release.json': 40,
};

/** Replays a recording of the in-agent CLI: a real server on a real socket, the clock at the recorded time. */
export function agentSuite(file: string, exceptions: Record<string, string>): GoldenSuite {
  const cases = () => fixture<RestCase[]>(`recordings/${file}`);
  return {
    file,
    exceptions,
    names: () => cases().map(nameOf),
    async *run(only) {
      const asked = saysItsRelease(cases());
      const version = VERSIONS[file];
      const release = asked.length === 0 && version ? [healthz(version)] : asked;
      for (const recorded of chosen(cases(), only)) yield runCase(file, recorded, release);
    },
  };
}

/** The versions of agents that no case asks for theirs. */
const VERSIONS: Readonly<Record<string, string>> = { 'agent-1.17-policy.json': '1.17.0-dev' };

function healthz(version: string): RestExchange {
  return {
    request: { method: 'GET', path: '/v1/healthz' },
    response: { status: 200, body: JSON.stringify({ cilium: { state: 'Ok', msg: version } }) },
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
const VIEWS: readonly { argv: readonly (string | RegExp)[]; view: (stdout: string) => string }[] = [
  // Go walks the options in random order.
  { argv: ['config', '--list-options'], view: sortedLines },
  { argv: ['endpoint', 'config', /^\d+$/, '--list-options'], view: sortedLines },
  // Labels in the order of a Go map.
  { argv: ['endpoint', 'labels'], view: sortedLines },
  { argv: ['ip', 'list'], view: sortedLabelLines },
  { argv: ['metrics', 'list'], view: sortedLabels },
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
  const fits = (word: string | RegExp, given = '') =>
    typeof word === 'string' ? given === word : word.test(given);
  return VIEWS.find((rule) => rule.argv.every((word, i) => fits(word, argv[i])))?.view ?? ((text) => text);
}

function sortedLines(text: string): string {
  return text.split('\n').sort().join('\n');
}

/** The labels of a metric, which are a Go map, sorted. */
function sortedLabels(text: string): string {
  return text.replace(
    /\w+="[^"]*"( \w+="[^"]*")+/g,
    (labels) =>
      labels
        .match(/\w+="[^"]*"/g)
        ?.sort()
        .join(' ') ?? '',
  );
}

/** Each row's labels sorted, where they stand one below the other in the second column. */
function sortedLabelLines(text: string): string {
  const rows: { before: string[]; label: string[]; after: string[] }[] = [];
  for (const line of text.split('\n')) {
    const [, before = '', label = '', after = ''] = /^(\S* +)(\S+)(.*)$/.exec(line) ?? ['', line];
    if (before.trim() !== '' || rows.length === 0) rows.push({ before: [], label: [], after: [] });
    const row = rows.at(-1);
    row?.before.push(before);
    row?.label.push(label);
    row?.after.push(after.trim());
  }
  return rows
    .flatMap(({ before, label, after }) => {
      const sorted = label.toSorted();
      return before.map((start, i) => `${start}${sorted[i]} ${after[i]}`);
    })
    .join('\n');
}

interface Recorded extends RestCase {
  /** What the health daemon answered. */
  health?: RestExchange[];
  /** Conversations with the shell socket. */
  shell?: { sent: string; received: string }[];
}

/**
 * A real agent says its release whenever it is asked; the reference did not ask, because it only knows its own. So the
 * recording's answer to one case is there in all.
 */
function saysItsRelease(cases: readonly RestCase[]): RestExchange[] {
  const all = cases.flatMap(({ exchanges }) => exchanges);
  const asked = all.filter(
    ({ request, response }) => request.path === '/v1/healthz' && response.status === 200,
  );
  return asked.slice(0, 1);
}

async function runCase(
  file: string,
  recorded: Recorded,
  release: readonly RestExchange[],
): Promise<GoldenResult> {
  const beside: Beside = BESIDE[file] ? fixture<Beside>(BESIDE[file]) : { health: [], statedb: [] };
  const own = recorded.exchanges.some(({ request }) => request.path === '/v1/healthz');
  await using server = await replay([...recorded.exchanges, ...(own ? [] : release), ...beside.statedb]);
  await using health = await replay(recorded.health ?? beside.health);
  await using shell = await serveShell(recorded.shell?.[0]?.received ?? '');
  const local = (text: string) =>
    text.replaceAll('/opt/node/pol', POLICIES).replaceAll('AGENT_SOCK', server.socket);
  const argv = recorded.argv.map(local);
  const flags = recorded.shell ? ['--shell-sock-path', shell.socket] : [];
  const result = await run([...argv, ...flags], {
    env: { CILIUM_SOCK: server.socket, CILIUM_HEALTH_SOCK: health.socket },
    nowMs: recorded.at * 1000 + (OTHER_STARTUP_MS[file] ?? STARTUP_MS),
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
