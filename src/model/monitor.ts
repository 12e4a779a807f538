import type { PacketKind } from './packet.ts';
import { atLeast, type Release } from './release.ts';

/** Kinds of monitor events that can be asked for, with the number by which a datapath event names its kind. */
export const EVENT_TYPES = {
  agent: 130,
  capture: 3,
  debug: 2,
  drop: 1,
  l7: 129,
  'policy-verdict': 5,
  trace: 4,
  'trace-sock': 7,
} as const;

/** The kinds of events that the monitor of a release knows, with their numbers, sorted by name. */
export function eventTypesOf(release: Release): Readonly<Record<string, number>> {
  const { agent, capture, debug, drop, l7, 'policy-verdict': verdict, trace, ...sockets } = EVENT_TYPES;
  return {
    ...{ agent, capture, debug, drop, l7, 'policy-verdict': verdict },
    ...(!atLeast(release, '1.19') && { recorder: 6 }),
    trace,
    ...(atLeast(release, '1.13') && sockets),
  };
}

/** A record of the agent's monitor socket. */
export interface MonitorRecord {
  /** 9 a sample, 2 a count of lost ones (the numbers of perf's own records). */
  type: number;
  cpu: number;
  lost: number | bigint;
  data: Uint8Array;
}

interface EventBase {
  /** Endpoint that the program belongs to. */
  source: number;
  /** What --to and --related-to compare with. */
  target: number;
}

interface CapturedEvent extends EventBase {
  /** The flow's hash. */
  hash: number;
  originalBytes: number;
  capturedBytes: number;
  /** The captured bytes, with the padding that perf adds. */
  packet: Uint8Array;
  packetKind: PacketKind;
}

export interface DropEvent extends CapturedEvent {
  kind: 'drop';
  reason: number;
  extError: number;
  sourceIdentity: number;
  destinationIdentity: number;
  destinationEndpoint: number;
  line: number;
  /** Number of the source file; 0 where the agent does not say (1.9). */
  file: number;
  ifindex: number;
  /**
   * The form of the event: 0 ends before the place in the source (up to 1.11), that of 1.12 before the interface; 1 to 3
   * are the agent's own versions.
   */
  layout: 0 | '1.12' | 1 | 2 | 3;
  /** 0 where the packet has none, undefined where the agent does not say (up to 1.17). */
  ipTraceId: bigint | undefined;
}

export interface TraceEvent extends CapturedEvent {
  kind: 'trace';
  point: number;
  /** Connection state; bit 7 says that the packet is encrypted. */
  reason: number;
  sourceIdentity: number;
  destinationIdentity: number;
  /** Endpoint, or proxy port for to-proxy. */
  destination: number;
  ifindex: number;
  /** Source address before translation; all zeros where there is none. A mapped IPv4 one is `::ffff:10.0.0.1`. */
  originalIp: string;
  ipTraceId: bigint | undefined;
  /** The version of the event's form: 2 since 1.19. */
  layout: number;
}

export interface PolicyVerdictEvent extends CapturedEvent {
  kind: 'policy-verdict';
  remoteIdentity: number;
  /** Negative a drop reason, 0 allowed, positive a proxy port. */
  verdict: number;
  protocol: number;
  ingress: boolean;
  audited: boolean;
  matchType: number;
  /** 0 where none was asked for, and where the agent does not say (up to 1.14). */
  authType: number;
  /** Whether the form has the cookie that came with 1.19. */
  hasCookie: boolean;
}

export interface CaptureEvent extends CapturedEvent {
  kind: 'capture';
  subtype: number;
  arg1: number;
}

export interface DebugEvent extends EventBase {
  kind: 'debug';
  subtype: number;
  hash: number;
  arg1: number;
  arg2: number;
  arg3: number;
}

export interface TraceSockEvent {
  kind: 'trace-sock';
  point: number;
  protocol: number;
  ip: string;
  port: number;
  socketCookie: bigint;
  cgroupId: bigint;
  /** Whether the form is the packed one, which ended with 1.19. */
  packed: boolean;
}

/** A packet of the capture recorder, which agents up to 1.17 have. */
export interface RecorderEvent extends EventBase {
  kind: 'recorder';
  ingress: boolean;
  ruleId: number;
  bootTimeNs: bigint;
  capturedBytes: number;
  originalBytes: number;
  packet: Uint8Array;
}

export interface L7Endpoint {
  id: number;
  identity: number;
  ipv4: string;
  ipv6: string;
  port: number;
  labels: readonly string[];
}

export interface L7Http {
  code: number;
  method: string;
  /** Undefined where the record has no URL. */
  url: string | undefined;
  protocol: string;
  headers: HttpHeaders | undefined;
  missingHeaders: HttpHeaders | undefined;
  rejectedHeaders: HttpHeaders | undefined;
}

export type HttpHeaders = readonly (readonly [name: string, values: readonly string[]])[];

export interface L7Kafka {
  errorCode: number;
  apiVersion: number;
  apiKey: string;
  correlationId: number;
  topic: string;
}

export interface L7Dns {
  query: string;
  ips: readonly string[];
  ttl: number;
  cnames: readonly string[];
  source: string;
  rcode: number;
  queryTypes: readonly number[];
  answerTypes: readonly number[];
}

/** A request or response that a proxy saw. */
export interface LogRecordEvent extends EventBase {
  kind: 'l7';
  /** `Request`, `Response` or `Sample`. */
  flowType: string;
  /** `Ingress` or `Egress`. */
  observationPoint: string;
  verdict: string;
  sourceEndpoint: L7Endpoint;
  destinationEndpoint: L7Endpoint;
  http: L7Http | undefined;
  kafka: L7Kafka | undefined;
  /** Whether the agent's records have room for Kafka, which they lost with 1.20. */
  knowsKafka: boolean;
  dns: L7Dns | undefined;
  /** `fields` is undefined where the record has none at all. */
  l7: { protocol: string; fields: readonly (readonly [string, string])[] | undefined } | undefined;
}

/** Something that the agent itself tells. */
export interface AgentEvent extends EventBase {
  kind: 'agent';
  type: number;
  /** JSON text. */
  text: string;
}

/** An event whose kind is unknown here. */
export interface UnknownEvent {
  kind: 'unknown';
  data: Uint8Array;
}

/** An event that is too short, or in a form from a later version. */
export interface BrokenEvent {
  kind: 'broken';
  type: number;
  error: string;
}

export type MonitorEvent =
  | DropEvent
  | TraceEvent
  | PolicyVerdictEvent
  | CaptureEvent
  | DebugEvent
  | TraceSockEvent
  | RecorderEvent
  | LogRecordEvent
  | AgentEvent
  | UnknownEvent
  | BrokenEvent;
