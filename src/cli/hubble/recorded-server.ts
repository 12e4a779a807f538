import { NotCollected } from '../../archive/not-collected.ts';
import type { RecordedCall } from '../../archive/recorded-agent.ts';
import type { Context } from '../../context.ts';
import type { HubbleCalls, RequestOf, ResponseOf, StreamMethod, UnaryMethod } from '../../hubble/client.ts';
import { type Code, RpcError } from '../../hubble/grpc/status.ts';
import type { ServerSettings } from '../../hubble/grpc/target.ts';
import { agentIn, noAgent, soleAgent } from '../../kube/road.ts';
import { compareTimestamps, parseTimestamp } from '../../lib/timestamp.ts';
import type { GetAgentEventsRequest } from '../../model/hubble.gen.ts';

/** Answers for the Hubble server of an agent from an archive. */
export class RecordedHubble implements HubbleCalls, AsyncDisposable {
  constructor(
    readonly settings: ServerSettings,
    private readonly ctx: Context,
  ) {}

  async call<M extends UnaryMethod>(method: M, _: RequestOf<M>): Promise<ResponseOf<M>> {
    const { answers } = await this.#recorded(method);
    return (answers[0] ?? {}) as ResponseOf<M>;
  }

  /** Of events those that a server would have chosen. What streams else is about what happens next. */
  async *stream<M extends StreamMethod>(
    method: M,
    request: RequestOf<M>,
  ): AsyncGenerator<ResponseOf<M>, void, undefined> {
    const call = await this.#recorded(method);
    const events = call.answers as readonly { time?: string }[];
    const { chosen, isWhole } = choose(events, request as GetAgentEventsRequest);
    const { archive } = this.ctx.globals;
    if (!isWhole && call.limit !== undefined && events.length >= call.limit)
      archive?.note(
        `${archive.label} holds the last ${call.limit} of these events: older ones are not there.`,
      );
    yield* chosen as ResponseOf<M>[];
  }

  // biome-ignore lint/correctness/useYield: it ends with an error
  async *streamBytes(method: StreamMethod): AsyncGenerator<Buffer[], void, undefined> {
    throw await this.#missing(method);
  }

  async exchange<M extends StreamMethod>(method: M): Promise<ResponseOf<M>[]> {
    throw await this.#missing(method);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #recorded(method: string): Promise<RecordedCall> {
    const place = await this.#place();
    const { archive } = this.ctx.globals;
    const agent = await archive?.agent(place);
    if (archive && !agent) throw await noAgent(archive, place);
    const found = await agent?.hubble(method);
    if (!found) throw await this.#missing(method);
    if (found.error) throw new RpcError(found.error.code as Code, found.error.desc);
    return found;
  }

  async #place() {
    const { elsewhere } = this.ctx.globals;
    return elsewhere ? await agentIn(this.ctx, elsewhere) : await soleAgent(this.ctx);
  }

  async #missing(method: string): Promise<NotCollected> {
    const { archive } = this.ctx.globals;
    const { node, pod } = await this.#place();
    const why = await archive?.why({ node });
    return new NotCollected(
      `${archive?.label} holds no answer of Hubble's server of ${node === '' ? pod : `node ${node}`} to ${method}${why ? ` (${why.text})` : ''}`,
      {
        hint: 'It did not run, or was not asked, when the archive was made. Flows can be read: hubble observe --from ARCHIVE.',
      },
    );
  }
}

/** As a server chooses events, and whether none that is older could have been among them. */
function choose<T extends { time?: string }>(
  events: readonly T[],
  { number = '0', since: from, until: to }: GetAgentEventsRequest,
): { chosen: readonly T[]; isWhole: boolean } {
  const [since, until] = [from, to].map((text) => (text === undefined ? undefined : parseTimestamp(text)));
  const limit = BigInt(number);
  const isBounded = limit > 0n && limit <= BigInt(events.length);
  const within = (part: readonly T[]) =>
    part.filter(({ time = '' }) => {
      const at = parseTimestamp(time);
      if (!at) return true;
      return !(since && compareTimestamps(at, since) < 0) && !(until && compareTimestamps(at, until) > 0);
    });
  if (since) {
    const first = parseTimestamp(events[0]?.time ?? '');
    const chosen = within(events);
    return {
      chosen: isBounded ? chosen.slice(0, Number(limit)) : chosen,
      isWhole: first !== undefined && compareTimestamps(first, since) < 0,
    };
  }
  return { chosen: within(isBounded ? events.slice(-Number(limit)) : events), isWhole: isBounded };
}
