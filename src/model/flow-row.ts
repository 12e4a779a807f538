import { type PathTree, pathTree } from '../lib/path-tree.ts';
import type { Flow, Policy } from './hubble.gen.ts';

/** What a column may hold. */
export type RowValue = string | number | boolean | undefined | readonly string[];

/**
 * A column: the value of a flow that has nothing set, and the path of the field. Several paths are those of members
 * of a oneof, of which a flow has one. The field's type says how it is read: a message counts as `true` when it is
 * there, enums are their names, numbers of 64 bits are decimal text.
 */
const column = <T>(zero: T, ...paths: readonly string[]) => ({ zero, paths });

/** Columns of each end of a flow; `<side>` is `source` or `destination`. */
const SIDE_COLUMNS = {
  /** Empty when the flow has none. */
  ip: column('', 'IP.<side>'),
  mac: column('', 'ethernet.<side>'),
  /** 0 when the protocol has none. */
  port: column(0, 'l4.TCP.<side>_port', 'l4.UDP.<side>_port', 'l4.SCTP.<side>_port'),
  namespace: column('', '<side>.namespace'),
  pod: column('', '<side>.pod_name'),
  identity: column(0, '<side>.identity'),
  hasService: column(false, '<side>_service'),
  service: column('', '<side>_service.name'),
  serviceNamespace: column('', '<side>_service.namespace'),
  /** DNS names of the address. */
  names: column<readonly string[]>([], '<side>_names'),
};

/** The other columns. A line here or above is all that a new column takes: every reader works from these tables. */
const ROW_COLUMNS = {
  /** RFC 3339 in UTC; empty when unset. */
  time: column('', 'time'),
  node: column('', 'node_name'),
  /** Without it the hardware addresses are printed. */
  hasIp: column(false, 'IP'),
  hasMac: column(false, 'ethernet'),
  eventType: column(0, 'event_type.type'),
  eventSubType: column(0, 'event_type.sub_type'),
  /** Whether the flow answers another one; undefined when the datapath cannot tell. */
  isReply: column<boolean | undefined>(undefined, 'is_reply'),
  verdict: column('VERDICT_UNKNOWN', 'verdict'),
  /** A request that a proxy saw; of another kind when none of the next three is set. */
  isL7: column(false, 'l7'),
  isDns: column(false, 'l7.dns'),
  isHttp: column(false, 'l7.http'),
  isKafka: column(false, 'l7.kafka'),
  l7Type: column('UNKNOWN_L7_TYPE', 'l7.type'),
  dnsSource: column('', 'l7.dns.observation_source'),
  summary: column('', 'Summary'),
  auth: column('DISABLED', 'auth_type'),
  /** Decimal; `0` when there is none. */
  traceId: column('0', 'ip_trace_id.trace_id'),
  matchType: column(0, 'policy_match_type'),
  direction: column('TRAFFIC_DIRECTION_UNKNOWN', 'traffic_direction'),
  capturePoint: column('DBG_CAPTURE_POINT_UNKNOWN', 'debug_capture_point'),
  sockPoint: column('SOCK_XLATE_POINT_UNKNOWN', 'sock_xlate_point'),
};

type ValuesOf<Columns extends Record<string, { zero: unknown }>> = {
  readonly [Name in keyof Columns]: Columns[Name]['zero'];
};

/** A field that fills a column: its path in a flow, and the slot of the column in `FlowRow.values`. */
export interface ColumnField {
  path: string;
  slot: number;
}

const ROW_NAMES = Object.keys(ROW_COLUMNS);
const SIDE_NAMES = Object.keys(SIDE_COLUMNS);
const SOURCE_AT = ROW_NAMES.length;
const DESTINATION_AT = SOURCE_AT + SIDE_NAMES.length;

const BY_SLOT: readonly { zero: RowValue; paths: readonly string[] }[] = [
  ...Object.values(ROW_COLUMNS),
  ...(['source', 'destination'] as const).flatMap((side) =>
    Object.values(SIDE_COLUMNS).map(({ zero, paths }) => ({
      zero,
      paths: paths.map((path) => path.replace('<side>', side)),
    })),
  ),
];

/** Every field that is read, in the order of the slots. */
export const COLUMN_FIELDS: readonly ColumnField[] = BY_SLOT.flatMap(({ paths }, slot) =>
  paths.map((path) => ({ path, slot })),
);

