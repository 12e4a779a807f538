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
  readonly oneof: string | undefined;
  /** Position in the declaration, which is the order of JSON. */
  readonly index: number;
  /** The message's fields, when `kind` is `message`. */
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

const WELL_KNOWN: Readonly<Record<string, Kind>> = {
  'google.protobuf.Timestamp': 'timestamp',
  'google.protobuf.Duration': 'duration',
  'google.protobuf.FieldMask': 'fieldMask',
  'google.protobuf.Any': 'any',
  'google.protobuf.BoolValue': 'boolValue',
  'google.protobuf.Int32Value': 'int32Value',
  'google.protobuf.UInt32Value': 'uint32Value',
};

const messages = new Map<string, MessageType>();
const enums = new Map<string, EnumType>();

/** The description of a message; unfolded on first use. */
export function messageType(name: string): MessageType {
  const known = messages.get(name);
  if (known) return known;
  const row = (MESSAGES as Readonly<Record<string, string>>)[name];
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
  const kind = mark ? 'enum' : (WELL_KNOWN[type] ?? (type.includes('.') ? 'message' : (type as Kind)));
  return {
    name,
    jsonName: name.replace(/_+(.?)/g, (_, c: string) => c.toUpperCase()),
    number: Number(number),
    kind,
    repeated: repeated === '*',
    oneof,
    index,
    message: () => messageType(type),
    values: () => enumType(type),
  };
}
