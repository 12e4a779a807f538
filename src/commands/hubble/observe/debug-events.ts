import type { Command } from 'commander';
import { examples } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { DEBUG_EVENT_HEADERS, debugEventRecord } from '../../../render/hubble/events.ts';
import { at, declareEvents, type Envelope, type EventKind } from './events.ts';

const DEBUG_EVENTS: EventKind<Envelope & { debug_event?: object }> = {
  method: '/observer.Observer/GetDebugEvents',
  headers: DEBUG_EVENT_HEADERS,
  record: (answer, event, style) => debugEventRecord(at(answer), event, style),
  event: (answer) => answer.debug_event,
  lacking: 'not a debug event',
};

/** Declares `hubble observe debug-events`. */
export function addObserveDebugEventsCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples('hubble observe debug-events --last 50', 'hubble observe debug-events --follow -o json'),
  );
  declareEvents(command, ctx, DEBUG_EVENTS);
}
