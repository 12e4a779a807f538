import { type AnyValue, type HrTime, SeverityNumber, type SpanContext } from '@opentelemetry/api';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { parseTimestamp } from '../../lib/timestamp.ts';
import type { Flow, GetFlowsResponse, LostEvent } from '../../model/hubble.gen.ts';
import { COLUMNS, type ColumnValue } from '../columns.ts';

/** A record with about how many bytes it has on the way. */
export interface SizedRecord {
  record: ReadableLogRecord;
  bytes: number;
}

/** What all records have in common. */
export interface RecordMakerOptions {
  /** Attributes of the resource, beside the node and its cluster. */
  resource: Readonly<Record<string, string>>;
  version: string;
  nowMs: () => number;
}

/** Names of what records tell, in the field for it. */
const FLOW_EVENT = 'hubble.flow';
const LOST_EVENT = 'hubble.lost_events';

/** Attributes of lost events: how many, where, and of which CPU where that is known. */
const LOST_ATTRIBUTES = {
  'hubble.lost.events': ({ num_events_lost: count }: LostEvent) => attributeOf(BigInt(count ?? 0)),
  'hubble.lost.source': ({ source }: LostEvent) => String(source ?? 'UNKNOWN_LOST_EVENT_SOURCE'),
  'hubble.lost.cpu': ({ cpu }: LostEvent) => cpu,
};

/** Names of all attributes that a record may have. */
export const ATTRIBUTE_NAMES: readonly string[] = [
  ...COLUMNS.flatMap(({ attribute }) => attribute ?? []),
  ...Object.keys(LOST_ATTRIBUTES),
];

/** Resources that are kept: each record of a node has the same, by which records are grouped. */
const MOST_RESOURCES = 10_000;
/** Bytes of a record beside its texts. */
const FRAME_BYTES = 100;
/** Nanoseconds since the epoch are 64 bits on the way. */
const LAST_SECOND = 18_446_744_072;

const ATTRIBUTES = COLUMNS.flatMap(({ name, attribute, read }) =>
  attribute === undefined ? [] : [{ attribute, read, isLower: name === 'protocol' }],
);

/** Makes records of OpenTelemetry's logs of what a Hubble server says. */
export class RecordMaker {
  readonly #resources = new Map<string, Resource>();
  readonly #scope: { name: string; version: string };

  constructor(private readonly options: RecordMakerOptions) {
    this.#scope = { name: 'hubble', version: options.version };
  }

  /** The record of a flow or of lost events, with this body; undefined for what is neither. */
  make(message: GetFlowsResponse, body: string | Flow): SizedRecord | undefined {
    const { flow, lost_events: lost } = message;
    if (flow) return this.#ofFlow(flow, message, body);
    return lost ? this.#ofLost(lost, message, body) : undefined;
  }

  #ofFlow(flow: Flow, message: GetFlowsResponse, body: string | Flow): SizedRecord {
    const attributes: Record<string, AnyValue> = {};
    for (const { attribute, read, isLower } of ATTRIBUTES) {
      const value = attributeOf(read(flow));
      if (value === undefined) continue;
      attributes[attribute] = isLower ? String(value).toLowerCase() : value;
    }
    const isBad = flow.verdict === 'DROPPED' || flow.verdict === 'ERROR';
    const span = spanOf(flow);
    return this.#record(flow.time ?? message.time, flow.node_name ?? message.node_name, {
      ...severity(isBad),
      ...(span && { spanContext: span }),
      eventName: FLOW_EVENT,
      body: wellFormed(body),
      attributes,
    });
  }

  #ofLost(lost: LostEvent, message: GetFlowsResponse, body: string | Flow): SizedRecord {
    const attributes: Record<string, AnyValue> = {};
    for (const [name, read] of Object.entries(LOST_ATTRIBUTES)) {
      const value = read(lost);
      if (value !== undefined) attributes[name] = value;
    }
    return this.#record(message.time, message.node_name, {
      ...severity(true),
      eventName: LOST_EVENT,
      body: wellFormed(body),
      attributes,
    });
  }

  #record(
    time: string | undefined,
    node: string | undefined,
    told: Pick<
      ReadableLogRecord,
      'severityNumber' | 'severityText' | 'eventName' | 'body' | 'attributes' | 'spanContext'
    >,
  ): SizedRecord {
    const nowMs = this.options.nowMs();
    const record: ReadableLogRecord = {
      ...told,
      hrTime: hrTimeOf(time),
      hrTimeObserved: [Math.floor(nowMs / 1000), (nowMs % 1000) * 1e6],
      resource: this.#resourceOf(node ?? ''),
      instrumentationScope: this.#scope,
      droppedAttributesCount: 0,
    };
    return { record, bytes: FRAME_BYTES + sizeOf(told.body) + sizeOf(told.attributes) };
  }

  /** Hubble names a node with its cluster in front: `cluster/node`. */
  #resourceOf(name: string): Resource {
    const known = this.#resources.get(name);
    if (known) return known;
    if (this.#resources.size >= MOST_RESOURCES) this.#resources.clear();
    const at = name.lastIndexOf('/');
    const [cluster, node] = [name.slice(0, Math.max(at, 0)), name.slice(at + 1)];
    const resource = resourceFromAttributes({
      ...this.options.resource,
      ...(cluster !== '' && { 'k8s.cluster.name': cluster.toWellFormed() }),
      ...(node !== '' && { 'k8s.node.name': node.toWellFormed() }),
    });
    this.#resources.set(name, resource);
    return resource;
  }
}

function severity(isBad: boolean): Pick<ReadableLogRecord, 'severityNumber' | 'severityText'> {
  return isBad
    ? { severityNumber: SeverityNumber.WARN, severityText: 'WARN' }
    : { severityNumber: SeverityNumber.INFO, severityText: 'INFO' };
}

/** 0 means that it is not known. */
function hrTimeOf(text: string | undefined): HrTime {
  const time = text === undefined ? undefined : parseTimestamp(text);
  if (!time || time.seconds < 0 || time.seconds > LAST_SECOND) return [0, 0];
  return [time.seconds, time.nanos];
}

/** The trace that an HTTP request of the flow belongs to; of the span nothing is known. */
function spanOf({ trace_context: context }: Flow): SpanContext | undefined {
  const traceId = context?.parent?.trace_id?.toLowerCase();
  if (traceId === undefined || !/^(?!0+$)[0-9a-f]{32}$/.test(traceId)) return undefined;
  return { traceId, spanId: '', traceFlags: 0 };
}

function attributeOf(value: ColumnValue): AnyValue {
  switch (typeof value) {
    case 'string':
      return value.toWellFormed();
    case 'bigint':
      return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
    case 'object':
      return value instanceof Date ? value.toISOString() : value.map((item) => String(item).toWellFormed());
    default:
      return value;
  }
}

/** The same value, of which every text can be written as UTF-8. What is not set is left out. */
function wellFormed(value: unknown): AnyValue {
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return attributeOf(value);
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) =>
      item === undefined ? [] : [[key.toWellFormed(), wellFormed(item)]],
    ),
  );
}

function sizeOf(value: AnyValue): number {
  if (typeof value === 'string') return value.length + 4;
  if (typeof value !== 'object' || value === null) return 10;
  let bytes = 4;
  for (const [key, item] of Object.entries(value)) bytes += key.length + 8 + sizeOf(item as AnyValue);
  return bytes;
}