/** The value of each slot in a flow that has nothing set. */
export const ZEROS: readonly RowValue[] = BY_SLOT.map(({ zero }) => zero);

const NO_POLICIES: readonly Policy[] = [];

/** Shows slots of a row as properties. */
class Slots {
  constructor(
    readonly values: RowValue[],
    readonly first: number,
  ) {}

  static named(names: readonly string[]): typeof Slots {
    const type = class extends Slots {};
    for (const [i, name] of names.entries()) {
      Object.defineProperty(type.prototype, name, {
        get(this: Slots) {
          return this.values[this.first + i];
        },
      });
    }
    return type;
  }
}

const Side = Slots.named(SIDE_NAMES);

class Row extends Slots.named(ROW_NAMES) {
  readonly source = new Side(this.values, SOURCE_AT);
  readonly destination = new Side(this.values, DESTINATION_AT);
  /** Policies that decided, in the flow's direction. No column: they depend on several fields. */
  policies = NO_POLICIES;

  constructor() {
    super([...ZEROS], 0);
  }

  /** Makes it the row of a flow that has nothing set. */
  clear(): void {
    for (let i = 0; i < ZEROS.length; i++) this.values[i] = ZEROS[i];
    this.policies = NO_POLICIES;
  }
}

/** One end of a flow, as the printers read it. */
export type FlowSide = ValuesOf<typeof SIDE_COLUMNS>;

/**
 * What the printers read of a flow, flat. One row is filled again and again from messages, of which a reader may make no more than
 * what is printed.
 */
export type FlowRow = Pick<Row, 'values' | 'policies' | 'clear'> &
  ValuesOf<typeof ROW_COLUMNS> & { readonly source: FlowSide; readonly destination: FlowSide };

/** A row of a flow that has nothing set. The properties that its type promises are made from the tables above. */
export const FlowRow = Row as unknown as new () => FlowRow;

const FIELDS = pathTree(COLUMN_FIELDS.map(({ path }) => path));

/** Fills a row from a decoded flow. */
export function readFlow(row: FlowRow, flow: Flow): void {
  row.clear();
  readFields(FIELDS, flow as Record<string, unknown>, row.values);
  row.policies = policiesOf(flow);
}

function readFields(fields: PathTree, message: Record<string, unknown>, values: RowValue[]): void {
  for (const name in message) {
    const field = fields.get(name);
    const value = message[name];
    if (field === undefined || value === undefined) continue;
    const slot = COLUMN_FIELDS[field.index]?.slot;
    if (slot !== undefined) values[slot] = rowValue(slot, value);
    if (field.children.size > 0) readFields(field.children, value as Record<string, unknown>, values);
  }
}

/** The value of a column from that of its field. */
function rowValue(slot: number, value: unknown): RowValue {
  // An enum's value without a name is a number.
  if (typeof ZEROS[slot] === 'string') return String(value);
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  return Array.isArray(value) ? value : true;
}

/** Type of the events that tell a policy's verdict. */
export const EVENT_POLICY = 5;

/** The fields of a flow that name policies. */
export const POLICY_FIELDS = [
  'egress_allowed_by',
  'ingress_allowed_by',
  'egress_denied_by',
  'ingress_denied_by',
] as const;

/** What of a flow says which policies decided. */
type Decided = Pick<Flow, 'event_type' | 'traffic_direction' | 'verdict' | (typeof POLICY_FIELDS)[number]>;

/** The policies behind a verdict. Flows of other events name policies that did not decide about them. */
export function policiesOf(flow: Decided): readonly Policy[] {
  const { event_type: event, traffic_direction: direction, verdict } = flow;
  if (event?.type !== EVENT_POLICY || (direction !== 'EGRESS' && direction !== 'INGRESS')) return NO_POLICIES;
  const egress = direction === 'EGRESS';
  switch (verdict) {
    case 'FORWARDED':
    case 'REDIRECTED':
      return (egress ? flow.egress_allowed_by : flow.ingress_allowed_by) ?? NO_POLICIES;
    case 'DROPPED':
    case 'ERROR':
    case 'AUDIT':
      return (egress ? flow.egress_denied_by : flow.ingress_denied_by) ?? NO_POLICIES;
    default:
      return NO_POLICIES;
  }
}
