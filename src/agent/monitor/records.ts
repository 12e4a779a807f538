import { formatIpv4, formatIpv6, formatIpv6Mapped } from '../../lib/address.ts';
import type {
  AgentEvent,
  HttpHeaders,
  L7Dns,
  L7Endpoint,
  L7Http,
  L7Kafka,
  LogRecordEvent,
  MonitorRecord,
} from '../../model/monitor.ts';
import { decodeGob, GobError, GobMap, type GobStruct, type GobValue } from './gob.ts';

/** A record of the monitor socket from the value that its stream holds. Throws GobError when it is something else. */
export function decodeRecord(value: GobValue): MonitorRecord {
  const record = structOf(value);
  const lost = record.get('Lost');
  return {
    type: numberOf(record.get('Type')),
    cpu: numberOf(record.get('CPU')),
    lost: typeof lost === 'bigint' ? lost : numberOf(lost),
    data: bytesOf(record.get('Data')),
  };
}

/** The record that a proxy wrote about a request or response. */
export function decodeLogRecord(bytes: Uint8Array): LogRecordEvent {
  const record = structOf(decodeGob(bytes));
  const sourceEndpoint = endpointOf(record.get('SourceEndpoint'));
  const destinationEndpoint = endpointOf(record.get('DestinationEndpoint'));
  const l7 = record.get('L7');
  return {
    kind: 'l7',
    source: sourceEndpoint.id & 0xffff,
    target: destinationEndpoint.id & 0xffff,
    flowType: stringOf(record.get('Type')),
    observationPoint: stringOf(record.get('ObservationPoint')),
    verdict: stringOf(record.get('Verdict')),
    sourceEndpoint,
    destinationEndpoint,
    http: when(record.get('HTTP'), httpOf),
    kafka: when(record.get('Kafka'), kafkaOf),
    knowsKafka: describes(bytes, 'Kafka'),
    dns: when(record.get('DNS'), (dns) =>
      dnsOf(dns, describes(bytes, 'Addr') ? formatIpv6Mapped : formatIpv6),
    ),
    l7: when(l7, l7Of),
  };
}

/** Whether a field or type of this name, which stands behind its length, is among the descriptions before a record. */
function describes(bytes: Uint8Array, name: string): boolean {
  const length = String.fromCharCode(name.length);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(length + name);
}

/** A notice of the agent about itself. */
export function decodeAgentNotice(bytes: Uint8Array): AgentEvent {
  const notice = structOf(decodeGob(bytes));
  return {
    kind: 'agent',
    source: 0,
    target: 0,
    type: numberOf(notice.get('Type')),
    text: stringOf(notice.get('Text')),
  };
}

function endpointOf(value: GobValue): L7Endpoint {
  const endpoint = value === undefined ? new Map<string, GobValue>() : structOf(value);
  return {
    id: numberOf(endpoint.get('ID')),
    identity: numberOf(endpoint.get('Identity')),
    ipv4: stringOf(endpoint.get('IPv4')),
    ipv6: stringOf(endpoint.get('IPv6')),
    port: numberOf(endpoint.get('Port')),
    labels: listOf(endpoint.get('Labels')).map(labelOf),
  };
}

/** A label: text up to 1.17, a struct of source, key and value in 1.20. */
function labelOf(value: GobValue): string {
  if (typeof value === 'string') return value;
  const label = structOf(value);
  const assigned = stringOf(label.get('Value'));
  return `${stringOf(label.get('Source'))}:${stringOf(label.get('Key'))}${assigned && `=${assigned}`}`;
}

function httpOf(http: GobStruct): L7Http {
  const url = http.get('URL');
  return {
    code: numberOf(http.get('Code')),
    method: stringOf(http.get('Method')),
    url: url === undefined ? undefined : textOf(url),
    protocol: stringOf(http.get('Protocol')),
    headers: headersOf(http.get('Headers')),
    missingHeaders: headersOf(http.get('MissingHeaders')),
    rejectedHeaders: headersOf(http.get('RejectedHeaders')),
  };
}

function l7Of(l7: GobStruct): NonNullable<LogRecordEvent['l7']> {
  const fields = l7.get('Fields');
  return {
    protocol: stringOf(l7.get('Proto')),
    fields:
      fields === undefined
        ? undefined
        : entriesOf(fields).map(([key, field]) => [stringOf(key), stringOf(field)]),
  };
}

function headersOf(value: GobValue): HttpHeaders | undefined {
  if (value === undefined) return undefined;
  return entriesOf(value).map(([name, values]) => [stringOf(name), listOf(values).map(stringOf)]);
}

function kafkaOf(kafka: GobStruct): L7Kafka {
  const topic = kafka.get('Topic');
  return {
    errorCode: numberOf(kafka.get('ErrorCode')),
    apiVersion: numberOf(kafka.get('APIVersion')),
    apiKey: stringOf(kafka.get('APIKey')),
    correlationId: numberOf(kafka.get('CorrelationID')),
    topic: topic === undefined ? '' : stringOf(structOf(topic).get('Topic')),
  };
}

function dnsOf(dns: GobStruct, ipv6: (bytes: Uint8Array) => string): L7Dns {
  return {
    query: stringOf(dns.get('Query')),
    ips: listOf(dns.get('IPs')).map((ip) => ipOf(ip, ipv6)),
    ttl: numberOf(dns.get('TTL')),
    cnames: listOf(dns.get('CNAMEs')).map(stringOf),
    source: stringOf(dns.get('ObservationSource')),
    rcode: numberOf(dns.get('RCode')),
    queryTypes: listOf(dns.get('QTypes')).map(numberOf),
    answerTypes: listOf(dns.get('AnswerTypes')).map(numberOf),
  };
}

/**
 * An address: its bytes, from 1.17 on followed by the zone of an IPv6 one. Since then (the type's name is Addr) a mapped
 * IPv4 address is shown as `::ffff:10.0.0.1`.
 */
function ipOf(value: GobValue, ipv6: (bytes: Uint8Array) => string): string {
  if (typeof value === 'string') return value;
  const bytes = bytesOf(value);
  if (bytes.length === 4) return formatIpv4(bytes);
  if (bytes.length < 16) return bytes.length === 0 ? 'invalid IP' : textOf(bytes);
  const zone = textOf(bytes.subarray(16));
  return ipv6(bytes) + (zone && `%${zone}`);
}

function when<T>(value: GobValue, read: (struct: GobStruct) => T): T | undefined {
  return value === undefined ? undefined : read(structOf(value));
}

function structOf(value: GobValue): GobStruct {
  if (value instanceof Map) return value;
  throw new GobError('a struct was expected');
}

function entriesOf(value: GobValue): GobMap['entries'] {
  if (value === undefined) return [];
  if (value instanceof GobMap) return value.entries;
  throw new GobError('a map was expected');
}

function listOf(value: GobValue): readonly GobValue[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value;
  throw new GobError('a list was expected');
}

function stringOf(value: GobValue): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return value;
  throw new GobError('a string was expected');
}

/** A number; one beyond 2^53 loses its low digits, which no field here can reach. */
function numberOf(value: GobValue): number {
  if (value === undefined) return 0;
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value);
  throw new GobError('a number was expected');
}

const NO_BYTES = new Uint8Array(0);

function bytesOf(value: GobValue): Uint8Array {
  if (value === undefined) return NO_BYTES;
  if (value instanceof Uint8Array) return value;
  throw new GobError('bytes were expected');
}

/** Text that may have come as bytes. */
function textOf(value: GobValue): string {
  return typeof value === 'string' ? value : Buffer.from(bytesOf(value)).toString('utf8');
}
