import { withoutMapping } from '../../lib/address.ts';
import { dropReasonText } from '../../model/drop-reason.ts';
import type {
  CaptureEvent,
  DropEvent,
  MonitorEvent,
  MonitorRecord,
  PolicyVerdictEvent,
  RecorderEvent,
  TraceEvent,
  TraceSockEvent,
} from '../../model/monitor.ts';
import type { Dissection } from '../../model/packet.ts';
import { atLeast, type Release } from '../../model/release.ts';
import { identityName } from '../../model/reserved-identity.ts';
import { sourceFileName } from '../../model/source-file.ts';
import { TRACE_POINTS } from '../../model/trace-point.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { captureMessage, capturePrefix, renderDebugMessage } from './debug.ts';
import { agentEventName, renderLogRecord } from './l7.ts';
import { renderConnection } from './packet.ts';
import { type PacketWords, renderHexDump, renderLayers } from './packet-layers.ts';

/** How events are printed. */
export interface MonitorFormat extends PacketWords {
  /** `info` one line an event, `debug` debug messages too, `dissect` every layer of every packet. */
  level: 'info' | 'debug' | 'dissect';
  /** Packets as bytes instead of layers. */
  hex: boolean;
  /** Identities as numbers. */
  numeric: boolean;
  /** Name of an interface of this machine, or its number. */
  interfaceName: (ifindex: number) => string;
  /** The release of the agent, whose texts events get. */
  release: Release;
}

/** An event with its packet taken apart. */
export interface ShownEvent {
  event: MonitorEvent;
  cpu: number;
  packet: Dissection | undefined;
}

const SEPARATOR = `${'-'.repeat(78)}\n`;

/** An event as text; empty where the level does not show it. */
export function renderEvent(shown: ShownEvent, format: MonitorFormat): string {
  const { event } = shown;
  const dissected = format.level === 'dissect';
  switch (event.kind) {
    case 'drop':
      return dissected ? dropInDetail(event, shown, format) : drop(event, shown, format);
    case 'trace':
      return dissected ? traceInDetail(event, shown, format) : trace(event, shown, format);
    case 'policy-verdict':
      return policyVerdict(event, shown, format);
    case 'capture':
      return dissected ? captureInDetail(event, shown, format) : capture(event, shown, format);
    case 'debug': {
      if (format.level === 'info') return '';
      const message = renderDebugMessage(event, format);
      return `${cpuPrefix(shown.cpu)} MARK ${mark(event.hash)} FROM ${event.source} DEBUG: ${message}\n`;
    }
    case 'trace-sock':
      return format.level === 'debug' ? traceSock(event, shown.cpu) : '';
    case 'l7':
      return renderLogRecord(event);
    case 'agent':
      return `>> ${agentEventName(event.type)}: ${sanitizeCell(event.text)}\n`;
    case 'recorder':
      return recorder(event, shown, format);
    case 'broken':
      return `cannot decode message type '${event.type}': ${sanitizeCell(event.error)}\n`;
    case 'unknown':
      return `${cpuPrefix(shown.cpu)} Unknown event: [${event.data.join(' ')}]\n`;
  }
}

/** A record that is no sample: a count of lost events, or something newer. */
export function renderOtherRecord(record: MonitorRecord): string {
  const lost = `${cpuPrefix(record.cpu)} Lost ${record.lost} events`;
  if (record.type === 2) return `${lost}\n`;
  return `Unknown payload type: ${record.type}, ${lost}\n`;
}

/** `CPU 01:` */
export function cpuPrefix(cpu: number): string {
  return `CPU ${String(cpu).padStart(2, '0')}:`;
}

/** A flow's hash. */
export function mark(hash: number): string {
  return `0x${hash.toString(16)}`;
}

function identity(number: number, { numeric, release }: MonitorFormat): string {
  return numeric ? String(number) : identityName(number, release);
}

function identities(
  event: { sourceIdentity: number; destinationIdentity: number },
  format: MonitorFormat,
): string {
  return `, identity ${identity(event.sourceIdentity, format)}->${identity(event.destinationIdentity, format)}`;
}

function connection(shown: ShownEvent, { release }: MonitorFormat): string {
  return shown.packet ? renderConnection(shown.packet, release) : '[unknown]';
}

