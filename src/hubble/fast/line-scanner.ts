import { type PathTree, pathTree } from '../../lib/path-tree.ts';
import { COLUMN_FIELDS, type FlowRow } from '../../model/flow-row.ts';
import type { Flow, FlowFilter } from '../../model/hubble.gen.ts';
import { type Field, fieldAt } from '../protobuf/schema.ts';
import { canonicalLine } from './canonical-regex.ts';

/** Lines longer than this go to the parser: a regular expression keeps its way back in memory. */
export const LONGEST_SCANNED = 32 * 1024;

const eitherPort = (side: string) => ['TCP', 'UDP', 'SCTP'].map((name) => `l4.${name}.${side}_port`);

/** The fields of a flow that each filter reads. CEL may read any. */
const FILTER_PATHS: Readonly<Record<Exclude<keyof FlowFilter, 'experimental'>, readonly string[]>> = {
  uuid: ['uuid'],
  source_ip: ['IP.source'],
  source_ip_xlated: ['IP.source_xlated'],
  source_pod: ['source.namespace', 'source.pod_name'],
  source_fqdn: ['source_names'],
  source_label: ['source.labels'],
  source_service: ['source_service.name', 'source_service.namespace'],
  source_workload: ['source.workloads'],
  source_cluster_name: ['source.cluster_name'],
  source_identity: ['source.identity'],
  source_port: eitherPort('source'),
  destination_ip: ['IP.destination'],
  destination_pod: ['destination.namespace', 'destination.pod_name'],
  destination_fqdn: ['destination_names'],
  destination_label: ['destination.labels'],
  destination_service: ['destination_service.name', 'destination_service.namespace'],
  destination_workload: ['destination.workloads'],
  destination_cluster_name: ['destination.cluster_name'],
  destination_identity: ['destination.identity'],
  destination_port: eitherPort('destination'),
  traffic_direction: ['traffic_direction'],
  verdict: ['verdict'],
  drop_reason_desc: ['verdict', 'drop_reason_desc'],
  interface: ['interface.index', 'interface.name'],
  event_type: ['event_type.type', 'event_type.sub_type'],
  protocol: [
    ...['TCP', 'UDP', 'SCTP', 'ICMPv4', 'ICMPv6', 'VRRP', 'IGMP'].map((name) => `l4.${name}`),
    ...['dns', 'http', 'kafka'].map((name) => `l7.${name}`),
  ],
  reply: ['is_reply', 'verdict'],
  tcp_flags: ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR', 'NS'].map(
    (name) => `l4.TCP.flags.${name}`,
  ),
  http_status_code: ['l7.http.code'],
  http_method: ['l7.http.method'],
  http_path: ['l7.http.url'],
  http_url: ['l7.http.url'],
  http_header: ['l7.http.headers'],
  dns_query: ['l7.dns.query'],
  node_name: ['node_name'],
  node_labels: ['node_labels'],
  ip_version: ['IP.ipVersion'],
  encrypted: ['IP.encrypted'],
  trace_id: ['trace_context.parent.trace_id'],
  ip_trace_id: ['ip_trace_id.trace_id'],
};

/** Whether these filters can be answered without the whole flow. */
export function canScan(filters: readonly FlowFilter[]): boolean {
  return filters.every((filter) => Object.keys(filter).every((name) => name in FILTER_PATHS));
}

/** How the text of a field becomes its value. */
type Form = 'text' | 'number' | 'truth' | 'list' | 'message';

function formOf({ kind, repeated }: Field): Form {
  if (repeated) return 'list';
  switch (kind) {
    case 'message':
      return 'message';
    case 'bool':
    case 'boolValue':
      return 'truth';
    case 'int32':
    case 'uint32':
    case 'int32Value':
    case 'uint32Value':
      return 'number';
    default:
      return 'text';
  }
}

/** A field where it stands in a match. */
interface Captured {
  at: number;
  form: Form;
}

interface CapturedNode extends Captured {
  name: string;
  children: readonly CapturedNode[];
}

/** What is read of the lines. */
export interface ScanOptions {
  /** Rows are filled. */
  rows: boolean;
  /** The filters that flows are made for. */
  filters: readonly FlowFilter[];
  /** The times of the records are read. */
  timed: boolean;
}

