import { Readable } from 'node:stream';
import { NotCollected } from '../../archive/not-collected.ts';
import { objectsOf } from '../../archive/object-list.ts';
import { isAgentProgram } from '../../archive/own-agent.ts';
import type { RecordedRun } from '../../archive/recorded-agent.ts';
import type { Recording } from '../../archive/recording.ts';
import { type ApiPlace, compileObjectSelector, parseApiPath } from '../../cluster/api-request.ts';
import { printerColumns } from '../../cluster/printer-columns.ts';
import { UserError } from '../../errors.ts';
import { humanAge } from '../../render/text/duration.ts';
import { jsonpath } from '../../render/text/jsonpath.ts';
import { type KubeObject, KubeRefusal, type KubeRequest, type RecordedServer } from '../client.ts';
import { RecordedApi } from './api.ts';
import { recordedLog } from './log.ts';
import { lostPart } from './parts.ts';
import { recordedPodCommand } from './pod-commands.ts';
import { helmSecrets } from './release.ts';
import { recordedSecret } from './secrets.ts';

type Stored = KubeObject & Record<string, unknown>;

/** Answers what an API server is asked for from the lists of an archive. */
export class RecordedCluster implements RecordedServer {
  #parts = new Map<string, AsyncGenerator<Stored>>();
  readonly #api: RecordedApi;
  #next = 1;

  constructor(readonly recording: Recording) {
    this.#api = new RecordedApi(recording);
  }

  get label(): string {
    return this.recording.label;
  }

  /** Lists that nobody read to their end are let go. */
  async close(): Promise<void> {
    for (const part of this.#parts.values()) await part.return(undefined);
    this.#parts.clear();
  }

  async json(request: KubeRequest): Promise<unknown> {
    const told = await this.#api.answer(request.path);
    if (told === 'none') throw this.#unknown(request.path);
    if (told) return told;
    const place = this.#place(request);
    if (place.subresource !== undefined) throw this.#missing(`${place.plural}/${place.subresource}`);
    if (place.plural === 'secrets') return await this.#secrets(place, request);
    return place.name === undefined ? await this.#list(place, request) : await this.#get(place, place.name);
  }

  async open(request: KubeRequest): Promise<Readable> {
    const place = this.#place(request);
    if (place.subresource === 'log' && place.name !== undefined)
      return await recordedLog(this.recording, place.name, request.query ?? {});
    return Readable.from([Buffer.from(JSON.stringify(await this.json(request)))]);
  }

  async run(place: { pod: string; container: string; command: readonly string[] }): Promise<RecordedRun> {
    const { pod, command } = place;
    const agent = await this.recording.agentIn(pod);
    const [program, ...words] = command;
    const run = isAgentProgram(program)
      ? await agent?.run(words, [])
      : await recordedPodCommand(this.recording, place);
    if (run) return run;
    throw this.#missing(`output of "${command.join(' ')}" in ${pod}`);
  }

  #place({ method = 'GET', path, query = {} }: KubeRequest): ApiPlace {
    if (method !== 'GET')
      throw new NotCollected(
        `${method} ${path}: ${this.label} is an archive, in which nothing can be changed`,
      );
    if (query.watch !== undefined || query.follow !== undefined)
      throw new NotCollected(
        `${this.label} is an archive: nothing changes in it, and nothing comes any more`,
      );
    const place = parseApiPath(path);
    if (!place) throw this.#missing(`GET ${path}`);
    return place;
  }

  async #get(place: ApiPlace, name: string): Promise<Stored> {
    for await (const object of this.#objects(place, name))
      if (object.metadata?.name === name) return versioned(object, place);
    const { plural, group } = place;
    throw this.#notFound(`${plural}${group && `.${group}`}`, name);
  }