function drop(event: DropEvent, shown: ShownEvent, format: MonitorFormat): string {
  const reason = dropReasonText(event.reason, event.extError, format.release);
  const file = sourceFileName(event.file, format.release);
  const place =
    event.layout === 0
      ? ''
      : event.layout === '1.12'
        ? `, file ${file} line ${event.line}, `
        : `, ifindex ${event.ifindex}, file ${file}:${event.line}, `;
  const traceId = event.ipTraceId ? ` [ ip-trace-id = ${event.ipTraceId} ]` : '';
  const head = `xx drop (${reason}) flow ${mark(event.hash)} to endpoint ${event.destinationEndpoint}`;
  return `${head}${place}${traceId}${identities(event, format)}: ${connection(shown, format)}\n`;
}

function dropInDetail(event: DropEvent, shown: ShownEvent, format: MonitorFormat): string {
  const head = `${cpuPrefix(shown.cpu)} MARK ${mark(event.hash)} FROM ${event.source} DROP: ${event.originalBytes} bytes`;
  const reason = `, reason ${dropReasonText(event.reason, event.extError, format.release)}`;
  const known = event.sourceIdentity !== 0 || event.destinationIdentity !== 0;
  const to = event.destinationEndpoint === 0 ? '' : `, to endpoint ${event.destinationEndpoint}`;
  const traceId = event.ipTraceId ? ` [ IP-TRACE-ID=${event.ipTraceId} ]` : '';
  const line = `${head}${reason}${known ? identities(event, format) : ''}${to}${traceId}\n`;
  // Since 1.19 drops, of all events, are dumped by default and dissected with --hex.
  const hex = atLeast(format.release, '1.19') ? !format.hex : format.hex;
  return inDetail(line, body(event, shown, format, hex), format.release);
}

/** Up to 1.18 the packet is written before the line that is its head. */
function inDetail(line: string, packet: string, release: Release): string {
  return `${SEPARATOR}${atLeast(release, '1.19') ? line + packet : packet + line}`;
}

function body(
  event: { capturedBytes: number; packet: Uint8Array },
  shown: ShownEvent,
  format: MonitorFormat,
  hex: boolean,
): string {
  if (event.capturedBytes === 0 || event.packet.length === 0) return '';
  if (hex) return renderHexDump(event.packet);
  return shown.packet ? renderLayers(shown.packet, format) : '';
}

const TRACE_STATES = [
  'new',
  'established',
  'reply',
  'related',
  'reopened',
  'unknown',
  'srv6-encap',
  'srv6-decap',
  'encrypt-overlay',
];

/** The state of the connection; one without a name is the number with its encryption bit. */
export function traceState(event: TraceEvent): string {
  return TRACE_STATES[event.reason & 0x7f] ?? String(event.reason);
}

/** Name of the place where a packet was seen. */
export function tracePoint(event: TraceEvent): string {
  return TRACE_POINTS[event.point] ?? String(event.point);
}

/** `-> endpoint 12`, `<- host` … */
export function traceDirection(event: TraceEvent): string {
  const [direction, ...where] = (TRACE_POINTS[event.point] ?? '').split('-');
  const place = where.join('-');
  if (direction === 'from') return place === 'endpoint' ? `<- endpoint ${event.source}` : `<- ${place}`;
  if (direction !== 'to') return 'unknown trace';
  if (place === 'endpoint') return `-> endpoint ${event.destination}`;
  if (place === 'proxy' && event.destination !== 0) return `-> proxy port ${event.destination}`;
  return place === 'host' ? '-> host from' : `-> ${place}`;
}

function trace(event: TraceEvent, shown: ShownEvent, format: MonitorFormat): string {
  const encrypted = event.reason & 0x80 ? ' encrypted ' : '';
  const head = `${traceDirection(event)}${encrypted} flow ${mark(event.hash)} ${identities(event, format)}`;
  const traceId = event.ipTraceId ? ` [ ip-trace-id = ${event.ipTraceId} ]` : '';
  const where = `ifindex ${format.interfaceName(event.ifindex)} orig-ip ${originalIp(event, format)}`;
  return `${head}${traceId} state ${traceState(event)} ${where}: ${connection(shown, format)}\n`;
}

/** Up to 1.19 a mapped IPv4 address was shown as IPv4. */
function originalIp(event: TraceEvent, { release }: MonitorFormat): string {
  return atLeast(release, '1.20') ? event.originalIp : withoutMapping(event.originalIp);
}

