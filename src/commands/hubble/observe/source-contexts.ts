import { checkContexts } from '../../../cli/hubble/contexts.ts';
import { lineByLine } from '../../../cli/line-output.ts';
import type { Context } from '../../../context.ts';
import { errorMessage, UserError } from '../../../errors.ts';
import { isNodeNews } from '../../../hubble/answer-time.ts';
import type { RpcError } from '../../../hubble/grpc/status.ts';
import { mergeFlows } from '../../../hubble/merge.ts';
import { sanitizeCell } from '../../../render/text/sanitize.ts';
import { type Noting, notingClocks, notingNames, notingSilence } from './context-notes.ts';
import { inBlocks, limitOf } from './limit.ts';
import { type FlowQuery, flowsRequest } from './request.ts';
import { inWordsOfObserve, openStream, type ServerAccess, type StreamNews } from './source-stream.ts';

/**
 * The flows of several clusters as one stream in the order of their times. --first and --last mean as many of all of them together,
 * but with --follow, where each server begins with so many. A cluster that fails is told and left out; followed, one that does not
 * answer at first is tried again. It throws where all fail.
 */
export async function* openContexts(
  query: FlowQuery,
  access: ServerAccess,
  ctx: Context,
  signal: AbortSignal,
): AsyncGenerator<Buffer[]> {
  const { settings, onPartial } = access;
  const { selection } = query;
  const { follow } = selection;
  const limit = follow ? undefined : limitOf(selection);
  await checkContexts(settings, ctx);
  const request = flowsRequest(query);
  const labels = settings.contexts.map(sanitizeCell);
  const newsOf = newsOfSeveral(access.news);
  const missing = new Missing(labels, ctx);
  const notes: Noting[] = ctx.globals.quiet
    ? []
    : [notingNames(labels, ctx), follow ? notingClocks(ctx) : notingSilence(ctx)];
  const streams = settings.contexts.map((context, i) => (stop: AbortSignal) => {
    const label = labels[i] ?? '';
    const told = { ...ctx, err: lineByLine(ctx.err, `${label}: `) };
    const until = AbortSignal.any([signal, stop]);
    const onNoStart = (error: RpcError) => missing.isTriedAgain(label, error);
    const one = { ...access, settings: settings.of(context), news: newsOf?.(label), onNoStart };
    const opened = missing.unlessIn(label, openStream(request, one, told, until));
    return notes.reduce((stream, note) => note(label, stream, until), opened);
  });
  const merged = mergeFlows(streams, {
    follow,
    past: selection.number > 0n || selection.since !== undefined,
    sleep: ctx.clock.sleep,
    onFailure: async (i, cause) => {
      const error = inWordsOfObserve(cause);
      if (signal.aborted || !(error instanceof UserError)) throw error;
      await missing.add(labels[i] ?? '', error, follow);
    },
  });
  const news: Buffer[] = [];
  const records = async function* () {
    for await (const batch of merged) {
      news.push(...batch.filter(isNodeNews));
      yield batch.filter((framed) => !isNodeNews(framed));
    }
  };
  const kept = limit?.cut(records(), (framed) => Buffer.from(framed)) ?? records();
  try {
    for await (const batch of kept) {
      if (news.length > 0) yield [Buffer.concat(news.splice(0))];
      for (const block of inBlocks(batch)) yield [Buffer.concat(block)];
    }
    if (news.length > 0) yield [Buffer.concat(news)];
  } finally {
    if (signal.aborted && follow) await missing.tell();
  }
  if (signal.aborted || !missing.first) return;
  if (missing.isAll)
    throw new UserError(`none of the clusters answers: ${labels.join(', ')}`, { cause: missing.first });
  await missing.tell();
  onPartial();
}

/** The clusters whose flows are missing: they failed, or have not answered yet. */
class Missing {
  readonly #errors = new Map<string, UserError>();
  /** What was said last of each. */
  readonly #said = new Map<string, string>();

  constructor(
    private readonly labels: readonly string[],
    private readonly ctx: Context,
  ) {}

  get first(): UserError | undefined {
    return this.#errors.values().next().value;
  }

  get isAll(): boolean {
    return this.#errors.size === this.labels.length;
  }

  /** One did not answer at first: it is tried again while there are others to follow. */
  async isTriedAgain(label: string, error: UserError): Promise<boolean> {
    const isNew = !this.#errors.has(label);
    this.#errors.set(label, error);
    if (this.isAll) return false;
    if (isNew)
      await this.#say(label, error, 'It is tried again, and its flows are left out until it answers.\n');
    return true;
  }

  /** One failed. */
  async add(label: string, error: UserError, follow: boolean): Promise<void> {
    this.#errors.set(label, error);
    await this.#say(label, error, follow ? 'Its flows are left out from here on.\n' : '');
  }

  /** Passes the answers on of one that is missing no more when they come. */
  async *unlessIn(label: string, stream: AsyncIterable<Buffer[]>): AsyncGenerator<Buffer[]> {
    for await (const batch of stream) {
      this.#errors.delete(label);
      yield batch;
    }
  }

  /** Says at the end which they are. */
  async tell(): Promise<void> {
    const names = this.labels.filter((label) => this.#errors.has(label));
    if (names.length === 0) return;
    await this.ctx.err.write(
      `${names.length} of ${this.labels.length} clusters failed: the flows of ${names.join(', ')} are missing\n`,
    );
  }

  /** Says why, unless that was what was said last, and what becomes of it. */
  async #say(label: string, error: UserError, outcome: string): Promise<void> {
    const text = `${errorMessage(error)}\n${error.hint === undefined ? '' : `${error.hint}\n`}`;
    const isSaid = this.#said.get(label) === text;
    this.#said.set(label, text);
    await lineByLine(this.ctx.err, `${label}: `).write(isSaid ? outcome : text + outcome);
  }
}

/** Who is told of the breaks of one stream among several: it is back when none is broken any more. */
function newsOfSeveral(news: StreamNews | undefined): ((label: string) => StreamNews) | undefined {
  if (!news) return undefined;
  const broken = new Set<string>();
  return (label) => ({
    broke: (cause, attempt, waitMs, stood) => {
      broken.add(label);
      return news.broke(`${label}: ${cause}`, attempt, waitMs, stood);
    },
    back: (text) => {
      broken.delete(label);
      return broken.size === 0 ? news.back(`${label}: ${text}`) : undefined;
    },
  });
}
