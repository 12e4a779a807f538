import type { Command } from 'commander';
import { connectHubble } from '../../../cli/hubble/server.ts';
import { readSettings } from '../../../cli/hubble/settings.ts';
import type { Context } from '../../../context.ts';
import { formatTimestamp } from '../../../lib/timestamp.ts';
import { untilAborted } from '../../../lib/until-aborted.ts';
import type { GetAgentEventsRequest } from '../../../model/hubble.gen.ts';
import {
  AGENT_EVENT_HEADERS,
  agentEventRecord,
  DEBUG_EVENT_HEADERS,
  debugEventRecord,
  type EventRecord,
} from '../../../render/hubble/events.ts';
import type { FlowStyle } from '../../../render/hubble/flow.ts';
import type { FlowFormat } from '../../../render/hubble/flow-format.ts';
import { renderPairs, SEPARATOR, tableLine } from '../../../render/hubble/flow-records.ts';
import { goJson } from '../../../render/text/json.ts';
import { addFlowOptions, addFormatOptions, addSelectorOptions, type ObserveFlags } from './flags.ts';
import { formatOf, styleOf } from './output.ts';
import { type Selection, selectEvents } from './selectors.ts';
import { RecordSink, viewLines } from './view-lines.ts';

/** Declares `hubble observe agent-events`. */
export function addObserveAgentEventsCommand(command: Command, ctx: Context): void {
  declare(command, ctx, AGENT_EVENTS);
}

/** Declares `hubble observe debug-events`. */
export function addObserveDebugEventsCommand(command: Command, ctx: Context): void {
  declare(command, ctx, DEBUG_EVENTS);
}

/** What the two kinds of event do not share. */
interface EventKind<Answer> {
  method: '/observer.Observer/GetAgentEvents' | '/observer.Observer/GetDebugEvents';
  headers: readonly string[];
  record(answer: Answer, style: FlowStyle): EventRecord;
  /** The event without its envelope. */
  bare(answer: Answer): unknown;
}

interface Envelope {
  time?: string;
  node_name?: string;
}

function at({ time = '', node_name = '' }: Envelope): { time: string; node: string } {
  return { time, node: node_name };
}

const AGENT_EVENTS: EventKind<Envelope & { agent_event?: object }> = {
  method: '/observer.Observer/GetAgentEvents',
  headers: AGENT_EVENT_HEADERS,
  record: (answer, style) => agentEventRecord(at(answer), answer.agent_event ?? {}, style),
  bare: (answer) => answer.agent_event ?? {},
};

const DEBUG_EVENTS: EventKind<Envelope & { debug_event?: object }> = {
  method: '/observer.Observer/GetDebugEvents',
  headers: DEBUG_EVENT_HEADERS,
  record: (answer, style) => debugEventRecord(at(answer), answer.debug_event ?? {}, style),
  bare: (answer) => answer.debug_event ?? {},
};

function declare<Answer>(command: Command, ctx: Context, kind: EventKind<Answer>): void {
  addFormatOptions(addSelectorOptions(command));
  addFlowOptions(command);
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
  const sink = new RecordSink(ctx, format, headers, SEPARATOR);
  await viewLines(untilAborted(texts(), ctx.signal), sink, () => '', ctx);
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
  if (format === 'json') return `${goJson(answer)}\n`;
  if (format === 'legacy-json') return `${goJson(kind.bare(answer))}\n`;
  const record = kind.record(answer, style);
  switch (format) {
    case 'dict':
      return SEPARATOR + renderPairs(record.pairs);
    case 'table':
      return tableLine(record.cells);
    default:
      return record.compact;
  }
}
