import type { TrafficReport } from '../model/traffic-report.ts';
import { safeReport } from './door.ts';

/** How the page stands with the program that serves it; `over` when another program answers in its place. */
export type Connection = 'open' | 'lost' | 'over';

/**
 * Takes what the server tells until the page is closed. The browser connects again by itself; in between the last state
 * stays, and the page says that it is old.
 */
export function follow(show: (report: TrafficReport, connection: Connection) => void): void {
  let last: TrafficReport | undefined;
  const events = new EventSource(`events${location.search}`);
  events.addEventListener('message', ({ data }: MessageEvent<string>) => {
    last = safeReport(JSON.parse(data) as TrafficReport);
    show(last, 'open');
  });
  events.addEventListener('error', () => {
    // A browser tries again until it is answered, and not once it was refused.
    if (last) show(last, events.readyState === EventSource.CLOSED ? 'over' : 'lost');
  });
}