/** Reads canonical lines without a parser. What it reads is safe for a terminal. */
export class LineScanner {
  readonly #regex: RegExp;
  readonly #captures: ReadonlyMap<string, number>;
  readonly #columns: readonly (Captured & { slot: number })[];
  readonly #filtered: readonly CapturedNode[];
  /** Captures that are no text of their own: the line, and lists, which are parsed where they are read. */
  readonly #compound: ReadonlySet<number>;
  readonly #flow: number;
  #match: readonly (string | undefined)[] = [];

  constructor({ rows, filters, timed }: ScanOptions) {
    const columns = rows ? COLUMN_FIELDS : [];
    const filterPaths = Object.entries(FILTER_PATHS).flatMap(([name, paths]) =>
      filters.some((filter) => name in filter) ? paths : [],
    );
    const captured = [
      'flow',
      ...(timed ? ['time'] : []),
      ...columns.map(({ path }) => `flow.${path}`),
      ...filterPaths.flatMap(withParents),
    ];
    const { regex, captures } = canonicalLine('observer.GetFlowsResponse', new Set(captured));
    this.#regex = regex;
    this.#captures = captures;
    this.#flow = captures.get('flow') ?? 0;
    this.#columns = columns.map(({ path, slot }) => ({ slot, ...this.#captured(path) }));
    this.#filtered = this.#nodes(pathTree(filterPaths), '');
    const lists = [...captures].filter(([path]) => fieldAt('observer.GetFlowsResponse', path)?.repeated);
    this.#compound = new Set([0, ...lists.map(([, at]) => at)]);
  }

  #captured(path: string): Captured {
    const field = fieldAt('flow.Flow', path);
    const at = this.#captures.get(`flow.${path}`);
    if (!field || at === undefined) throw new Error(`a flow has no field ${path}`);
    return { at, form: formOf(field) };
  }

  #nodes(tree: PathTree, before: string): CapturedNode[] {
    return [...tree].map(([name, { children }]) => ({
      name,
      ...this.#captured(before + name),
      children: this.#nodes(children, `${before}${name}.`),
    }));
  }

  /**
   * Matches the line that starts at `from`; false when it has to be parsed. `escapes` says whether it has a backslash.
   */
  scan(text: string, from: number, escapes: boolean): boolean {
    this.#regex.lastIndex = from;
    const match = this.#regex.exec(text);
    if (match?.[this.#flow] === undefined) return false;
    this.#match = escapes
      ? match.map((captured: string | undefined, i) =>
          captured?.includes('\\') && !this.#compound.has(i)
            ? (JSON.parse(`"${captured}"`) as string)
            : captured,
        )
      : match;
    return true;
  }

  /** Fills a row from the line that was scanned. */
  fill(row: FlowRow): void {
    const match = this.#match;
    row.clear();
    for (const { slot, at, form } of this.#columns) {
      const text = match[at];
      if (text === undefined) continue;
      if (form === 'text') row.values[slot] = text;
      else row.values[slot] = form === 'message' || fieldValue(text, form);
    }
  }

  /** When the record that was scanned was made; only of records that are timed. */
  time(): string | undefined {
    const at = this.#captures.get('time');
    return at === undefined ? undefined : this.#match[at];
  }

  /** Of the flow that was scanned what the filters read. */
  flow(): Flow {
    return messageOf(this.#filtered, this.#match);
  }
}

/** A path, and those of the messages that it leads through. */
function withParents(path: string): string[] {
  const parts = path.split('.');
  return parts.map((_, i) => `flow.${parts.slice(0, i + 1).join('.')}`);
}

function messageOf(nodes: readonly CapturedNode[], match: readonly (string | undefined)[]): object {
  const message: Record<string, unknown> = {};
  for (const { name, at, form, children } of nodes) {
    const text = match[at];
    if (text !== undefined)
      message[name] = form === 'message' ? messageOf(children, match) : fieldValue(text, form);
  }
  return message;
}

function fieldValue(text: string, form: Form): string | number | boolean | string[] {
  switch (form) {
    case 'number':
      return Number(text);
    case 'truth':
      return text === 'true';
    case 'list':
      return JSON.parse(text) as string[];
    default:
      return text;
  }
}
