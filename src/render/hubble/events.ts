import { joinHostPort } from '../../lib/address.ts';
import type {
  AgentEvent,
  DebugEvent,
  Endpoint,
  NodeStatusEvent,
  ServiceUpsertNotification,
  ServiceUpsertNotificationAddr,
} from '../../model/hubble.gen.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { type FlowStyle, nodePart } from './flow.ts';
import { renderPairs } from './flow-records.ts';

/** An event of the agent or of the datapath's debugging, ready for each format. */
export interface EventRecord {
  compact: string;
  /** Key and value, for the dict format. */
  pairs: readonly (readonly [key: string, value: string])[];
  /** In the order of the headers, for the table. */
  cells: readonly string[];
}

export const AGENT_EVENT_HEADERS = ['TYPE', 'DETAILS'];
/** The fifth column has no name: the reference's own table has an empty one there. */
export const DEBUG_EVENT_HEADERS = ['FROM', '', 'TYPE', 'CPU/MARK', 'MESSAGE'];

/** What every event has. */
interface Envelope {
  time: string;
  node: string;
}

/** An agent event in every format. */
export function agentEventRecord(at: Envelope, event: AgentEvent, style: FlowStyle): EventRecord {
  const type = String(event.type ?? 'AGENT_EVENT_UNKNOWN');
  const details = sanitizeCell(agentEventDetails(event, style));
  return {
    compact: `${style.time(at.time)}${nodePart(sanitizeCell(at.node), style)}: ${type} (${details})\n`,
    pairs: [...head(at, style), ['TYPE', type], ['DETAILS', details]],
    cells: [...head(at, style).map(([, value]) => value), type, details],
  };
}

function head(at: Envelope, style: FlowStyle): (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = [['TIMESTAMP', style.time(at.time)]];
  if (style.nodeName) pairs.push(['NODE', sanitizeCell(at.node)]);
  return pairs;
}

function agentEventDetails(event: AgentEvent, style: FlowStyle): string {
  if (event.unknown)
    return `type: ${event.unknown.type ?? ''}, notification: ${event.unknown.notification ?? ''}`;
  if (event.agent_start) return `start time: ${style.time(event.agent_start.time ?? '')}`;
  if (event.policy_update) {
    const { labels = [], revision = '0', rule_count = '0' } = event.policy_update;
    return `labels: [${labels.join(',')}], revision: ${revision}, count: ${rule_count}`;
  }
  if (event.endpoint_regenerate) {
    const { id = '0', labels = [], error } = event.endpoint_regenerate;
    return `id: ${id}, labels: [${labels.join(',')}]${error ? `, error: ${error}` : ''}`;
  }
  if (event.endpoint_update) {
    const { id = '0', namespace, pod_name } = event.endpoint_update;
    return `id: ${id}${namespace ? `, namespace: ${namespace}` : ''}${pod_name ? `, pod name: ${pod_name}` : ''}`;
  }
  if (event.ipcache_update) {
    const {
      cidr = '',
      identity = 0,
      old_identity,
      host_ip,
      old_host_ip,
      encrypt_key = 0,
    } = event.ipcache_update;
    return [
      `cidr: ${cidr}`,
      `identity: ${identity}`,
      ...(old_identity === undefined ? [] : [`old identity: ${old_identity}`]),
      ...(host_ip ? [`host ip: ${host_ip}`] : []),
      ...(old_host_ip ? [`old host ip: ${old_host_ip}`] : []),
      `encrypt key: ${encrypt_key}`,
    ].join(', ');
  }
  if (event.service_upsert) return serviceDetails(event.service_upsert);
  if (event.service_delete) return `id: ${event.service_delete.id ?? 0}`;
  return 'UNKNOWN';
}

