import { bracketed, joinHostPort } from '../../lib/address.ts';
import { cleanPath } from '../../lib/clean-path.ts';
import { dropReasonText } from '../../model/drop-reason.ts';
import { EVENT_POLICY, type FlowRow, type FlowSide } from '../../model/flow-row.ts';
import type { LostEvent } from '../../model/hubble.gen.ts';
import { RESERVED_IDENTITIES } from '../../model/reserved-identity.ts';
import { TRACE_POINTS } from '../../model/trace-point.ts';
import { ownSequence, sanitizeCell } from '../text/sanitize.ts';
import type { TimeFormat } from './flow-time.ts';

/** How flows and events are printed. */
export interface FlowStyle {
  time: TimeFormat;
  color: boolean;
  nodeName: boolean;
  /** Pods, services and names instead of addresses. */
  translateIps: boolean;
  policyNames: boolean;
}

const BYTE = 0xff;

const EVENT_DROP = 1;
const EVENT_CAPTURE = 3;
const EVENT_TRACE = 4;
const EVENT_TRACE_SOCK = 7;

const MATCH_TYPES = ['none', 'L3-Only', 'L3-L4', 'L4-Only', 'all', 'L3-Proto', 'Proto-Only'] as const;

/** Where a socket translates addresses, by the event's subtype and, in flows without one, by the field of its own. */
const SOCK_POINTS = ['', 'pre-xlate-fwd', 'post-xlate-fwd', 'pre-xlate-rev', 'post-xlate-rev'] as const;
const SOCK_POINT_NAMES = [
  'SOCK_XLATE_POINT_UNKNOWN',
  'SOCK_XLATE_POINT_PRE_DIRECTION_FWD',
  'SOCK_XLATE_POINT_POST_DIRECTION_FWD',
  'SOCK_XLATE_POINT_PRE_DIRECTION_REV',
  'SOCK_XLATE_POINT_POST_DIRECTION_REV',
];

/** The colours by what they stand for. The sequences are the reference's own, which scripts strip. */
const COLORS = { host: 36, port: 33, identity: 35, good: 32, bad: 31, warn: 33 } as const;

