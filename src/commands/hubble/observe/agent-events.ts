import type { Command } from 'commander';
import { examples } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { AGENT_EVENT_HEADERS, agentEventRecord } from '../../../render/hubble/events.ts';
import { at, declareEvents, type Envelope, type EventKind } from './events.ts';

const AGENT_EVENTS: EventKind<Envelope & { agent_event?: object }> = {
  method: '/observer.Observer/GetAgentEvents',
  headers: AGENT_EVENT_HEADERS,
  record: (answer, event, style) => agentEventRecord(at(answer), event, style),
  event: (answer) => answer.agent_event,
  lacking: 'not an agent event',
};

/** Declares `hubble observe agent-events`. */
export function addObserveAgentEventsCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples('hubble observe agent-events --follow', 'hubble observe agent-events --since 10m -o json'),
  );
  declareEvents(command, ctx, AGENT_EVENTS);
}
