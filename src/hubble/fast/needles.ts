import type { FlowFilter } from '../../model/hubble.gen.ts';

/** What a line must hold for a filter to match its flow. A line that holds none of it need not be read. */
export interface Needles {
  /** One of these texts. */
  texts: readonly string[];
  /**
   * Fields that JSON may hold as a number instead of a name, which no text would find: a line that gives one of
   * them anything but a text has to be read.
   */
  enums: readonly string[];
  /**
   * The texts are found in every spelling of JSON that has no backslash. Otherwise they are those of canonical
   * lines alone.
   */
  anySpelling: boolean;
}

/** The needles of a list of filters; undefined when some filter has none, or when there are too many. */
export function needlesOf(allow: readonly FlowFilter[]): Needles | undefined {
  if (allow.length === 0) return undefined;
  const found: Needle[] = [];
  for (const filter of allow) {
    const best = bestOf(filter);
    if (best === undefined) return undefined;
    found.push(...best);
  }
  const texts = [...new Set(found.map(({ text }) => text))];
  if (texts.length === 0 || texts.length > MOST_NEEDLES) return undefined;
  return {
    texts,
    enums: [...new Set(found.flatMap(({ key }) => key ?? []))],
    anySpelling: found.every(({ canonicalOnly }) => !canonicalOnly),
  };
}

/** Each needle is a walk over the text: with many of them reading the lines is cheaper. */
const MOST_NEEDLES = 8;

interface Needle {
  text: string;
  /** Name of the field, when it is an enum. */
  key?: string;
  canonicalOnly?: boolean;
}

/** The needles of the first field that has some for each of its values. */
function bestOf(filter: FlowFilter): readonly Needle[] | undefined {
  for (const [field, needles] of NEEDLES) {
    const values: unknown = filter[field];
    if (!Array.isArray(values) || values.length === 0) continue;
    const found = values.map((value: unknown) => needles(value));
    if (found.every((each) => each !== undefined)) return found.flat();
  }
  return undefined;
}

/** The needles of one value; undefined when there are none for it. */
type NeedlesOf = (value: unknown) => readonly Needle[] | undefined;

/** Text that JSON has only one spelling of, backslashes aside. */
const SAFE = /^[\w .:@+=-]+$/;

/** A whole text. Without the quote in front, as that is too frequent a byte to look for. */
const whole: NeedlesOf = (value) =>
  typeof value === 'string' && SAFE.test(value) ? [{ text: `${value}"` }] : undefined;

const named =
  (key: string): NeedlesOf =>
  (value) =>
    typeof value === 'string' && /^\w+$/.test(value) && !ZERO_NAMES.has(value)
      ? [{ text: `${value}"`, key }]
      : undefined;

/** Names of the value 0, which JSON leaves out. */
const ZERO_NAMES: ReadonlySet<string> = new Set(['VERDICT_UNKNOWN', 'DROP_REASON_UNKNOWN']);

const number =
  (name: string): NeedlesOf =>
  (value) =>
    Number(value) > 0 ? [{ text: `"${name}":${Number(value)}`, canonicalOnly: true }] : undefined;

/** Names of fields in both spellings that JSON knows. */
const present =
  (...names: string[]): NeedlesOf =>
  () =>
    names.map((name) => ({ text: `${name}"` }));

/** `namespace/prefix`, where either part may be missing. */
const prefixed: NeedlesOf = (value) => {
  const text = String(value);
  const name = text.slice(text.indexOf('/') + 1);
  if (name !== '') return SAFE.test(name) ? [{ text: `"${name}` }] : undefined;
  const namespace = text.slice(0, -1);
  return namespace !== '' && SAFE.test(namespace) ? [{ text: `${namespace}"` }] : undefined;
};

const address: NeedlesOf = (value) => (String(value).includes('/') ? undefined : whole(value));

/** Only the plainest selector says what has to be there. */
const label: NeedlesOf = (value) => {
  const match = /^(?:[\w-]+:)?([\w.-]+={1,2}[\w.-]+)$/.exec(String(value));
  return match ? [{ text: `${match[1]?.replace('==', '=')}"` }] : undefined;
};

const PROTOCOLS: Readonly<Record<string, readonly string[]>> = {
  udp: ['UDP'],
  sctp: ['SCTP'],
  icmp: ['ICMPv4', 'ICMPv6'],
  icmpv4: ['ICMPv4'],
  icmpv6: ['ICMPv6'],
  vrrp: ['VRRP'],
  igmp: ['IGMP'],
  dns: ['dns'],
  http: ['http'],
  kafka: ['kafka'],
};

const protocol: NeedlesOf = (value) =>
  PROTOCOLS[String(value).toLowerCase()]?.map((name) => ({ text: `${name}"` }));

const eventType: NeedlesOf = (value) => {
  const type = isTyped(value) ? value.type : 0;
  if (type <= 0) return undefined;
  return [',', '}'].map((end) => ({ text: `"event_type":{"type":${type}${end}`, canonicalOnly: true }));
};

function isTyped(value: unknown): value is { type: number } {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'number';
}

const HTTP = present('http');
const DNS = present('dns');

/** By the field of the filter, the most selective first as far as one can tell without having seen the flows. */
const NEEDLES: readonly (readonly [keyof FlowFilter, NeedlesOf])[] = [
  ['uuid', whole],
  ['trace_id', whole],
  // A flow without a trace ID is one of 0.
  ['ip_trace_id', (value) => (value === '0' ? undefined : present('ip_trace_id', 'ipTraceId')(value))],
  ['dns_query', DNS],
  ['http_url', HTTP],
  ['http_path', HTTP],
  ['http_header', HTTP],
  ['http_method', HTTP],
  ['http_status_code', HTTP],
  ['source_workload', present('workloads')],
  ['destination_workload', present('workloads')],
  ['source_service', present('source_service', 'sourceService')],
  ['destination_service', present('destination_service', 'destinationService')],
  ['source_fqdn', present('source_names', 'sourceNames')],
  ['destination_fqdn', present('destination_names', 'destinationNames')],
  ['source_ip', address],
  ['destination_ip', address],
  ['source_ip_xlated', present('source_xlated', 'sourceXlated')],
  ['encrypted', (value) => (value === true ? [{ text: 'encrypted"' }] : undefined)],
  ['drop_reason_desc', named('drop_reason_desc')],
  ['source_label', label],
  ['destination_label', label],
  ['source_pod', prefixed],
  ['destination_pod', prefixed],
  ['interface', (value) => (isNamed(value) ? whole(value.name) : undefined)],
  ['source_port', number('source_port')],
  ['destination_port', number('destination_port')],
  ['source_identity', number('identity')],
  ['destination_identity', number('identity')],
  ['verdict', named('verdict')],
  ['protocol', protocol],
  ['event_type', eventType],
  ['source_cluster_name', whole],
  ['destination_cluster_name', whole],
];

function isNamed(value: unknown): value is { name: string } {
  return typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string';
}
