import type { Command } from 'commander';
import { connectHubble } from '../../../cli/hubble/server.ts';
import { readSettings } from '../../../cli/hubble/settings.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { formatTimestamp } from '../../../lib/timestamp.ts';
import { untilAborted } from '../../../lib/until-aborted.ts';
import type { GetAgentEventsRequest } from '../../../model/hubble.gen.ts';
import type { EventRecord } from '../../../render/hubble/events.ts';
import type { FlowStyle } from '../../../render/hubble/flow.ts';
import { renderPairs, SEPARATOR, tableLine } from '../../../render/hubble/flow-records.ts';
import type { FlowFormat } from '../../../render/hubble/flow-renderer.ts';
import { goJson } from '../../../render/text/json.ts';
import { addFormatOptions, addOtherOptions, addSelectorOptions, type ObserveFlags } from './flags.ts';
import { formatOf, styleOf } from './output.ts';
import { type Selection, selectEvents } from './selectors.ts';
import { inWordsOfObserve } from './source-stream.ts';
import { RecordSink, viewLines } from './view-lines.ts';

/** What the two kinds of event do not share. */
export interface EventKind<Answer> {
  method: '/observer.Observer/GetAgentEvents' | '/observer.Observer/GetDebugEvents';
  headers: readonly string[];
  record(answer: Answer, event: object, style: FlowStyle): EventRecord;
  /** The event without its envelope. */
  event(answer: Answer): object | undefined;
  /** What is said of an answer without one. */
  lacking: string;
}

/** What stands around every event. */
export interface Envelope {
  time?: string;
  node_name?: string;
}

/** When and where an event was. */
export function at({ time = '', node_name = '' }: Envelope): { time: string; node: string } {
  return { time, node: node_name };
}

/** Adds the flags and the action of a verb that shows one kind of event. */
export function declareEvents<Answer>(command: Command, ctx: Context, kind: EventKind<Answer>): void {
  addOtherOptions(addFormatOptions(addSelectorOptions(command)));
  command.action((flags: ObserveFlags) => runObserveEvents(command, flags, kind, ctx));
}

/** Shows the events that a server sends. */
async function runObserveEvents<Answer>(
  command: Command,
  flags: ObserveFlags,
  kind: EventKind<Answer>,
  ctx: Context,
): Promise<void> {
  const settings = await readSettings(command, ctx);
  const format = formatOf(flags.output, flags.follow === true, ctx);
  const request = requestOf(selectEvents(flags, ctx.clock.nowMs()));
  const style = { ...styleOf(flags, ctx), color: false };
  const headers = ['TIMESTAMP', ...(style.nodeName ? ['NODE'] : []), ...kind.headers];
  const texts = async function* () {
    await using client = await connectHubble(settings, ctx);
    for await (const answer of client.stream(kind.method, request))
      yield [textOf(answer as Answer, kind, format, style)];
  };
  // The reference ends its separator without a newline here, so that the next record begins behind it.
  const sink = new RecordSink(ctx, format, headers, { separator: SEPARATOR });
  await viewLines(untilAborted(texts(), ctx.signal), sink, () => '', ctx).catch((error: unknown) => {
    throw inWordsOfObserve(error);
  });
}

function requestOf({ number, follow, since, until }: Selection): GetAgentEventsRequest {
  return {
    number: String(number),
    follow,
    ...(since && { since: formatTimestamp(since) }),
    ...(until && { until: formatTimestamp(until) }),
  };
}

function textOf<Answer>(
  answer: Answer,
  kind: EventKind<Answer>,
  format: FlowFormat,
  style: FlowStyle,
): string {
  const event = kind.event(answer);
  if (event === undefined) throw new UserError(kind.lacking);
  if (format === 'json') return `${goJson(answer)}\n`;
  if (format === 'legacy-json') return `${goJson(event)}\n`;
  const record = kind.record(answer, event, style);
  switch (format) {
    case 'dict':
      return SEPARATOR + renderPairs(record.pairs);
    case 'table':
      return tableLine(record.cells);
    default:
      return record.compact;
  }
}
