import type { Messages } from '../../model/hubble.gen.ts';
import { ENUMS, MESSAGES } from './descriptor.gen.ts';

/** Full name of a message of ours, such as `flow.Flow`. */
export type MessageName = keyof Messages;

/** A message as a plain object in protobuf's JSON form, whatever its type. */
export type Plain = Record<string, unknown>;

/** What a field's bytes hold. `message` covers those of the schema; the others have a JSON form of their own. */
export type Kind =
  | 'bool'
  | 'string'
  | 'bytes'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'double'
  | 'enum'
  | 'message'
  | 'timestamp'
  | 'duration'
  | 'fieldMask'
  | 'any'
  | 'boolValue'
  | 'int32Value'
  | 'uint32Value';

/** One field of a message. */
export interface Field {
  readonly name: string;
  /** The other spelling that JSON input may use: lowerCamelCase. */
  readonly jsonName: string;
  readonly number: number;
  readonly kind: Kind;
  readonly repeated: boolean;
  /** The value that is left out. */
  readonly zero: unknown;
  readonly oneof: string | undefined;
  /** Position in the declaration, which is the order of JSON. */
  readonly index: number;
  /** The message's fields, when `kind` is `message` or one of a message that has a JSON form of its own. */
  readonly message: () => MessageType;
  /** The enum's values, when `kind` is `enum`. */
  readonly values: () => EnumType;
}

/** A message's fields, by declaration, number and name. */
export interface MessageType {
  readonly name: string;
  readonly fields: readonly Field[];
  readonly byNumber: ReadonlyMap<number, Field>;
  readonly byName: ReadonlyMap<string, Field>;
}

/** An enum's values. */
export interface EnumType {
  readonly name: string;
  readonly names: ReadonlyMap<number, string>;
  readonly numbers: ReadonlyMap<string, number>;
}

/** Messages that have a JSON form of their own: the kind of it, and their fields. */
const WELL_KNOWN: Readonly<Record<string, { kind: Kind; fields: string }>> = {
  'google.protobuf.Timestamp': { kind: 'timestamp', fields: 'seconds=1:int64 nanos=2:int32' },
  'google.protobuf.Duration': { kind: 'duration', fields: 'seconds=1:int64 nanos=2:int32' },
  'google.protobuf.FieldMask': { kind: 'fieldMask', fields: 'paths=1:string*' },
  'google.protobuf.Any': { kind: 'any', fields: 'type_url=1:string value=2:bytes' },
  'google.protobuf.BoolValue': { kind: 'boolValue', fields: 'value=1:bool' },
  'google.protobuf.Int32Value': { kind: 'int32Value', fields: 'value=1:int32' },
  'google.protobuf.UInt32Value': { kind: 'uint32Value', fields: 'value=1:uint32' },
};

/** Whether there is a message of ours of that name. */
export function isMessageName(name: string): name is MessageName {
  return Object.hasOwn(MESSAGES, name);
}

/** What is left out of JSON and of the wire, by kind; of an enum it is the name of 0. */
const ZEROS: Partial<Record<Kind, unknown>> = {
  bool: false,
  string: '',
  bytes: '',
  int32: 0,
  uint32: 0,
  int64: '0',
  uint64: '0',
};

/** Whether a value is one that is left out of a field without presence: the default of its kind, or an empty list. */
export function isUnset({ kind, repeated, zero }: Field, value: unknown): boolean {
  if (repeated) return (value as unknown[]).length === 0;
  return kind === 'double' ? Object.is(value, 0) : value === zero;
}

const messages = new Map<string, MessageType>();
const enums = new Map<string, EnumType>();

/** The description of a message; unfolded on first use. */
export function messageType(name: string): MessageType {
  const known = messages.get(name);
  if (known) return known;
  const row = isMessageName(name) ? MESSAGES[name] : WELL_KNOWN[name]?.fields;
  if (row === undefined) throw new Error(`no message ${name} in the schema`);
  const fields = row === '' ? [] : row.split(' ').map(fieldOf);
  const byNumber = new Map(fields.map((field) => [field.number, field]));
  const byName = new Map<string, Field>();
  for (const field of fields) {
    byName.set(field.jsonName, field);
    byName.set(field.name, field);
  }
  const type: MessageType = { name, fields, byNumber, byName };
  messages.set(name, type);
  return type;
}

/** The field that a dotted path leads to from a message, by the names of the schema; undefined when there is none. */
export function fieldAt(message: MessageName, path: string): Field | undefined {
  let field: Field | undefined;
  for (const name of path.split('.')) {
    if (field && (field.kind !== 'message' || field.repeated)) return undefined;
    field = (field ? field.message() : messageType(message)).byName.get(name);
    if (field?.name !== name) return undefined;
  }
  return field;
}

/** The description of an enum; unfolded on first use. */
export function enumType(name: string): EnumType {
  const known = enums.get(name);
  if (known) return known;
  const values = (ENUMS[name] ?? '').split(' ').map((word): [string, number] => {
    const [value = '', number] = word.split('=');
    return [value, Number(number)];
  });
  const type: EnumType = {
    name,
    names: new Map(values.map(([value, number]) => [number, value])),
    numbers: new Map(values),
  };
  enums.set(name, type);
  return type;
}

function fieldOf(word: string, index: number): Field {
  const [, name = '', number, mark, type = '', repeated, oneof] =
    /^(\w+)=(\d+):(#?)([\w.]+)(\*?)(?:@(\w+))?$/.exec(word) ?? [];
  const kind = mark ? 'enum' : (WELL_KNOWN[type]?.kind ?? (type.includes('.') ? 'message' : (type as Kind)));
  return {
    name,
    jsonName: name.replace(/_+(.?)/g, (_, c: string) => c.toUpperCase()),
    number: Number(number),
    kind,
    repeated: repeated === '*',
    zero: mark ? (/(\w+)=0\b/.exec(ENUMS[type] ?? '')?.[1] ?? 0) : ZEROS[kind],
    oneof,
    index,
    message: () => messageType(type),
    values: () => enumType(type),
  };
}
