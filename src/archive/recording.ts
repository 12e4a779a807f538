import type { Form } from '../lib/form.ts';
import { once } from '../lib/once.ts';
import { compareNatural } from '../lib/order.ts';
import { bugtoolAgent, bugtoolFolders } from './bugtool.ts';
import { ArchiveFiles } from './files.ts';
import {
  type ArchiveIndex,
  agentFolder,
  INDEX,
  LOG,
  logFile,
  parseTimedFile,
  type TaskOutcome,
} from './layout.ts';
import { agentFolders, checkFormat, readAgent, readForm } from './own-agent.ts';
import type { RecordedAgent } from './recorded-agent.ts';

const OUTCOME: Form = {
  fields: {
    task: 'text',
    stem: 'text',
    group: 'text',
    node: 'text',
    pod: 'text',
    status: 'text',
    reason: 'text',
    files: { list: { fields: { file: 'text', bytes: 'number' } } },
  },
  needs: ['task', 'status'],
};
const INDEX_FORM: Form = {
  fields: {
    format: 'number',
    timestamp: 'text',
    startedAt: 'text',
    endedAt: 'text',
    isComplete: 'flag',
    isRedacted: 'flag',
    server: 'text',
    context: 'text',
    namespace: 'text',
    nodes: { list: 'text' },
    tasks: { list: OUTCOME },
  },
  needs: ['format'],
};

/** What a cluster was when an archive of it was made. */
export class Recording {
  /** Files with a time in their name, by what stands before it; of several the newest. */
  #stems = new Map<string, string>();
  #agents = new Map<string, Promise<RecordedAgent | undefined>>();
  #bugtools: Map<string, string>;
  #ownFolders: Set<string>;
  #notes: string[] = [];

