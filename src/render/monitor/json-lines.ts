import type { MonitorRecord } from '../../model/monitor.ts';
import { goJson } from '../text/json.ts';
import { renderJsonEvent } from './json.ts';
import { cpuPrefix, type MonitorFormat, policyAction, renderEvent, type ShownEvent } from './text.ts';

/**
 * An event as a line of JSON, whatever it is. What the reference has as text alone, such as policy verdicts, becomes an
 * object with that text beside what it tells.
 */
export function renderJsonLine(shown: ShownEvent, format: MonitorFormat): string {
  const { event, cpu } = shown;
  const json = renderJsonEvent(shown, format);
  if (json.startsWith('{')) return json;
  const text = (json || renderEvent(shown, { ...format, level: 'debug' })).trimEnd();
  if (text === '') return '';
  const facts =
    event.kind === 'policy-verdict'
      ? {
          direction: event.ingress ? 'ingress' : 'egress',
          action: policyAction(event),
          source: event.source,
          remoteIdentity: event.remoteIdentity,
          protocol: event.protocol,
        }
      : {};
  return `${goJson({ cpu: cpuPrefix(cpu), type: event.kind, ...facts, text })}\n`;
}

/** What was lost, as a line of JSON. */
export function renderOtherLine({ cpu, type, lost }: MonitorRecord): string {
  return `${goJson({ cpu: cpuPrefix(cpu), type: type === 2 ? 'lost' : 'unknown-payload', lost })}\n`;
}