function serviceDetails(service: ServiceUpsertNotification): string {
  const { id = 0, frontend_address, backend_addresses = [], type, traffic_policy, namespace, name } = service;
  return [
    `id: ${id}`,
    ...(frontend_address ? [`frontend: ${address(frontend_address)}`] : []),
    ...(backend_addresses.length > 0 ? [`backends: [${backend_addresses.map(address).join(',')}]`] : []),
    ...(type ? [`type: ${type}`] : []),
    ...(traffic_policy ? [`traffic policy: ${traffic_policy}`] : []),
    ...(namespace ? [`namespace: ${namespace}`] : []),
    ...(name ? [`name: ${name}`] : []),
  ].join(', ');
}

function address({ ip = '', port = 0 }: ServiceUpsertNotificationAddr): string {
  return joinHostPort(ip, port);
}

/** A debug event of the datapath in every format. */
export function debugEventRecord(at: Envelope, event: DebugEvent, style: FlowStyle): EventRecord {
  const type = String(event.type ?? 'DBG_EVENT_UNKNOWN');
  const from = sanitizeCell(debugSource(event.source));
  const mark = event.hash === undefined ? 'N/A' : `0x${event.hash.toString(16)}`;
  const cpu = event.cpu === undefined ? 'N/A' : String(event.cpu).padStart(2, '0');
  const message = sanitizeCell(event.message ?? '');
  return {
    compact: `${style.time(at.time)}${nodePart(sanitizeCell(at.node), style)}: ${from} ${type} MARK: ${mark} CPU: ${cpu} (${message})\n`,
    pairs: [
      ...head(at, style),
      ['TYPE', type],
      ['FROM', from],
      ['MARK', mark],
      ['CPU', cpu],
      ['MESSAGE', message],
    ],
    cells: [...head(at, style).map(([, value]) => value), from, '', type, `${cpu} ${mark}`, message],
  };
}

function debugSource(source: Endpoint | undefined): string {
  if (source === undefined) return 'N/A';
  const { ID: id = 0, namespace, pod_name: pod, labels = [] } = source;
  if (pod) return `${namespace ? `${namespace}/` : ''}${pod} (ID: ${id})`;
  if (labels.length === 1 && labels[0]?.startsWith('reserved:')) return `${labels[0]} (ID: ${id})`;
  return id === 0 ? 'N/A' : `ID: ${id}`;
}

/** Names are listed until they fill so many characters. */
const NAMES_WIDTH = 50;

/** `[node]: Receiving flows from 2 nodes: a, b`, for the terminal. */
export function renderNodeStatus(at: Envelope, event: NodeStatusEvent, style: FlowStyle): string {
  return `${style.time(at.time)} [${sanitizeCell(at.node)}]: ${sanitizeCell(nodeStatusText(event))}\n`;
}

/** The same, one fact per line. */
export function renderNodeStatusDict(at: Envelope, event: NodeStatusEvent, style: FlowStyle): string {
  return renderPairs([
    ['TIMESTAMP', style.time(at.time)],
    ['STATE', String(event.state_change ?? 'UNKNOWN_NODE_STATE')],
    ['NODES', sanitizeCell(listNames(event.node_names ?? []))],
    ['MESSAGE', event.message ? sanitizeCell(JSON.stringify(event.message)) : 'N/A'],
  ]);
}

function nodeStatusText({ state_change, node_names = [], message = '' }: NodeStatusEvent): string {
  const names = listNames(node_names);
  const count = node_names.length;
  switch (state_change) {
    case 'NODE_CONNECTED':
      return `Receiving flows from ${count} nodes: ${names}`;
    case 'NODE_UNAVAILABLE':
      return `${count} nodes are unavailable: ${names}`;
    case 'NODE_GONE':
      return `${count} nodes removed from cluster: ${names}`;
    case 'NODE_ERROR':
      return `Error ${JSON.stringify(message)} on ${count} nodes: ${names}`;
    default:
      return `unknown node status event: ${JSON.stringify({ state_change, node_names, message })}`;
  }
}

/** Joins names until they are long enough; at least one is shown. */
function listNames(names: readonly string[]): string {
  let text = '';
  for (const [i, name] of names.entries()) {
    const next = i === 0 ? name : `${text}, ${name}`;
    if (i > 0 && next.length > NAMES_WIDTH) return `${text} (and ${names.length - i} more)`;
    text = next;
  }
  return text;
}