  private constructor(
    readonly files: ArchiveFiles,
    readonly index: Partial<ArchiveIndex> | undefined,
    /** When it was made, in ms since the epoch. */
    readonly collectedMs: number,
  ) {
    for (const name of files.names()) {
      const parsed = name.includes('/') ? undefined : parseTimedFile(name);
      if (!parsed) continue;
      const key = `${parsed.stem}${parsed.rest && ` ${parsed.rest}`}.${parsed.extension}`;
      if (name > (this.#stems.get(key) ?? '')) this.#stems.set(key, name);
    }
    for (const text of files.notes) this.note(text);
    if (index?.isComplete === false)
      this.note(`${files.label} was not finished: what is missing in it may have been there.`);
    this.#bugtools = bugtoolFolders(files);
    this.#ownFolders = new Set(agentFolders(files));
  }

  /** Opens an archive that "cilium sysdump" made, ours or cilium-cli's: a zip, or the folder it was unpacked to. */
  static async open(path: string, label: string): Promise<Recording> {
    const files = await ArchiveFiles.open(path, label);
    try {
      const index = files.has(INDEX)
        ? readForm<Partial<ArchiveIndex>>(await files.read(INDEX), INDEX_FORM, `${label}: ${INDEX}`)
        : undefined;
      checkFormat(index?.format ?? 0, label);
      const told = Date.parse(index?.startedAt ?? '');
      return new Recording(files, index, Number.isNaN(told) ? writtenMs(files) : told);
    } catch (error) {
      await files.close();
      throw error;
    }
  }

  /** What the user calls the archive. */
  get label(): string {
    return this.files.label;
  }

  /** The file of what stands before the time in its name; undefined where there is none. */
  fileOf(stem: string, extension = 'yaml'): string | undefined {
    return this.#stems.get(`${stem}.${extension}`);
  }

  /** The files whose names begin with a text, with the rest of the name before the time. */
  filesFrom(prefix: string, extension: string): { rest: string; file: string }[] {
    const found: { rest: string; file: string }[] = [];
    for (const [stem, file] of this.#stems)
      if (stem.startsWith(prefix) && stem.endsWith(`.${extension}`))
        found.push({ rest: stem.slice(prefix.length, -extension.length - 1), file });
    return found.toSorted((a, b) => compareNatural(a.rest, b.rest));
  }

  /** The log of a container, of its run before the last restart where `previous`. */
  logOf(pod: string, container: string, previous: boolean): string | undefined {
    const named = parseTimedFile(logFile(pod, container, '20000101-000000', previous));
    return named && this.#stems.get(`${named.stem}${named.rest && ` ${named.rest}`}.log`);
  }

  /** The agent of a node, or in a pod; undefined where nothing of it was collected. */
  agent(place: { node: string; namespace: string; pod: string }): Promise<RecordedAgent | undefined> {
    const key = `${place.node} ${place.pod}`;
    const known = this.#agents.get(key);
    if (known) return known;
    const found = this.#agent(place);
    this.#agents.set(key, found);
    return found;
  }

  /** The agent in a pod. */
  async agentIn(pod: string): Promise<RecordedAgent | undefined> {
    return (await this.agents()).find((agent) => agent.pod === pod);
  }

  async #agent(place: { node: string; namespace: string; pod: string }): Promise<RecordedAgent | undefined> {
    const own = `${agentFolder(place.node)}/`;
    if (place.node !== '' && this.#ownFolders.has(own)) return await readAgent(this.files, own);
    const folder = this.#bugtools.get(place.pod);
    return folder === undefined ? undefined : bugtoolAgent(this.files, folder, place, this.collectedMs);
  }

  /** The agents that something was collected of; of an archive of cilium-cli without the names of their nodes. */
  readonly agents = once(async (): Promise<RecordedAgent[]> => {
    const own = await Promise.all([...this.#ownFolders].map((folder) => readAgent(this.files, folder)));
    if (own.length > 0) return own.toSorted((a, b) => compareNatural(a.node, b.node));
    return [...this.#bugtools].map(([pod, folder]) =>
      bugtoolAgent(this.files, folder, { node: '', namespace: '', pod }, this.collectedMs),
    );
  });

  /** Why something is not there, as far as the archive tells: of a node, or of the task that would have written the file. */
  async why({
    node,
    stem,
  }: {
    node?: string;
    stem?: string;
  }): Promise<{ status: string; text: string } | undefined> {
    const missed = (this.index?.tasks ?? []).filter((one) => one.status !== 'ok');
    const isMeant = (one: TaskOutcome) =>
      stem === undefined
        ? one.node === node && one.group === 'agents'
        : one.stem === stem ||
          one.task === stem ||
          one.files?.some(({ file }) => parseTimedFile(file)?.stem === stem);
    const found = missed.filter(isMeant);
    const [first] = found;
    if (first) return { status: first.status, text: found.slice(0, 3).map(told).join('; ') };
    return stem === undefined || this.index ? undefined : await this.#whyByLog(stem);
  }

  /** cilium-cli says what failed in its log alone. */
  async #whyByLog(stem: string): Promise<{ status: string; text: string } | undefined> {
    if (!this.files.has(LOG)) return undefined;
    const text = (await this.files.read(LOG)).toString('utf8');
    const plural = stem.replace(/^(?:k8s|gatewayapi)-/, '');
    const line = text
      .split('\n')
      .find(
        (one) =>
          /could not find the requested resource/.test(one) &&
          one.replaceAll(' ', '').toLowerCase().includes(plural),
      );
    return line === undefined ? undefined : { status: 'absent', text: line.trim() };
  }

  /** The time that ages are counted from: when it was made, or an agent was asked; undefined where nothing tells it. */
  nowMs(agentMs?: number): number | undefined {
    const ms = [agentMs, this.collectedMs].find((one) => one !== undefined && !Number.isNaN(one));
    this.note(
      ms === undefined
        ? `${this.label} does not tell when it was collected: ages are counted until now.`
        : `ages are as of ${new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')}, when ${this.label} was collected.`,
    );
    return ms;
  }

  /** Something that a reader should know of what is read, a sentence. */
  note(text: string): void {
    if (!this.#notes.includes(text)) this.#notes.push(text);
  }

  /** Those that were not taken yet. */
  takeNotes(): string[] {
    return this.#notes.splice(0);
  }

  close(): Promise<void> {
    return this.files.close();
  }
}

function told({ task, status, reason }: TaskOutcome): string {
  return `${task}: ${reason ?? status}`;
}

/** When the lists of the cluster were written; the time in their names is of no known zone. */
function writtenMs(files: ArchiveFiles): number {
  let first: number | undefined;
  let named: number | undefined;
  for (const name of files.names()) {
    const parsed = name.includes('/') ? undefined : parseTimedFile(name);
    if (parsed?.extension !== 'yaml') continue;
    const [, y, m, d, h, min, s] =
      /^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)$/.exec(parsed.time)?.map(Number) ?? [];
    if (y !== undefined && named === undefined) named = new Date(y, (m ?? 1) - 1, d, h, min, s).getTime();
    const ms = files.modifiedMs(name);
    if (ms !== undefined && (first === undefined || ms < first)) first = ms;
  }
  const DAY_MS = 86_400_000;
  // A copy of a folder may have times of its own.
  const fits = first !== undefined && (named === undefined || Math.abs(first - named) <= DAY_MS);
  return (fits ? first : named) ?? Number.NaN;
}
