import type { IncomingHttpHeaders, RequestListener, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import protobuf from 'protobufjs';

/** The request of OTLP for logs, with the numbers of opentelemetry-proto. */
const PROTO = `
syntax = "proto3";
message Value { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4;
  Values array_value = 5; Pairs kvlist_value = 6; bytes bytes_value = 7; } }
message Values { repeated Value values = 1; }
message Pairs { repeated Pair values = 1; }
message Pair { string key = 1; Value value = 2; }
message Resource { repeated Pair attributes = 1; uint32 dropped_attributes_count = 2; }
message Scope { string name = 1; string version = 2; }
message Log { fixed64 time_unix_nano = 1; int32 severity_number = 2; string severity_text = 3; Value body = 5;
  repeated Pair attributes = 6; uint32 dropped_attributes_count = 7; fixed32 flags = 8; bytes trace_id = 9; bytes span_id = 10;
  fixed64 observed_time_unix_nano = 11; string event_name = 12; }
message ScopeLogs { Scope scope = 1; repeated Log log_records = 2; string schema_url = 3; }
message ResourceLogs { Resource resource = 1; repeated ScopeLogs scope_logs = 2; string schema_url = 3; }
message Request { repeated ResourceLogs resource_logs = 1; }
message PartialSuccess { int64 rejected_log_records = 1; string error_message = 2; }
message Response { PartialSuccess partial_success = 1; }
`;
const { root } = protobuf.parse(PROTO);

interface Value {
  stringValue?: string;
  boolValue?: boolean;
  intValue?: string | number;
  doubleValue?: number;
  arrayValue?: { values?: Value[] };
  kvlistValue?: { values?: Pair[] };
}
interface Pair {
  key: string;
  value?: Value;
}

/** A record as a collector has it. */
export interface Received {
  time: string;
  observed: string;
  severity: string;
  severityNumber: number;
  event: string;
  body: unknown;
  attributes: Record<string, unknown>;
  resource: Record<string, unknown>;
  scope: string;
  /** In hexadecimal. */
  traceId: string;
}

/** A collector on a real socket. */
export interface Collector extends AsyncDisposable {
  /** Value of --endpoint. */
  endpoint: string;
  requests: { path: string; headers: IncomingHttpHeaders; records: Received[] }[];
  /** The records of all requests that were answered with success. */
  taken: Received[];
}

/** What it says to a request; success without. */
export interface CollectorAnswer {
  status?: number;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  partial?: { rejected: number; message: string };
  /** Takes over: to hang, to break off. */
  raw?: (response: ServerResponse) => void;
}

/** Serves OTLP for logs over HTTP, in both encodings. */
export async function serveCollector(
  answer: (records: Received[], nth: number) => CollectorAnswer | Promise<CollectorAnswer> = () => ({}),
  tls?: ServerOptions,
): Promise<Collector> {
  const requests: Collector['requests'] = [];
  const taken: Received[] = [];
  const listener: RequestListener = async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const type = request.headers['content-type'] ?? '';
    const records = recordsOf(Buffer.concat(parts), type, request.headers['content-encoding']);
    requests.push({ path: request.url ?? '', headers: request.headers, records });
    const { status = 200, headers = {}, body, partial, raw } = await answer(records, requests.length);
    if (raw) return raw(response);
    if (status === 200) taken.push(...records);
    response.writeHead(status, { 'content-type': type, ...headers });
    response.end(body ?? responseOf(type, partial));
  };
  const server = tls ? createSecureServer(tls, listener) : createServer(listener);
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    requests,
    taken,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function responseOf(type: string, partial: CollectorAnswer['partial']): string | Uint8Array {
  const message = partial && {
    partialSuccess: { rejectedLogRecords: partial.rejected, errorMessage: partial.message },
  };
  if (type === 'application/json') return JSON.stringify(message ?? { partialSuccess: null });
  const of = root.lookupType('Response');
  return of.encode(of.fromObject(message ?? {})).finish();
}

/** A request as both encodings have it. */
interface ExportRequest {
  resourceLogs?: {
    resource?: { attributes?: Pair[] };
    scopeLogs?: { scope?: { name?: string }; logRecords?: Log[] }[];
  }[];
}
interface Log {
  timeUnixNano?: string;
  observedTimeUnixNano?: string;
  severityText: string;
  severityNumber: number;
  eventName: string;
  body?: Value;
  attributes?: Pair[];
  traceId?: string;
}

function recordsOf(bytes: Buffer, type: string, encoding: string | undefined): Received[] {
  const plain = encoding === 'gzip' ? gunzipSync(bytes) : bytes;
  const isJson = type === 'application/json';
  const of = root.lookupType('Request');
  const request: ExportRequest = isJson
    ? JSON.parse(plain.toString())
    : of.toObject(of.decode(plain), { longs: String, bytes: String });
  return (request.resourceLogs ?? []).flatMap(({ resource, scopeLogs = [] }) =>
    scopeLogs.flatMap(({ scope, logRecords = [] }) =>
      logRecords.map((log) => ({
        time: String(log.timeUnixNano),
        observed: String(log.observedTimeUnixNano),
        severity: log.severityText,
        severityNumber: log.severityNumber,
        event: log.eventName,
        body: plainOf(log.body ?? {}),
        attributes: plainPairs(log.attributes ?? []),
        resource: plainPairs(resource?.attributes ?? []),
        scope: scope?.name ?? '',
        traceId: isJson ? (log.traceId ?? '') : hexOf(log.traceId ?? ''),
      })),
    ),
  );
}

function hexOf(base64: string): string {
  return Buffer.from(base64, 'base64').toString('hex');
}

function plainPairs(pairs: Pair[]): Record<string, unknown> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, plainOf(value ?? {})]));
}

function plainOf(value: Value): unknown {
  if (value.arrayValue) return (value.arrayValue.values ?? []).map(plainOf);
  if (value.kvlistValue) return plainPairs(value.kvlistValue.values ?? []);
  if (value.intValue !== undefined) return Number(value.intValue);
  return value.stringValue ?? value.boolValue ?? value.doubleValue;
}