function paint(color: keyof typeof COLORS, text: string): string {
  return `${ownSequence(`[${COLORS[color]}m`)}${text}${ownSequence('[0m')}`;
}

/** Makes the texts of a row safe for a terminal. What prints a row takes this for done. */
export function sanitizeRow({ values }: FlowRow): void {
  for (const [i, value] of values.entries()) {
    if (typeof value === 'string') values[i] = sanitizeCell(value);
    else if (typeof value === 'object') values[i] = value.map(sanitizeCell);
  }
}

/** One line: who, to whom, what happened. A reply is printed in the direction of its request. */
export function renderCompact(row: FlowRow, style: FlowStyle): string {
  const reversed = row.isReply === true;
  const left = reversed ? row.destination : row.source;
  const right = reversed ? row.source : row.destination;
  const arrow = row.isReply === undefined ? '<>' : reversed ? '<-' : '->';
  return `${style.time(row.time)}${nodePart(row.node, style)}: ${hostText(row, left, style)} ${identityText(left.identity, style)} ${arrow} ${hostText(row, right, style)} ${identityText(right.identity, style)} ${typeText(row)} ${verdictText(row, style)} (${summaryText(row, style)})\n`;
}

/** ` [node]`, when nodes are asked for. */
export function nodePart(node: string, style: FlowStyle): string {
  return style.nodeName ? ` [${node}]` : '';
}

/** Cells of a flow in the order of the table's columns; the node only when asked for. */
export function flowCells(row: FlowRow, style: FlowStyle): string[] {
  return [
    style.time(row.time),
    ...(style.nodeName ? [row.node] : []),
    hostText(row, row.source, style),
    hostText(row, row.destination, style),
    typeText(row),
    verdictText(row, style),
    summaryText(row, style),
  ];
}

/** An end of a flow: name or address, and the port. */
export function hostText(row: FlowRow, side: FlowSide, style: FlowStyle): string {
  if (!row.hasIp) return style.color && row.hasMac ? paint('host', side.mac) : side.mac;
  const host = hostName(side, style);
  if (!style.color) return side.port === 0 ? host : joinHostPort(host, side.port);
  if (side.port === 0) return paint('host', host);
  return paint('host', `${bracketed(host)}:${paint('port', String(side.port))}`);
}

function hostName(side: FlowSide, style: FlowStyle): string {
  if (!style.translateIps) return side.ip;
  const name = side.pod || side.service;
  if (name === '') return side.names.length > 0 ? side.names.join(',') : side.ip;
  // Where there is a service, its namespace counts for the pod too.
  const namespace = side.hasService ? side.serviceNamespace : side.namespace;
  return cleanPath(namespace === '' ? name : `${namespace}/${name}`);
}

/** The last reserved identity that is printed by its name. */
const LAST_NAMED_IDENTITY = 10;
const IDENTITY_TEXTS = RESERVED_IDENTITIES.slice(0, LAST_NAMED_IDENTITY + 1).map((name) => `(${name})`);

function identityText(identity: number, style: FlowStyle): string {
  const text = IDENTITY_TEXTS[identity] ?? `(ID:${identity})`;
  return style.color ? paint('identity', text) : text;
}

/** What kind of event it was. Points and reasons of the datapath are one byte. */
function typeText(row: FlowRow): string {
  if (row.isL7) {
    const type = row.l7Type.toLowerCase();
    if (row.isDns) return `dns-${type} ${row.dnsSource}`;
    return `${row.isHttp ? 'http' : row.isKafka ? 'kafka' : 'l7'}-${type}`;
  }
  switch (row.eventType) {
    case EVENT_TRACE:
      return TRACE_POINTS[row.eventSubType & BYTE] ?? String(row.eventSubType & BYTE);
    case EVENT_DROP:
      return dropReasonText(row.eventSubType & BYTE);
    case EVENT_POLICY:
      return `policy-verdict:${MATCH_TYPES[row.matchType] ?? 'unknown'} ${row.direction}`;
    case EVENT_CAPTURE:
      return row.capturePoint;
    case EVENT_TRACE_SOCK:
      return (
        SOCK_POINTS[row.eventSubType] || SOCK_POINTS[SOCK_POINT_NAMES.indexOf(row.sockPoint)] || row.sockPoint
      );
    default:
      return 'UNKNOWN';
  }
}

/** What became of it, and who decided. */
function verdictText(row: FlowRow, style: FlowStyle): string {
  const text = verdictWord(row) + (style.policyNames ? policyText(row) : '');
  return style.color ? paintVerdict(row.verdict, text) : text;
}

function verdictWord({ verdict, eventType }: FlowRow): string {
  if (eventType !== EVENT_POLICY) return verdict;
  switch (verdict) {
    case 'FORWARDED':
    case 'REDIRECTED':
      return 'ALLOWED';
    case 'DROPPED':
    case 'ERROR':
      return 'DENIED';
    case 'AUDIT':
      return 'AUDITED';
    default:
      return verdict;
  }
}

function paintVerdict(verdict: string, text: string): string {
  switch (verdict) {
    case 'FORWARDED':
    case 'REDIRECTED':
      return paint('good', text);
    case 'DROPPED':
    case 'ERROR':
      return paint('bad', text);
    case 'AUDIT':
    case 'TRACED':
    case 'TRANSLATED':
      return paint('warn', text);
    default:
      return text;
  }
}

function policyText({ policies }: FlowRow): string {
  const names = policies
    .filter((policy) => policy.name && policy.kind)
    .map((policy) => `${sanitizeCell(policy.name ?? '')} (${sanitizeCell(policy.kind ?? '')})`);
  return names.length > 0 ? ` BY ${names.join(', ')}` : '';
}

/** What was in the packet or request. */
function summaryText(row: FlowRow, style: FlowStyle): string {
  let text = row.summary;
  if (row.traceId !== '0') text = `IP Trace ID: ${row.traceId}; ${text}`;
  if (row.auth !== 'DISABLED') {
    const auth = style.color ? paint(row.auth === 'TEST_ALWAYS_FAIL' ? 'bad' : 'good', row.auth) : row.auth;
    text = `${text}; Auth: ${auth}`;
  }
  return text;
}

/** Line about events that never reached the reader. */
export function renderLostCompact(time: string, lost: LostEvent, style: FlowStyle): string {
  return `${style.time(time)} EVENTS LOST: ${lostSource(lost)} CPU(${lost.cpu ?? 0}) ${lost.num_events_lost ?? 0}${lostSpan(lost, style)}\n`;
}

/** Cells of lost events in the order of the table's columns. */
export function lostCells(time: string, node: string, lost: LostEvent, style: FlowStyle): string[] {
  return [
    style.time(time),
    ...(style.nodeName ? [sanitizeCell(node) || '-'] : []),
    lostSource(lost),
    '-',
    'EVENTS LOST',
    '-',
    `CPU(${lost.cpu ?? 0}) - ${lost.num_events_lost ?? 0}${lostSpan(lost, style)}`,
  ];
}

function lostSource(lost: LostEvent): string {
  return String(lost.source ?? 'UNKNOWN_LOST_EVENT_SOURCE');
}

function lostSpan({ first, last }: LostEvent, style: FlowStyle): string {
  return first === undefined || last === undefined
    ? ''
    : ` (first: ${style.time(first)}, last: ${style.time(last)})`;
}
