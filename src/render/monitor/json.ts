import { parsePlainJson } from '../../lib/exact-json.ts';
import { compareBytes } from '../../lib/order.ts';
import { dropReasonText } from '../../model/drop-reason.ts';
import type {
  AgentEvent,
  CaptureEvent,
  DropEvent,
  HttpHeaders,
  LogRecordEvent,
  TraceEvent,
} from '../../model/monitor.ts';
import { atLeast, type Release } from '../../model/release.ts';
import { goUrl } from '../text/go-url.ts';
import { escapeSteering, goJson, goMapJson } from '../text/json.ts';
import { captureMessage, capturePrefix, renderDebugMessage } from './debug.ts';
import { agentEventName, l7Protocol } from './l7.ts';
import { renderConnection } from './packet.ts';
import { packetSummary } from './packet-layers.ts';
import {
  captureBytes,
  cpuPrefix,
  type MonitorFormat,
  mark,
  renderEvent,
  type ShownEvent,
  traceDirection,
  tracePoint,
  traceState,
} from './text.ts';

/** An event as a line of JSON. Policy verdicts have no such form and stay text, as does what cannot be decoded. */
export function renderJsonEvent(shown: ShownEvent, format: MonitorFormat): string {
  const { event } = shown;
  switch (event.kind) {
    case 'drop':
      return `${drop(event, shown, format)}\n`;
    case 'trace':
      return `${trace(event, shown, format)}\n`;
    case 'capture':
      return `${capture(event, shown, format)}\n`;
    case 'debug': {
      const message = renderDebugMessage(event, format);
      return `${escapeSteering(JSON.stringify({ cpu: cpuPrefix(shown.cpu), type: 'debug', message }))}\n`;
    }
    case 'l7':
      return `${goMapJson(logRecord(event, format.release))}\n`;
    case 'agent':
      return `${escapeSteering(agent(event))}\n`;
    case 'trace-sock':
      return '';
    default:
      return renderEvent(shown, format);
  }
}

function drop(event: DropEvent, shown: ShownEvent, format: MonitorFormat): string {
  const head = {
    cpu: cpuPrefix(shown.cpu),
    type: 'drop',
    mark: mark(event.hash),
    reason: dropReasonText(event.reason, event.extError, format.release),
    source: event.source,
    bytes: event.originalBytes,
    srcLabel: event.sourceIdentity,
    dstLabel: event.destinationIdentity,
    dstID: event.destinationEndpoint,
    ...(event.layout !== 0 && { Line: event.line, File: event.file }),
    ...(event.layout !== 0 &&
      event.layout !== '1.12' && { ExtError: event.extError, Ifindex: event.ifindex }),
  };
  const traceId = event.ipTraceId ? `,"IPTraceID":${event.ipTraceId}` : '';
  return `${open(head)}${traceId}${summary(event, shown, format)}}`;
}

function trace(event: TraceEvent, shown: ShownEvent, format: MonitorFormat): string {
  const head = {
    cpu: cpuPrefix(shown.cpu),
    type: 'trace',
    mark: mark(event.hash),
    ifindex: format.interfaceName(event.ifindex),
    state: traceState(event),
    observationPoint: tracePoint(event),
    traceSummary: traceDirection(event),
    source: event.source,
    bytes: event.originalBytes,
    srcLabel: event.sourceIdentity,
    dstLabel: event.destinationIdentity,
    dstID: event.destination,
  };
  const traceId = atLeast(format.release, '1.19') ? `,"IpTraceID":${event.ipTraceId ?? 0}` : '';
  return `${open(head)}${traceId}${summary(event, shown, format)}}`;
}

/** An object without its closing brace: 64-bit numbers follow, which JSON.stringify cannot write. */
function open(head: Readonly<Record<string, string | number>>): string {
  return goJson(head).slice(0, -1);
}

