import { UserError } from '../../errors.ts';
import { compileFilters, type FlowPredicate } from '../../hubble/filter/filter.ts';
import { frame } from '../../hubble/grpc/frames.ts';
import { encode } from '../../hubble/protobuf/codec.ts';
import { fieldMask, fieldMaskPaths } from '../../hubble/protobuf/field-mask.ts';
import { compareTimestamps, formatTimestamp, parseTimestamp, type Timestamp } from '../../lib/timestamp.ts';
import type { FlowFilter, GetFlowsRequest } from '../../model/hubble.gen.ts';
import { GRPC_CODE, type GrpcCall, GrpcFailure } from './grpc-server.ts';
import type { FlowPlayer } from './player.ts';
import { FlowTemplate, uuidOf } from './template.ts';

/** Answers are sent in pieces of about this size. */
const CHUNK_BYTES = 64 * 1024;
/** How many flows are looked at before others get their turn. */
const SLICE = 20_000;

/** Answers GetFlows from the ring of a player. */
export async function getFlows(request: GetFlowsRequest, call: GrpcCall, player: FlowPlayer): Promise<void> {
  if (request.first && request.follow)
    throw new GrpcFailure(GRPC_CODE.invalidArgument, 'first cannot be specified with follow');
  const view = await flowView(request, player);
  const { ring } = player;
  const range = { since: timeOf(request.since), until: timeOf(request.until) };
  const limit = request.number === undefined ? 0 : Number(request.number);
  const stopAt = request.follow ? Number.POSITIVE_INFINITY : ring.end;
  let left = limit > 0 && !request.follow ? limit : Number.POSITIVE_INFINITY;
  let position = firstPosition(request, limit, range.since, view, player);
  const chunk = new Chunk(call);
  let looked = 0;
  while (position < stopAt && left > 0 && !call.signal.aborted) {
    if (position >= ring.end) {
      await chunk.flush();
      await ring.arrival(position, call.signal);
      continue;
    }
    if (position < ring.start) {
      await chunk.add(lostEvents(ring.start - position));
      position = ring.start;
    }
    const time = { seconds: ring.seconds(position), nanos: ring.nanos(position) };
    if (range.until && compareTimestamps(time, range.until) > 0) break;
    if (!range.since || compareTimestamps(time, range.since) >= 0) {
      const template = view.templateAt(position);
      if (template) {
        const { buffer, at } = await chunk.room(template.length);
        template.write(buffer, at, time, position);
        left--;
      }
    }
    position++;
    if (++looked % SLICE === 0) await new Promise((turn) => setImmediate(turn));
  }
  await chunk.flush();
}

/** Which flows a request sees, and in which form. */
interface FlowView {
  /** Undefined when the filters leave the flow out. */
  templateAt(position: number): FlowTemplate | undefined;
}

async function flowView(request: GetFlowsRequest, player: FlowPlayer): Promise<FlowView> {
  const { whitelist = [], blacklist = [] } = request;
  let passes: FlowPredicate;
  try {
    passes = await compileFilters(whitelist, blacklist);
  } catch (error) {
    if (error instanceof UserError) throw new GrpcFailure(GRPC_CODE.unknown, error.message);
    throw error;
  }
  const paths = request.field_mask === undefined ? [] : fieldMaskPaths(request.field_mask);
  const mask = paths.length > 0 ? fieldMask(paths) : undefined;
  const masked = (template: FlowTemplate) =>
    mask
      ? new FlowTemplate(
          mask(template.flow),
          { time: paths.includes('time'), uuid: paths.includes('uuid') },
          template.flow.node_name,
        )
      : template;
  const { ring } = player;
  // A UUID is the flow's own; everything else is the same each time the flow comes round.
  if ([...whitelist, ...blacklist].some(dependsOnInstance)) {
    return {
      templateAt(position) {
        const template = player.templateAt(position);
        if (!template) return undefined;
        const time = formatTimestamp({ seconds: ring.seconds(position), nanos: ring.nanos(position) });
        return passes({ ...template.flow, uuid: uuidOf(position), time }) ? masked(template) : undefined;
      },
    };
  }
  const known = new WeakMap<FlowTemplate, { shown: FlowTemplate | undefined }>();
  return {
    templateAt(position) {
      const template = player.templateAt(position);
      if (!template) return undefined;
      let answer = known.get(template);
      if (!answer) {
        answer = { shown: passes(template.flow) ? masked(template) : undefined };
        known.set(template, answer);
      }
      return answer.shown;
    },
  };
}

function dependsOnInstance(filter: FlowFilter): boolean {
  return filter.uuid !== undefined || filter.experimental !== undefined;
}

/** Where reading begins: at `since`, at the oldest, at the newest, or so that the last `limit` that match are seen. */
function firstPosition(
  request: GetFlowsRequest,
  limit: number,
  since: Timestamp | undefined,
  view: FlowView,
  { ring }: FlowPlayer,
): number {
  if (since || request.first) return ring.start;
  if (limit === 0) return request.follow ? ring.end : ring.start;
  let position = ring.end;
  for (let found = 0; position > ring.start && found < limit; position--)
    if (view.templateAt(position - 1)) found++;
  return position;
}

function timeOf(text: string | undefined): Timestamp | undefined {
  return text === undefined ? undefined : parseTimestamp(text);
}

/** Says that entries were overwritten before they could be sent. */
function lostEvents(count: number): Buffer {
  const lost = { source: 'HUBBLE_RING_BUFFER' as const, num_events_lost: String(count) };
  return frame(encode('observer.GetFlowsResponse', { lost_events: lost }));
}

/** Collects framed answers until there are enough for a write. */
class Chunk {
  #buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  #used = 0;

  constructor(private readonly call: GrpcCall) {}

  /** Makes room for `length` bytes. */
  async room(length: number): Promise<{ buffer: Buffer; at: number }> {
    if (this.#used + length > this.#buffer.length) await this.flush(length);
    const at = this.#used;
    this.#used += length;
    return { buffer: this.#buffer, at };
  }

  async add(bytes: Buffer): Promise<void> {
    const { buffer, at } = await this.room(bytes.length);
    bytes.copy(buffer, at);
  }

  async flush(next = 0): Promise<void> {
    if (this.#used > 0) {
      // The buffer belongs to the stream until it is written: the next one is new.
      await this.call.send(this.#buffer.subarray(0, this.#used));
      this.#used = 0;
      this.#buffer = Buffer.allocUnsafe(Math.max(CHUNK_BYTES, next));
    } else if (next > this.#buffer.length) this.#buffer = Buffer.allocUnsafe(next);
  }
}
