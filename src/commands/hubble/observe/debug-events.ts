import type { Command } from 'commander';
import type { Context } from '../../../context.ts';
import { DEBUG_EVENT_HEADERS, debugEventRecord } from '../../../render/hubble/events.ts';
import { at, declareEvents, type Envelope, type EventKind } from './events.ts';

const DEBUG_EVENTS: EventKind<Envelope & { debug_event?: object }> = {
  method: '/observer.Observer/GetDebugEvents',
  headers: DEBUG_EVENT_HEADERS,
  record: (answer, style) => debugEventRecord(at(answer), answer.debug_event ?? {}, style),
  bare: (answer) => answer.debug_event ?? {},
};

/** Declares `hubble observe debug-events`. */
export function addObserveDebugEventsCommand(command: Command, ctx: Context): void {
  declareEvents(command, ctx, DEBUG_EVENTS);
}
