import { joinHostPort } from '../../lib/address.ts';
import { goQuote } from '../../lib/go-quote.ts';
import type {
  AgentEvent,
  DebugEvent,
  Endpoint,
  EndpointRegenNotification,
  EndpointUpdateNotification,
  IPCacheNotification,
  NodeStatusEvent,
  PolicyUpdateNotification,
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

/** Stands for an event that lacks what its type is about. */
const UNKNOWN = 'UNKNOWN';

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

/** What an event tells, in the part that its type is about. */
function agentEventDetails(event: AgentEvent, style: FlowStyle): string {
  switch (event.type ?? 'AGENT_EVENT_UNKNOWN') {
    case 'AGENT_EVENT_UNKNOWN':
      return event.unknown
        ? `type: ${event.unknown.type ?? ''}, notification: ${event.unknown.notification ?? ''}`
        : UNKNOWN;
    case 'AGENT_STARTED':
      return event.agent_start ? `start time: ${style.time(event.agent_start.time ?? '')}` : UNKNOWN;
    case 'POLICY_UPDATED':
    case 'POLICY_DELETED':
      return event.policy_update ? policyDetails(event.policy_update) : UNKNOWN;
    case 'ENDPOINT_REGENERATE_SUCCESS':
    case 'ENDPOINT_REGENERATE_FAILURE':
      return event.endpoint_regenerate ? regenerateDetails(event.endpoint_regenerate) : UNKNOWN;
    case 'ENDPOINT_CREATED':
    case 'ENDPOINT_DELETED':
      return event.endpoint_update ? endpointDetails(event.endpoint_update) : UNKNOWN;
    case 'IPCACHE_UPSERTED':
    case 'IPCACHE_DELETED':
      return event.ipcache_update ? ipcacheDetails(event.ipcache_update) : UNKNOWN;
    case 'SERVICE_UPSERTED':
      return event.service_upsert ? serviceDetails(event.service_upsert) : UNKNOWN;
    case 'SERVICE_DELETED':
      return event.service_delete ? `id: ${event.service_delete.id ?? 0}` : UNKNOWN;
    default:
      return UNKNOWN;
  }
}

function policyDetails({ labels = [], revision = '0', rule_count = '0' }: PolicyUpdateNotification): string {
  return `labels: [${labels.join(',')}], revision: ${revision}, count: ${rule_count}`;
}

function regenerateDetails({ id = '0', labels = [], error }: EndpointRegenNotification): string {
  return `id: ${id}, labels: [${labels.join(',')}]${error ? `, error: ${error}` : ''}`;
}

function endpointDetails({ id = '0', namespace, pod_name }: EndpointUpdateNotification): string {
  return `id: ${id}${namespace ? `, namespace: ${namespace}` : ''}${pod_name ? `, pod name: ${pod_name}` : ''}`;
}

function ipcacheDetails(update: IPCacheNotification): string {
  const { cidr = '', identity = 0, old_identity, host_ip, old_host_ip, encrypt_key = 0 } = update;
  return [
    `cidr: ${cidr}`,
    `identity: ${identity}`,
    ...(old_identity === undefined ? [] : [`old identity: ${old_identity}`]),
    ...(host_ip ? [`host ip: ${host_ip}`] : []),
    ...(old_host_ip ? [`old host ip: ${old_host_ip}`] : []),
    `encrypt key: ${encrypt_key}`,
  ].join(', ');
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
  if (namespace && pod) return `${namespace}/${pod} (ID: ${id})`;
  if (labels.length === 1 && labels[0]?.startsWith('reserved:')) return `${labels[0]} (ID: ${id})`;
  return `ID: ${id}`;
}

/** Names are listed until they fill so many bytes. */
const NAMES_WIDTH = 50;
const SEPARATOR = ', ';

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
    ['MESSAGE', event.message ? sanitizeCell(goQuote(event.message)) : 'N/A'],
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
      return `Error ${goQuote(message)} on ${count} nodes: ${names}`;
    default:
      return `unknown node status event: ${JSON.stringify({ state_change, node_names, message })}`;
  }
}

/** Joins names until they are long enough, with a separator behind each; at least one is shown. */
function listNames(names: readonly string[]): string {
  let width = 0;
  const more = names.findIndex((name, i) => {
    width += Buffer.byteLength(name) + SEPARATOR.length;
    return i > 0 && width > NAMES_WIDTH;
  });
  if (more === -1) return names.join(SEPARATOR);
  return `${names.slice(0, more).join(SEPARATOR)} (and ${names.length - more} more)`;
}
