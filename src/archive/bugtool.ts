import { parsePlainJson } from '../lib/exact-json.ts';
import { AGENT_PROGRAMS } from '../model/agent-program.ts';
import { answerOf } from './agent-answers.ts';
import type { ArchiveFiles } from './files.ts';
import type { RecordedAgent, RecordedRun } from './recorded-agent.ts';
import type { FlagForm } from './words.ts';

/** The folder that cilium-cli unpacks what the bugtool of an agent collected to: `cilium-bugtool-<pod>-<ts>/`. */
const FOLDER = /^(cilium-bugtool-(.+)-\d{8}-\d{6}\/)cmd\//;

/** The folders of agents in an archive that cilium-cli made, by their pods. */
export function bugtoolFolders(files: ArchiveFiles): Map<string, string> {
  const folders = new Map<string, string>();
  for (const name of files.names()) {
    const [, folder, pod] = FOLDER.exec(name) ?? [];
    if (folder !== undefined && pod !== undefined) folders.set(pod, folder);
  }
  return folders;
}

/** Words of the agent's program whose JSON is the answer to a request, but perhaps for the order of a list. */
const JSON_ANSWERS: Readonly<Record<string, readonly string[]>> = {
  '/v1/endpoint': ['endpoint list -o json'],
  '/v1/service': ['service list -o json'],
  '/v1/identity': ['identity list -o json'],
  '/v1/ip': ['ip list -n -o json', 'ip list -o json'],
  '/v1/policy/selectors': ['policy selectors -o json'],
  '/v1/fqdn/cache': ['fqdn cache list -o json'],
  '/v1/map': ['map list -o json', 'map list --verbose -o json'],
  '/v1/lrp': ['lrp list -o json'],
  '/v1/healthz': ['status -o json'],
  '/v1/node/ids': ['nodeid list -o json'],
  '/v1/policy/subject-selectors': ['policy subject-selectors -o json'],
  '/statedb/dump': ['statedb dump'],
};

/** An agent of an archive that cilium-cli made: what its bugtool wrote, a file for each command. */
export function bugtoolAgent(
  files: ArchiveFiles,
  folder: string,
  place: { node: string; namespace: string; pod: string },
  collectedMs: number,
): RecordedAgent {
  const root = `${folder}cmd/`;
  const read = async (words: string): Promise<RecordedRun | undefined> => {
    for (const program of AGENT_PROGRAMS) {
      const name = root + fileOf(`${program} ${words}`);
      if (files.has(name)) return outcomeOf(await files.read(name), `${program} ${words}`);
    }
    return undefined;
  };
  const lookup = async (path: string, question?: string) => {
    if (question !== undefined) return undefined;
    if (path === '/v1/debuginfo') {
      const name = [...files.names()].find(
        (one) => one.startsWith(root) && DEBUGINFO.test(one.slice(root.length)),
      );
      return name === undefined ? undefined : json(await files.read(name));
    }
    if (path === '/v1beta/status') {
      const name = root + fileOf('cilium-health status -o json');
      const run = files.has(name)
        ? outcomeOf(await files.read(name), 'cilium-health status -o json')
        : undefined;
      return answerIn(run);
    }
    const ofEnvoy = ENVOY_FILES[path];
    if (ofEnvoy !== undefined)
      return files.has(root + ofEnvoy) ? json(await files.read(root + ofEnvoy)) : undefined;
    for (const words of JSON_ANSWERS[path] ?? []) {
      const answer = answerIn(await read(words));
      if (answer) return answer;
    }
    return undefined;
  };
  return {
    ...place,
    collectedMs,
    answer: (path, body) => answerOf(path, body, lookup),
    posted: async () => undefined,
    hubble: async () => undefined,
    async run(words, flags) {
      for (const spelled of spellings(words, flags)) {
        const run = await read(spelled.join(' '));
        if (run) return run;
      }
      return undefined;
    },
    commands: async () =>
      [...files.names()].flatMap((name) => {
        const [, called] = name.startsWith(root)
          ? (/^(cilium(?:-dbg)?-[a-z].*)\.md$/.exec(name.slice(root.length)) ?? [])
          : [];
        return called === undefined ? [] : [called];
      }),
  };
}

/** What the bugtool asks the admin interface of Envoy, and the files that hold the answers. */
const ENVOY_FILES: Readonly<Record<string, string>> = {
  '/config_dump?include_eds=': 'envoy-config.json',
  '/stats/prometheus': 'envoy-metrics.txt',
};

const DEBUGINFO = /^cilium-debuginfo-[^/]*\.json$/;

/** The file that the bugtool writes the output of a command to. */
function fileOf(command: string): string {
  return `${command.replaceAll('/', ' ').replaceAll(' ', '-')}.md`;
}

/** Both streams are in one file, and what went wrong is a line at its end. */
function outcomeOf(bytes: Buffer, command: string): RecordedRun {
  let text = bytes.toString('latin1');
  let exitCode = 0;
  const mark = text.lastIndexOf(`> Error while running '${command}'`);
  if (mark >= 0) {
    exitCode = Number(/exit status (\d+)/.exec(text.slice(mark))?.[1] ?? 1);
    text = text.slice(0, mark);
  }
  // Only where the bugtool was asked to write Markdown.
  const fenced = /^# [^\n]*\n\n```\n([\s\S]*)\n```\n$/.exec(text)?.[1];
  return { exitCode, stdout: Buffer.from(fenced ?? text, 'latin1'), stderr: '' };
}

/** What a command printed, where that is JSON alone: what it said on stderr stands among it. */
function answerIn(run: RecordedRun | undefined) {
  if (run?.exitCode !== 0) return undefined;
  try {
    parsePlainJson(run.stdout.toString('utf8'));
    return json(run.stdout);
  } catch {
    return undefined;
  }
}

function json(body: Buffer) {
  return { status: 200, type: 'application/json', body };
}

const MAX_SPELLINGS = 64;

/** The ways in which the bugtool may have written these words: each flag long or short, and what is meant by default said. */
function spellings(words: readonly string[], flags: readonly FlagForm[]): string[][] {
  let all: string[][] = [[]];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    const equals = word.startsWith('--') ? word.indexOf('=') : -1;
    const name = equals > 0 ? word.slice(0, equals) : word;
    const flag = flags.find(({ long, short }) => name === long || name === short);
    const value = equals > 0 ? [word.slice(equals + 1)] : flag?.takesValue ? [words[++i] ?? ''] : [];
    const names = flag ? [flag.short, flag.long].filter((one) => one !== undefined) : [name];
    all = all.flatMap((before) => names.map((one) => [...before, one, ...value])).slice(0, MAX_SPELLINGS);
  }
  return all;
}
