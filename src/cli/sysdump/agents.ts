import { DEFAULT_SOCKET } from '../../agent/client.ts';
import { HttpClient, type HttpRequest, TransportError } from '../../agent/http/http.ts';
import {
  AGENT_INDEX,
  ARCHIVE_FORMAT,
  type ArchivedAgent,
  agentFolder,
  type CommandRun,
  type Exchange,
  fileSafe,
  type HubbleCall,
} from '../../archive/layout.ts';
import {
  AGENT_PATHS,
  AGENT_VERBS,
  type AgentPath,
  ENDPOINT_PATHS,
} from '../../cluster/sysdump/agent-items.ts';
import { UserError } from '../../errors.ts';
import { AGENT_CONTAINER } from '../../kube/agents.ts';
import { wordsOf } from '../../kube/client.ts';
import { ExecNotStarted, execStream } from '../../kube/exec.ts';
import { openRoadTo } from '../../kube/road.ts';
import { bounded } from '../../lib/bounded.ts';
import { parsePlainJson } from '../../lib/exact-json.ts';
import { JsonFields } from '../../lib/json-fields.ts';
import { isRecord } from '../../lib/record.ts';
import { AGENT_PROGRAMS } from '../../model/agent-program.ts';
import { askHubble } from './agent-hubble.ts';
import { podJob } from './container.ts';
import { Broken } from './dump.ts';
import type { Job, Work } from './jobs.ts';
import type { Place, PodFacts } from './place.ts';

/** What one answer may take. */
const REQUEST_MS = 30_000;
/** So many requests in a row without an answer, and the agent is asked no more. */
const MAX_SILENT = 2;
/** Commands that run in a pod at once: few, since it has other work. */
const VERBS_AT_ONCE = 3;
/** The answer that says which version it is, and the list of templates, are held to be read. */
const MAX_HELD = 1024 * 1024;
const HEALTH = '/v1/healthz';
const [ENDPOINTS, MAPS] = ['/v1/endpoint', '/v1/map'] as const;
/** Which field says what else to ask, and how deep in the answer it stands: of many pods an answer has many megabytes. */
const FIELDS: Readonly<Record<string, readonly [string, number]>> = {
  [ENDPOINTS]: ['id', 2],
  [MAPS]: ['path', 3],
};
/** Lists the headers that an agent has compiled programs from. */
const TEMPLATES = 'bpf sha list -o json';
/** Endpoints that are alike share one: few are there. */
const MAX_TEMPLATES = 64;

/** All that an agent answers, and what its own command line prints of the kernel: what `--from` reads again. */
export function agentJob(place: Place, pod: PodFacts): Job {
  return podJob(place, pod, AGENT_CONTAINER, {
    task: `agent-api-${pod.name}`,
    group: 'agents',
    run: async (work) => {
      const collector = new AgentCollector(place, pod, work);
      try {
        await collector.run();
      } finally {
        await collector.writeIndex();
      }
    },
  });
}

class AgentCollector {
  readonly #exchanges: Exchange[] = [];
  readonly #commands: CommandRun[] = [];
  readonly #held = new Map<string, unknown>();
  readonly #fields = new Map<string, readonly string[]>();
  readonly #clients = new Map<string, HttpClient>();
  /** Sockets that nobody has made. */
  readonly #absent = new Set<string>();
  readonly #folder: string;
  readonly #faults: string[] = [];
  readonly #collectedAt: string;
  #silent = 0;
  #hubble: HubbleCall[] = [];

  constructor(
    private readonly place: Place,
    private readonly pod: PodFacts,
    private readonly work: Work,
  ) {
    this.#folder = agentFolder(pod.node);
    this.#collectedAt = new Date(place.ctx.clock.nowMs()).toISOString();
  }

