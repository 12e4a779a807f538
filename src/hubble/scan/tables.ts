import { type Field, fieldAt, type MessageType, messageType } from '../protobuf/schema.ts';

/** Kinds of values as tables.h numbers them; the last one is for the parser. */
const KINDS = ['string', 'enum', 'timestamp', 'bool', 'boolValue', 'uint32', 'int32', 'uint64', 'message'];

const REPEATED = 1;
const PRESENCE = 2;
const ALIAS = 4;
/** scan.c has a bit for each field of a message and each of its oneofs. */
const MOST_FIELDS = 60;
/** scan.c compares names in words of eight bytes. */
const WORD = 8;
/** The word of an entry that has the number of its field on the wire. */
const NUMBER = 4;

/** The schema as scan.c reads it. */
export interface Tables {
  words: Uint32Array;
  /** Address of the names of an answer. */
  root: number;
}

/**
 * Lays out the schema of an answer from address `base` on, as tables.h has it. `slots` says which fields are kept where, by their
 * path; messages on the way to a field are shared unless something in them is kept.
 */
export function layTables(base: number, slots: ReadonlyMap<string, number>): Tables {
  const words: number[] = [];
  const shared = new Map<string, number>();
  const put = (more: Iterable<number>): number => {
    const at = base + 4 * words.length;
    words.push(...more);
    return at;
  };
  const once = (name: string, make: () => number): number => {
    const at = shared.get(name) ?? make();
    shared.set(name, at);
    return at;
  };
  const text = (name: string): number => {
    const bytes = Buffer.from(name.padEnd(Math.ceil(name.length / WORD) * WORD, '\0'));
    return once(` ${name}`, () => put(wordsOf(bytes)));
  };
  const names = (entries: readonly number[][]): number => {
    const places = Buffer.alloc(64);
    for (const [i, { [NUMBER]: number = 0 }] of [...entries.entries()].reverse())
      places[(number ^ (number >>> 6)) & 63] = i;
    return put([entries.length, 0, ...wordsOf(places), ...entries.flat()]);
  };
  const enumeration = ({ name, numbers }: ReturnType<Field['values']>): number =>
    once(name, () =>
      names([...numbers].map(([value, number]) => [text(value), value.length, 0xffff, 0, number, 0, 0])),
    );
  const message = (type: MessageType, path: string): number => {
    const { name, fields } = type;
    if (fields.length > MOST_FIELDS) throw new Error(`${name} has more fields than scan.c can tell apart`);
    const oneofs = [undefined, ...new Set(fields.flatMap(({ oneof }) => oneof ?? []))];
    const entry = (field: Field): ((spelling: string, alias?: number) => number[]) => {
      const { kind, repeated, oneof, index, number } = field;
      const at = path === '' ? field.name : `${path}.${field.name}`;
      const presence = oneof !== undefined || kind === 'boolValue' ? PRESENCE : 0;
      const type = KINDS.includes(kind) ? KINDS.indexOf(kind) : KINDS.length;
      const slot = (slots.get(at) ?? -1) & 0xffff;
      let child = 0;
      // Of a list only the whole is kept.
      if (kind === 'message') child = message(field.message(), repeated ? '\0' : at);
      if (kind === 'enum') child = enumeration(field.values());
      return (spelling, alias = 0) => [
        text(spelling),
        spelling.length | (type << 16) | (((repeated ? REPEATED : 0) | presence | alias) << 24),
        slot | (index << 16) | (oneofs.indexOf(oneof) << 24),
        ...[child, number, 0, 0],
      ];
    };
    const make = () => {
      const spell = fields.map(entry);
      const own = fields.map((field, i) => spell[i]?.(field.name) ?? []);
      const other = fields.map(({ name, jsonName }, i) =>
        name === jsonName ? [] : (spell[i]?.(jsonName, ALIAS) ?? []),
      );
      return names([...own, ...other.filter(({ length }) => length > 0)]);
    };
    const isKept = path === '' || [...slots.keys()].some((kept) => kept.startsWith(`${path}.`));
    return isKept ? make() : once(name, make);
  };
  const root = message(messageType('observer.GetFlowsResponse'), '');
  return { words: Uint32Array.from(words), root };
}

function wordsOf(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readUInt32LE(4 * i));
}

/** The paths that are kept, with the messages that they lead through, in slots of their own. */
export function slotsOf(paths: Iterable<string>): ReadonlyMap<string, number> {
  const slots = new Map<string, number>();
  for (const path of paths) {
    const parts = path.split('.');
    for (let i = 1; i <= parts.length; i++) {
      const part = parts.slice(0, i).join('.');
      if (!fieldAt('observer.GetFlowsResponse', part)) throw new Error(`an answer has no field ${part}`);
      if (!slots.has(part)) slots.set(part, slots.size);
    }
  }
  return slots;
}
