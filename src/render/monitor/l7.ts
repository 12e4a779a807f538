import type { L7Endpoint, LogRecordEvent } from '../../model/monitor.ts';
import { sanitizeCell } from '../text/sanitize.ts';

/**
 * A request or response that a proxy saw. As in the reference the line ends with what a protocol says of it: a record of
 * an unknown protocol has no end, and the next event follows on its line.
 */
export function renderLogRecord(event: LogRecordEvent): string {
  const parts = [http(event), kafka(event), dns(event), generic(event)].filter((part) => part !== undefined);
  return sanitizeCell(introduction(event)) + parts.map((part) => `${sanitizeCell(part)}\n`).join('');
}

function introduction(event: LogRecordEvent): string {
  const request = event.flowType === 'Request';
  if (!request && event.flowType !== 'Response') return '';
  const { sourceEndpoint: source, destinationEndpoint: destination } = event;
  const arrow = { Ingress: '<-', Egress: '->' }[event.observationPoint] ?? '??';
  const ends = request
    ? `from ${endpoint(source)} to ${endpoint(destination)}`
    : `to ${endpoint(destination)} from ${endpoint(source)}`;
  const identities = `identity ${source.identity}->${destination.identity}`;
  return `${arrow} ${event.flowType} ${l7Protocol(event)} ${ends}, ${identities}, verdict ${event.verdict}`;
}

function endpoint({ id, labels }: L7Endpoint): string {
  return `${id} ([${labels.join(' ')}])`;
}

/** Name of the protocol that the proxy spoke. */
export function l7Protocol(event: LogRecordEvent): string {
  if (event.http) return 'http';
  if (event.kafka) return 'kafka';
  if (event.dns) return 'dns';
  return event.l7?.protocol ?? 'unknown-l7';
}

function http({ http: record }: LogRecordEvent): string | undefined {
  return record && ` ${record.method} ${record.url ?? ''} => ${record.code}`;
}

function kafka({ kafka: record }: LogRecordEvent): string | undefined {
  return record && ` ${record.apiKey} topic ${record.topic} => ${record.errorCode}`;
}

function dns({ dns: record, flowType }: LogRecordEvent): string | undefined {
  if (!record) return undefined;
  if (flowType !== 'Request' && flowType !== 'Response') return '';
  const types = record.queryTypes.map((type) => DNS_TYPES[type] ?? '').join(',');
  const question = ` DNS ${record.source}: ${record.query} ${types}`;
  if (flowType === 'Request') return question;
  const aliases = record.cnames.length > 0 ? ` CNAMEs: ${record.cnames.join(',')}` : '';
  return `${question} TTL: ${record.ttl} Answer: '${record.ips.join(',')}'${aliases}`;
}

function generic({ l7: record }: LogRecordEvent): string | undefined {
  if (!record) return undefined;
  const { fields = [] } = record;
  const status = fields.findLast(([key]) => key === 'status')?.[1] ?? '';
  const others = fields.filter(([key]) => key !== 'status').map(([key, value]) => ` ${key}:${value}`);
  return others.join('') + (status && ` => status:${status}`);
}

const AGENT_EVENTS = [
  'unspecified',
  'Message',
  'Cilium agent started',
  'Endpoint regenerated',
  'Failed endpoint regeneration',
  'Policy updated',
  'Policy deleted',
  'Endpoint created',
  'Endpoint deleted',
  'IPCache entry upserted',
  'IPCache entry deleted',
  'Service upserted',
  'Service deleted',
];

/** What an agent event tells of; the last two come from agents up to 1.17. */
export function agentEventName(type: number): string {
  return AGENT_EVENTS[type] ?? String(type);
}

/** Record types of DNS by number. */
const DNS_TYPES: Readonly<Record<number, string>> = {
  0: 'None',
  1: 'A',
  2: 'NS',
  3: 'MD',
  4: 'MF',
  5: 'CNAME',
  6: 'SOA',
  7: 'MB',
  8: 'MG',
  9: 'MR',
  10: 'NULL',
  12: 'PTR',
  13: 'HINFO',
  14: 'MINFO',
  15: 'MX',
  16: 'TXT',
  17: 'RP',
  18: 'AFSDB',
  19: 'X25',
  20: 'ISDN',
  21: 'RT',
  23: 'NSAP-PTR',
  24: 'SIG',
  25: 'KEY',
  26: 'PX',
  27: 'GPOS',
  28: 'AAAA',
  29: 'LOC',
  30: 'NXT',
  31: 'EID',
  32: 'NIMLOC',
  33: 'SRV',
  34: 'ATMA',
  35: 'NAPTR',
  36: 'KX',
  37: 'CERT',
  39: 'DNAME',
  41: 'OPT',
  42: 'APL',
  43: 'DS',
  44: 'SSHFP',
  46: 'RRSIG',
  47: 'NSEC',
  48: 'DNSKEY',
  49: 'DHCID',
  50: 'NSEC3',
  51: 'NSEC3PARAM',
  52: 'TLSA',
  53: 'SMIMEA',
  55: 'HIP',
  56: 'NINFO',
  57: 'RKEY',
  58: 'TALINK',
  59: 'CDS',
  60: 'CDNSKEY',
  61: 'OPENPGPKEY',
  62: 'CSYNC',
  63: 'ZONEMD',
  64: 'SVCB',
  65: 'HTTPS',
  99: 'SPF',
  100: 'UINFO',
  101: 'UID',
  102: 'GID',
  103: 'UNSPEC',
  104: 'NID',
  105: 'L32',
  106: 'L64',
  107: 'LP',
  108: 'EUI48',
  109: 'EUI64',
  249: 'TKEY',
  250: 'TSIG',
  251: 'IXFR',
  252: 'AXFR',
  253: 'MAILB',
  254: 'MAILA',
  255: 'ANY',
  256: 'URI',
  257: 'CAA',
  258: 'AVC',
  32768: 'TA',
  32769: 'DLV',
  65535: 'Reserved',
};