  #notFound(kind: string, name: string): KubeRefusal {
    const message = `${kind} "${name}" not found`;
    return new KubeRefusal(404, { message, reason: 'NotFound', code: 404 }, `${this.label}: ${message}`);
  }

  async #list(place: ApiPlace, { query = {}, accept = '' }: KubeRequest): Promise<unknown> {
    const limit = Number(query.limit ?? 0) || Number.POSITIVE_INFINITY;
    const token = query.continue === undefined ? undefined : String(query.continue);
    const objects =
      (token === undefined ? undefined : this.#parts.get(token)) ?? this.#selected(place, query);
    const items: Stored[] = [];
    let more = true;
    while (items.length < limit) {
      const next = await objects.next();
      more = !next.done;
      if (next.done) break;
      items.push(versioned(next.value, place));
    }
    if (token !== undefined) this.#parts.delete(token);
    const metadata: Record<string, unknown> = { resourceVersion: '' };
    if (more) {
      const own = String(this.#next++);
      this.#parts.set(own, objects);
      metadata.continue = own;
    }
    if (/;as=Table/.test(accept))
      return tableOf(items, place.plural, metadata, () => this.recording.nowMs() ?? Date.now());
    return { kind: 'List', apiVersion: place.apiVersion, metadata, items };
  }

  /** The objects that a query selects. */
  async *#selected(place: ApiPlace, query: NonNullable<KubeRequest['query']>): AsyncGenerator<Stored> {
    const text = String(query.labelSelector ?? '');
    const isMeant = compileObjectSelector(text, String(query.fieldSelector ?? ''));
    if (!isMeant) {
      const message = `unable to parse requirement: ${text}`;
      throw new KubeRefusal(400, { message, code: 400 }, `${this.label}: ${message}`);
    }
    for await (const object of this.#objects(place)) if (isMeant(object)) yield object;
  }

  /**
   * All objects of a kind and a namespace that the archive has; with a name, until that one is found. Throws NotCollected
   * where it cannot tell.
   */
  async *#objects({ apiVersion, group, plural, namespace }: ApiPlace, name?: string): AsyncGenerator<Stored> {
    const isMeant = (object: Stored) => namespace === undefined || object.metadata?.namespace === namespace;
    const stems = wholeStems(group, plural);
    const file = stems.map((stem) => this.recording.fileOf(stem)).find((one) => one !== undefined);
    if (file !== undefined) {
      for await (const object of objectsOf(this.recording.files, file)) if (isMeant(object)) yield object;
      return;
    }
    const ending = PARTS[plural];
    const parts =
      ending === undefined
        ? []
        : this.recording.filesFrom('', 'yaml').filter(({ rest }) => rest.endsWith(ending));
    if (parts.length > 0) {
      for (const { file: part } of parts)
        for await (const object of objectsOf(this.recording.files, part)) if (isMeant(object)) yield object;
      const lost = lostPart(this.recording, plural, ending ?? '', name);
      if (lost !== undefined)
        throw this.#missing(name === undefined ? `other ${plural}` : `${plural} "${name}"`, lost);
      return;
    }
    const [stem = plural] = stems;
    const why = await this.recording.why({ stem });
    if (why?.status === 'absent' || (await this.#api.has(apiVersion, plural)) === false)
      throw this.#unknown(plural);
    if (UNASKED.has(plural) && !why) {
      this.recording.note(
        `${this.label} does not tell whether there were ${plural}: it is read as if there were none.`,
      );
      throw this.#unknown(plural);
    }
    throw this.#missing(plural, why?.text);
  }

  async #secrets({ name, namespace = '' }: ApiPlace, { query = {} }: KubeRequest): Promise<unknown> {
    const isOfHelm =
      name !== undefined
        ? name.startsWith('sh.helm.release.')
        : String(query.labelSelector ?? '').includes('owner=helm');
    if (!isOfHelm && name !== undefined) {
      const found = await recordedSecret(this.recording, namespace, name);
      if (found === 'none') throw this.#notFound('secrets', name);
      return found;
    }
    if (!isOfHelm) throw this.#missing('secrets', 'no archive holds Secrets');
    const why = await this.recording.why({ stem: 'cilium-helm-metadata' });
    if (this.recording.fileOf('cilium-helm-metadata') === undefined && why && why.status !== 'absent')
      throw this.#missing("Helm's release", why.text);
    const secrets = await helmSecrets(this.recording, namespace);
    if (name === undefined) return { kind: 'List', apiVersion: 'v1', metadata: {}, items: secrets };
    const found = secrets.find((one) => one.metadata.name === name);
    if (found) return found;
    throw this.#unknown(`secrets "${name}"`);
  }

  /** What an API server says of a kind that it does not have. */
  #unknown(what: string): KubeRefusal {
    const message = 'the server could not find the requested resource';
    return new KubeRefusal(
      404,
      { message, reason: 'NotFound', code: 404 },
      `${this.label}: ${what}: ${message}`,
    );
  }

  #missing(what: string, why?: string): NotCollected {
    return new NotCollected(`${this.label} holds no ${what}${why === undefined ? '' : ` (${why})`}`, {
      hint: 'It was not collected when the archive was made.',
    });
  }
}

/** What the reference does not collect, in any version or in older ones, and what is nearly always empty. */
const UNASKED: ReadonlySet<string> = new Set([
  'ciliumcidrgroups',
  'ciliumnodeconfigs',
  'clusternetworkpolicies',
]);

/** Endings of the files that hold some objects of a kind: those that belong to Cilium. */
const PARTS: Readonly<Record<string, string>> = {
  daemonsets: '-daemonset',
  deployments: '-deployment',
  statefulsets: '-statefulset',
  configmaps: '-configmap',
  cronjobs: '-cronjob',
  controllerrevisions: '-controllerrevisions',
  replicasets: '-replicasets',
};

const STEMS: Readonly<Record<string, string>> = {
  ingresses: 'ciliumingresses',
  tcproutes: 'gatewayapi-tcroutes',
};

/** Beginnings of the names of files that a whole list of a kind is in. */
function wholeStems(group: string, plural: string): string[] {
  const own = STEMS[plural];
  const prefixed = group === 'gateway.networking.k8s.io' ? `gatewayapi-${plural}` : `k8s-${plural}`;
  const both = group === 'cilium.io' ? [plural] : [prefixed, plural];
  return own === undefined ? both : [own, ...both];
}

/** A list that was written without the types of its items gives them none. */
function versioned(object: Stored, { apiVersion }: ApiPlace): Stored {
  return object.apiVersion === undefined ? { apiVersion, ...object } : object;
}

/** A list as the server prints it for kubectl, with ages as they were then. */
function tableOf(items: readonly Stored[], plural: string, metadata: object, nowMs: () => number): object {
  const columns = printerColumns(plural);
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: [
      { name: 'Name', priority: 0 },
      ...columns.map(({ name, isWide }) => ({ name, priority: isWide ? 1 : 0 })),
    ],
    rows: items.map((object) => ({
      cells: [
        object.metadata?.name ?? '',
        ...columns.map(({ path, isDate, isFirst }) => {
          const text = printed(path, object);
          if (isDate) return humanAge(text, nowMs());
          return isFirst ? (text.split(' ')[0] ?? '') : text;
        }),
      ],
      object: { metadata: object.metadata ?? {} },
    })),
  };
}

function printed(path: string, object: unknown): string {
  try {
    return jsonpath(path, object);
  } catch (error) {
    if (error instanceof UserError) return '';
    throw error;
  }
}