function traceInDetail(event: TraceEvent, shown: ShownEvent, format: MonitorFormat): string {
  const traceId = event.ipTraceId ? ` [ IP-TRACE-ID = ${event.ipTraceId} ]` : '';
  const head = `${cpuPrefix(shown.cpu)} MARK ${mark(event.hash)}${traceId} FROM ${event.source} ${tracePoint(event)}`;
  const size = `${event.originalBytes} bytes (${event.capturedBytes} captured), state ${traceState(event)}`;
  const via = event.ifindex === 0 ? '' : `, interface ${format.interfaceName(event.ifindex)}`;
  const known = event.sourceIdentity !== 0 || event.destinationIdentity !== 0;
  const who = known ? `, ${identities(event, format)}` : '';
  const kind = tracePoint(event) === 'to-proxy' ? 'proxy-port' : 'endpoint';
  const to = event.destination === 0 ? '' : `, to ${kind} ${event.destination}`;
  const line = `${head}: ${size}${via}${who}, orig-ip ${originalIp(event, format)}${to}\n`;
  return inDetail(line, body(event, shown, format, format.hex), format.release);
}

const MATCH_TYPES = ['none', 'L3-Only', 'L3-L4', 'L4-Only', 'all', 'L3-Proto', 'Proto-Only'];
const AUTH_TYPES = ['disabled', 'spire', 'test-always-fail'];

/** What a policy verdict did. */
export function policyAction({ audited, verdict }: PolicyVerdictEvent): string {
  if (audited) return 'audit';
  if (verdict < 0) return 'deny';
  return verdict > 0 ? 'redirect' : 'allow';
}

function policyVerdict(event: PolicyVerdictEvent, shown: ShownEvent, format: MonitorFormat): string {
  const remote = identity(event.remoteIdentity, format);
  const action = policyAction(event);
  const auth = authentication(event, format.release);
  const head = `Policy verdict log: flow ${mark(event.hash)} local EP ID ${event.source}, remote ID ${remote}`;
  const what = `proto ${event.protocol}, ${event.ingress ? 'ingress' : 'egress'}, action ${action}${auth}`;
  const match = MATCH_TYPES[event.matchType] ?? 'unknown';
  return `${head}, ${what}, match ${match}, ${connection(shown, format)}\n`;
}

/** Up to 1.14 verdicts tell nothing of authentication; where one was asked for all the same, it is shown. */
function authentication({ authType }: PolicyVerdictEvent, release: Release): string {
  if (authType === 0 && !atLeast(release, '1.15')) return '';
  return `, auth: ${AUTH_TYPES[authType] ?? `Unknown-auth-type-${authType}`}`;
}

function capture(event: CaptureEvent, shown: ShownEvent, format: MonitorFormat): string {
  const prefix = capturePrefix(event, format.interfaceName);
  return prefix === '' ? '' : `${prefix}: ${connection(shown, format)}\n`;
}

function captureInDetail(event: CaptureEvent, shown: ShownEvent, format: MonitorFormat): string {
  const bytes = captureBytes(event, format.release);
  const head = `${cpuPrefix(shown.cpu)} MARK ${mark(event.hash)} FROM ${event.source} DEBUG: ${bytes} bytes`;
  const line = `${head}, ${captureMessage(event)}\n`;
  return `${SEPARATOR}${line}${body({ ...event, capturedBytes: bytes }, shown, format, format.hex)}`;
}

/** The length that is shown of a captured packet: up to 1.18 that of the whole packet. */
export function captureBytes(event: CaptureEvent, release: Release): number {
  return atLeast(release, '1.19') ? event.capturedBytes : event.originalBytes;
}

const XLATE_POINTS = ['unknown', 'pre-xlate-fwd', 'post-xlate-fwd', 'pre-xlate-rev', 'post-xlate-rev'];
const SOCKET_PROTOCOLS = ['unknown', 'tcp', 'udp'];

function traceSock(event: TraceSockEvent, cpu: number): string {
  const point = XLATE_POINTS[event.point] ?? 'unknown';
  const socket = `cgroup_id: ${event.cgroupId} sock_cookie: ${event.socketCookie}`;
  const protocol = SOCKET_PROTOCOLS[event.protocol] ?? 'unknown';
  return `${cpuPrefix(cpu)} [${point}] ${socket}, dst [${event.ip}]:${event.port} ${protocol} \n`;
}

function recorder(event: RecorderEvent, shown: ShownEvent, format: MonitorFormat): string {
  const direction = event.ingress ? 'ingress' : 'egress';
  const sizes = `caplen:${event.capturedBytes} len:${event.originalBytes}`;
  const head = `Recorder capture: dir:${direction} rule:${event.ruleId} ts:${event.bootTimeNs} ${sizes}\n`;
  return `${head}${shown.packet ? renderLayers(shown.packet, format) : ''}----\n`;
}