  async run(): Promise<void> {
    const { quick } = this.place.options;
    await this.#askAll(AGENT_PATHS.filter((one) => one.quick || !quick));
    if (!quick) {
      const ids = this.#fields.get(ENDPOINTS) ?? [];
      await this.#askAll(
        ids.flatMap((id) =>
          ENDPOINT_PATHS.map((path) => ({ path: path.replace('{id}', encodeURIComponent(id)), quick })),
        ),
      );
      const names = (this.#fields.get(MAPS) ?? []).map((path) => path.split('/').at(-1) ?? '');
      await this.#askAll(names.map((name) => ({ path: `/v1/map/${encodeURIComponent(name)}`, quick })));
    }
    if (!quick)
      this.#hubble = await askHubble(this.place, this.pod, this.work, (text) => this.#faults.push(text));
    await this.#runVerbs();
    if (this.#faults.length > 0) throw new UserError(this.#faults.slice(0, 3).join('; '));
  }

  async #askAll(paths: readonly AgentPath[]): Promise<void> {
    for (const path of paths) {
      if (this.#silent >= MAX_SILENT) return;
      if (path.socket === undefined || !this.#absent.has(path.socket)) await this.#ask(path);
    }
  }

  #client(socket: string): HttpClient {
    let client = this.#clients.get(socket);
    if (!client) {
      const { node, namespace, name } = this.pod;
      const dial = openRoadTo(this.place.client, { node, namespace, pod: name });
      client = new HttpClient({ network: 'unix', target: socket }, dial);
      this.#clients.set(socket, client);
    }
    return client;
  }

  async #ask({ path, method, socket, body }: AgentPath): Promise<void> {
    const { signal } = this.work;
    const held = path === HEALTH ? new Held() : undefined;
    const [field, depth] = FIELDS[path] ?? [];
    const fields = field === undefined || depth === undefined ? undefined : new JsonFields(field, depth);
    let [status, type] = [0, ''];
    const file = `rest/${socket ? `${fileSafe(socket.split('/').at(-1) ?? '')}/` : ''}${restName(path)}`;
    const request: HttpRequest = {
      method: method ?? 'GET',
      path,
      timeoutMs: REQUEST_MS,
      signal,
      ...(body !== undefined && { body, headers: { 'content-type': 'application/json' } }),
      ...(socket?.includes('envoy') && { headers: { host: 'envoy-admin', accept: '*/*' } }),
    };
    const record = (isCut: boolean, bytes: number): void => {
      this.#exchanges.push({
        path,
        ...(method !== undefined && { method }),
        ...(socket !== undefined && { socket }),
        ...(body !== undefined && { body }),
        status,
        type,
        ...(bytes > 0 && { file }),
        ...(isCut && { isCut }),
      });
    };
    try {
      const written = await this.place.dump.file(
        `${this.#folder}/${file}`,
        async (sink) => {
          const answer = await this.#client(socket ?? DEFAULT_SOCKET).stream(request, (chunk, code) => {
            status = code;
            held?.push(chunk);
            fields?.push(chunk);
            return sink(chunk);
          });
          status = answer.status;
          type = answer.contentType;
        },
        { keepsPart: true },
      );
      this.work.files.push(written);
      record(false, written.bytes);
      this.#silent = 0;
      if (status !== 200) return;
      if (held) this.#hold(path, held);
      if (fields?.isWhole) this.#fields.set(path, fields.values);
      else if (fields) this.#faults.push(`${path}: the answer is not JSON`);
    } catch (thrown) {
      const error = thrown instanceof Broken ? thrown.cause : thrown;
      if (thrown instanceof Broken && thrown.file.bytes > 0) {
        this.work.files.push(thrown.file);
        if (status !== 0) record(true, thrown.file.bytes);
      }
      signal.throwIfAborted();
      // The health daemon and the proxy need not run.
      if (socket !== undefined && error instanceof TransportError && error.fault === 'no-socket') {
        this.#absent.add(socket);
        return;
      }
      if (error instanceof ExecNotStarted) this.#silent = MAX_SILENT;
      else if (!(error instanceof TransportError) || error.fault === 'timeout') this.#silent++;
      else if (error.fault === 'no-socket' || error.fault === 'refused') this.#silent = MAX_SILENT;
      this.#faults.push(`${path}: ${wordsOf(error)}`);
    }
  }

  #hold(path: string, { bytes }: Held): void {
    if (!bytes) return;
    try {
      this.#held.set(path, parsePlainJson(bytes.toString('utf8')));
    } catch {
      this.#faults.push(`${path}: the answer is not JSON`);
    }
  }

  async #runVerbs(): Promise<void> {
    const [first = [], ...rest] = AGENT_VERBS.flatMap(({ words, json }) =>
      json ? [words, [...words, '-o', 'json']] : [words],
    );
    for (const program of AGENT_PROGRAMS) {
      if (!(await this.#command([program, ...first]))) continue;
      const run = (words: readonly string[]) => this.#command([program, ...words]);
      await Promise.all(bounded(rest, VERBS_AT_ONCE, run));
      await Promise.all(bounded(this.#templates(), VERBS_AT_ONCE, (sha) => run(['bpf', 'sha', 'get', sha])));
      return;
    }
    this.#faults.push('the container has no command line of the agent');
  }

  /** The templates that the agent has compiled, whose headers are asked for one by one. */
  #templates(): string[] {
    const listed = this.#held.get(TEMPLATES);
    return isRecord(listed) ? Object.keys(listed).slice(0, MAX_TEMPLATES) : [];
  }

  /** Runs a command and keeps what it prints; false where the container does not have the program. */
  async #command(argv: readonly string[]): Promise<boolean> {
    const { client, dump } = this.place;
    const { namespace, name: pod } = this.pod;
    const stem = `cmd/${fileSafe(argv.slice(1).join('-'))}`;
    const target = { namespace, pod, container: AGENT_CONTAINER, command: argv };
    const run: { exitCode: number; stderr: string } = { exitCode: 0, stderr: '' };
    const cut: { isCut?: true } = {};
    const line = argv.slice(1).join(' ');
    const held = line === TEMPLATES ? new Held() : undefined;
    const stdout = await dump
      .file(
        `${this.#folder}/${stem}.stdout`,
        async (sink) => {
          const keep = (bytes: Buffer) => {
            held?.push(bytes);
            return sink(bytes);
          };
          Object.assign(run, await execStream(client, target, keep, this.work.signal));
        },
        { keepsPart: true },
      )
      .catch((thrown: unknown) => {
        const error = thrown instanceof Broken ? thrown.cause : thrown;
        if (error instanceof ExecNotStarted) return undefined;
        this.work.signal.throwIfAborted();
        this.#faults.push(`${argv.join(' ')}: ${wordsOf(error)}`);
        cut.isCut = true;
        return thrown instanceof Broken ? thrown.file : null;
      });
    if (stdout === null) return true;
    if (stdout === undefined) return false;
    this.work.files.push(stdout);
    if (held && run.exitCode === 0) this.#hold(line, held);
    const stderr =
      run.stderr === ''
        ? undefined
        : await dump.file(`${this.#folder}/${stem}.stderr`, (sink) => sink(run.stderr));
    if (stderr) this.work.files.push(stderr);
    this.#commands.push({
      argv,
      exitCode: run.exitCode,
      stdout: stdout.file.slice(this.#folder.length + 1),
      ...(stderr !== undefined && { stderr: stderr.file.slice(this.#folder.length + 1) }),
      ...cut,
    });
    return true;
  }

  async writeIndex(): Promise<void> {
    const { node, namespace, name: pod, containers } = this.pod;
    const health = this.#held.get(HEALTH);
    const said = isRecord(health) && isRecord(health.cilium) ? String(health.cilium.msg ?? '') : '';
    const image = containers.find(({ name }) => name === AGENT_CONTAINER)?.image;
    const version = /(\d+\.\d+\.\d+[^\s:@]*)/.exec(said)?.[1] ?? /:v?(\d+\.\d+[^@]*)/.exec(image ?? '')?.[1];
    const agent: ArchivedAgent = {
      format: ARCHIVE_FORMAT,
      node,
      pod,
      namespace,
      ...(image && { image }),
      ...(version !== undefined && { version }),
      collectedAt: this.#collectedAt,
      exchanges: this.#exchanges,
      commands: this.#commands.toSorted((a, b) => (a.argv.join(' ') < b.argv.join(' ') ? -1 : 1)),
      ...(this.#hubble.length > 0 && { hubble: this.#hubble }),
    };
    const file = await this.place.dump.file(`${this.#folder}/${AGENT_INDEX}`, (sink) =>
      sink(`${JSON.stringify(agent, null, 2)}\n`),
    );
    this.work.files.push(file);
  }
}

/** Name of the file with the answer of a path. */
function restName(path: string): string {
  const name = path.replace(/^\/(?:v1\/)?/, '').replace(/\/$/, '');
  const [place = '', query] = name.split('?');
  const parts = place.split('/').map(decodeURIComponent).map(fileSafe);
  return `${parts.join('/')}${query === undefined ? '' : `_${fileSafe(query)}`}.body`;
}

/** A short answer, to be read when it is there. */
class Held {
  #parts: Buffer[] = [];
  #size = 0;

  push(bytes: Buffer): void {
    this.#size += bytes.length;
    if (this.#size <= MAX_HELD) this.#parts.push(Buffer.from(bytes));
    else this.#parts = [];
  }

  /** Undefined where it is too long. */
  get bytes(): Buffer | undefined {
    return this.#size <= MAX_HELD ? Buffer.concat(this.#parts) : undefined;
  }
}
