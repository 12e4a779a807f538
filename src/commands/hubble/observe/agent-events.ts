import type { Command } from 'commander';
import type { Context } from '../../../context.ts';
import { AGENT_EVENT_HEADERS, agentEventRecord } from '../../../render/hubble/events.ts';
import { at, declareEvents, type Envelope, type EventKind } from './events.ts';

const AGENT_EVENTS: EventKind<Envelope & { agent_event?: object }> = {
  method: '/observer.Observer/GetAgentEvents',
  headers: AGENT_EVENT_HEADERS,
  record: (answer, style) => agentEventRecord(at(answer), answer.agent_event ?? {}, style),
  bare: (answer) => answer.agent_event ?? {},
};

/** Declares `hubble observe agent-events`. */
export function addObserveAgentEventsCommand(command: Command, ctx: Context): void {
  declareEvents(command, ctx, AGENT_EVENTS);
}