function summary(event: DropEvent | TraceEvent, shown: ShownEvent, format: MonitorFormat): string {
  if (event.capturedBytes === 0 || !shown.packet) return '';
  const found = packetSummary(shown.packet, format);
  return found ? `,"summary":${goJson(found)}` : '';
}

function capture(event: CaptureEvent, shown: ShownEvent, format: MonitorFormat): string {
  return goJson({
    cpu: cpuPrefix(shown.cpu),
    type: 'capture',
    mark: mark(event.hash),
    message: captureMessage(event),
    prefix: capturePrefix(event, format.interfaceName) || undefined,
    source: event.source,
    bytes: captureBytes(event, format.release),
    summary: shown.packet ? renderConnection(shown.packet, format.release) : undefined,
  });
}

/** The agent sends JSON; text that is none is quoted, so that the line stays one. */
function agent(event: AgentEvent): string {
  let message = event.text;
  try {
    const value: unknown = parsePlainJson(message);
    if (/[\n\r\t]/.test(message)) message = JSON.stringify(value);
  } catch {
    message = JSON.stringify(message);
  }
  return `{"type":"agent","subtype":"${agentEventName(event.type)}","message":${message}}`;
}

function logRecord(event: LogRecordEvent, release: Release): Record<string, unknown> {
  const { sourceEndpoint: source, destinationEndpoint: destination, http, kafka, dns, l7 } = event;
  return {
    type: 'logRecord',
    observationPoint: event.observationPoint,
    flowType: event.flowType,
    l7Proto: l7Protocol(event),
    srcEpID: source.id,
    srcEpLabels: source.labels,
    srcIdentity: source.identity,
    dstEpID: destination.id,
    dstEpLabels: destination.labels,
    dstIdentity: destination.identity,
    verdict: event.verdict,
    http: http && {
      Code: http.code,
      Method: http.method,
      URL: http.url === undefined ? null : urlOf(http.url, release),
      Protocol: http.protocol,
      Headers: headers(http.headers),
      MissingHeaders: headers(http.missingHeaders),
      RejectedHeaders: headers(http.rejectedHeaders),
    },
    kafka: kafka && {
      ErrorCode: kafka.errorCode,
      APIVersion: kafka.apiVersion,
      APIKey: kafka.apiKey,
      CorrelationID: kafka.correlationId,
      Topic: { Topic: kafka.topic || undefined },
    },
    dns: dns && {
      Query: dns.query || undefined,
      // One that is none has no text in JSON.
      IPs: some(dns.ips.map((ip) => (ip === 'invalid IP' ? '' : ip))),
      TTL: dns.ttl || undefined,
      CNAMEs: some(dns.cnames),
      ObservationSource: dns.source || undefined,
      RCode: dns.rcode || undefined,
      QTypes: some(dns.queryTypes),
      AnswerTypes: some(dns.answerTypes),
    },
    l7: l7 && {
      Proto: l7.protocol || undefined,
      Fields: l7.fields ? sorted(l7.fields) : null,
    },
  };
}

/** The reference of 1.20 was built with a Go that has the fields in another order. */
function urlOf(text: string, release: Release): Record<string, unknown> {
  const url = goUrl(text);
  if (!atLeast(release, '1.20')) return { ...url };
  const { RawPath, OmitHost, ForceQuery, RawQuery, Fragment, RawFragment, ...head } = url;
  return { ...head, Fragment, RawQuery, RawPath, RawFragment, ForceQuery, OmitHost };
}

function some<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}

/** A header that has no values has null for them. */
function headers(list: HttpHeaders | undefined): Record<string, unknown> | null {
  return list ? sorted(list.map(([name, values]) => [name, some(values) ?? null])) : null;
}

/** Go writes maps with their keys in order. Entries are defined one by one, as a key may be `__proto__`. */
function sorted(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  return Object.fromEntries(entries.toSorted(([a], [b]) => compareBytes(a, b)));
}
