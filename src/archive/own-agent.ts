import { errorMessage, UserError } from '../errors.ts';
import { parsePlainJson } from '../lib/exact-json.ts';
import { type Form, Misfit, ofForm } from '../lib/form.ts';
import { AGENT_PROGRAMS } from '../model/agent-program.ts';
import { answerOf, samePath } from './agent-answers.ts';
import type { ArchiveFiles } from './files.ts';
import {
  AGENT_INDEX,
  AGENTS,
  ARCHIVE_FORMAT,
  type ArchivedAgent,
  type CommandRun,
  type Exchange,
  type HubbleCall,
} from './layout.ts';
import type { RecordedAgent, RecordedCall, RecordedRun } from './recorded-agent.ts';
import { type FlagForm, sameWords } from './words.ts';

const EXCHANGE: Form = {
  fields: {
    path: 'text',
    method: 'text',
    body: 'text',
    status: 'number',
    type: 'text',
    file: 'text',
    isCut: 'flag',
  },
  needs: ['path', 'status'],
};
const COMMAND: Form = {
  fields: { argv: { list: 'text' }, exitCode: 'number', stdout: 'text', stderr: 'text', isCut: 'flag' },
  needs: ['argv', 'exitCode'],
};
const HUBBLE: Form = {
  fields: {
    method: 'text',
    file: 'text',
    limit: 'number',
    error: { fields: { code: 'text', desc: 'text' }, needs: ['code', 'desc'] },
    isCut: 'flag',
  },
  needs: ['method'],
};
const AGENT: Form = {
  fields: {
    format: 'number',
    node: 'text',
    pod: 'text',
    namespace: 'text',
    image: 'text',
    version: 'text',
    collectedAt: 'text',
    exchanges: { list: EXCHANGE },
    commands: { list: COMMAND },
    hubble: { list: HUBBLE },
  },
  needs: ['format', 'node'],
};

/** The folders of agents in an archive of ours. */
export function agentFolders(files: ArchiveFiles): string[] {
  const pattern = new RegExp(`^(${AGENTS}/[^/]+/)${AGENT_INDEX.replace('.', '\\.')}$`);
  return [...files.names()].flatMap((name) => pattern.exec(name)?.[1] ?? []);
}

/** Reads what was written of an agent. */
export async function readAgent(files: ArchiveFiles, folder: string): Promise<RecordedAgent> {
  const name = folder + AGENT_INDEX;
  const agent = readForm<ArchivedAgent>(await files.read(name), AGENT, `${files.label}: ${name}`);
  checkFormat(agent.format, files.label);
  const exchanges = new Map((agent.exchanges ?? []).map((one) => [questionOf(one), one]));
  const find = async (asked: Question) => {
    const found = exchanges.get(questionOf(asked));
    if (!found) return undefined;
    const { method = 'GET', path } = asked;
    refuseCut(found, `${method} ${path}`, agent.node, files.label);
    const body = found.file === undefined ? Buffer.alloc(0) : await files.read(folder + found.file);
    return { status: found.status, type: found.type ?? '', body };
  };
  const lookup = (path: string, body?: string) => find({ path, ...(body !== undefined && { body }) });
  const runs = (agent.commands ?? []).filter(({ argv }) => argv.length > 0);
  return {
    node: agent.node,
    namespace: agent.namespace ?? '',
    pod: agent.pod ?? '',
    collectedMs: Date.parse(agent.collectedAt ?? ''),
    answer: (path, body) => answerOf(path, body, lookup),
    posted: (path) => find({ path, method: 'POST' }),
    async hubble(method: string): Promise<RecordedCall | undefined> {
      const found = (agent.hubble ?? []).find((one) => one.method === method);
      if (!found) return undefined;
      refuseCut(found, method, agent.node, files.label);
      const name = found.file === undefined ? undefined : folder + found.file;
      const text = name === undefined ? '' : (await files.read(name)).toString('utf8');
      const lines = text.split('\n').filter((line) => line !== '');
      const answers = lines.map((line, i) => jsonLine(line, `${files.label}: ${name}: line ${i + 1}`));
      return { answers, limit: found.limit, error: found.error };
    },
    async run(words: readonly string[], flags: readonly FlagForm[]): Promise<RecordedRun | undefined> {
      const asked = sameWords(words, flags);
      const found = runs.find(
        ({ argv }) => isAgentProgram(argv[0]) && sameWords(argv.slice(1), flags) === asked,
      );
      if (!found) return undefined;
      refuseCut(found, found.argv.join(' '), agent.node, files.label);
      const text = async (file: string | undefined) =>
        file === undefined ? Buffer.alloc(0) : await files.read(folder + file);
      return {
        exitCode: found.exitCode,
        stdout: await text(found.stdout),
        stderr: (await text(found.stderr)).toString('utf8'),
      };
    },
    commands: async () => runs.map(({ argv }) => argv.join(' ')),
  };
}

type Question = Pick<Exchange, 'path' | 'method' | 'body'>;

/** A request in one form. */
function questionOf({ path, method = 'GET', body = '' }: Question): string {
  return `${method} ${samePath(path)} ${body.trim()}`;
}

/** What the agent's own command line is called, with or without its folder. */
export function isAgentProgram(word = ''): boolean {
  const name = word.slice(word.lastIndexOf('/') + 1);
  return AGENT_PROGRAMS.some((program) => program === name);
}

/** An answer that broke off would be a wrong one. */
function refuseCut(
  { isCut }: Exchange | CommandRun | HubbleCall,
  what: string,
  node: string,
  label: string,
): void {
  if (isCut)
    throw new UserError(`${label}: of ${what} of node ${node} only the beginning was collected`, {
      hint: 'It broke off, or reached a limit: the file is in the archive as far as it came.',
    });
}

function jsonLine(line: string, place: string): unknown {
  try {
    return parsePlainJson(line);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UserError(`${place} cannot be read: ${errorMessage(error)}`, { cause: error });
  }
}

/** Reads a file of JSON that programs of ours write. */
export function readForm<T>(bytes: Buffer, form: Form, name: string): T {
  try {
    return ofForm<T>(parsePlainJson(bytes.toString('utf8')), form);
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof Misfit)) throw error;
    throw new UserError(`${name} cannot be read: ${errorMessage(error)}`, { cause: error });
  }
}

/** An archive of a later version may mean something else by the same names. */
export function checkFormat(format: number, label: string): void {
  if (format > ARCHIVE_FORMAT)
    throw new UserError(`${label} is of format ${format}, and this version reads ${ARCHIVE_FORMAT}`, {
      hint: 'It was written by a later version of this program: read it with that.',
    });
}
