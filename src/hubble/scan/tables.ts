import { type enumType, type Field, fieldAt, type MessageType, messageType } from '../protobuf/schema.ts';

/** Kinds of values as scan.c numbers them; what is not here is for the parser. */
const KINDS = [
  'string',
  'enum',
  'timestamp',
  'bool',
  'boolValue',
  'uint32',
  'uint32Value',
  'int32',
  'int32Value',
  'uint64',
  'int64',
  'message',
] as const;
const OTHER = KINDS.length;

const REPEATED = 1;
const PRESENCE = 2;
const ALIAS = 4;

const ENTRY_BYTES = 32;
/** Mask, the entries by number, and the name that is guessed. */
const NAMES_HEAD = 12;
/** Count and mask. */
const WIRE_HEAD = 8;
/** scan.c and wire.c have a bit, or a place, for each field of a message. */
const MOST_FIELDS = 64;
/** scan.c compares names in words of eight bytes. */
const WORD = 8;

/** The schema as scan.c reads it. */
export interface Tables {
  bytes: Uint8Array;
  /** Address of the names of an answer. */
  root: number;
}

/**
 * Lays out the schema of an answer from address `base` on. `slots` says which fields are kept where, by their path;
 * messages on the way to a field are shared unless something in them is kept.
 */
export function layTables(base: number, slots: ReadonlyMap<string, number>): Tables {
  const builder = new Builder(base, slots);
  const root = builder.message(messageType('observer.GetFlowsResponse'), '');
  return { bytes: builder.bytes(), root };
}

class Builder {
  #buffer = Buffer.alloc(64 * 1024);
  #end = 0;
  readonly #shared = new Map<string, number>();
  readonly #texts = new Map<string, number>();

  constructor(
    private readonly base: number,
    private readonly slots: ReadonlyMap<string, number>,
  ) {}

  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#end);
  }

  message(type: MessageType, path: string): number {
    const isKept = [...this.slots.keys()].some((kept) => path === '' || kept.startsWith(`${path}.`));
    const known = isKept ? undefined : this.#shared.get(type.name);
    if (known !== undefined) return known;
    if (type.fields.length > MOST_FIELDS)
      throw new Error(`${type.name} has more fields than scan.c can tell apart`);
    const oneofs = [...new Set(type.fields.flatMap(({ oneof }) => oneof ?? []))];
    const entries = type.fields.flatMap((field) => {
      const at = path === '' ? field.name : `${path}.${field.name}`;
      const entry = this.#field(field, at, field.oneof === undefined ? 0 : oneofs.indexOf(field.oneof) + 1);
      return field.jsonName === field.name
        ? [entry]
        : [entry, { ...entry, name: field.jsonName, flags: entry.flags | ALIAS }];
    });
    const address = this.#names(entries);
    if (!isKept) this.#shared.set(type.name, address);
    return address;
  }

  #field(field: Field, path: string, oneof: number): Entry {
    const kind = KINDS.findIndex((name) => name === field.kind);
    return {
      name: field.name,
      kind: kind === -1 ? OTHER : kind,
      flags: (field.repeated ? REPEATED : 0) | (field.oneof === undefined ? 0 : PRESENCE),
      slot: this.slots.get(path) ?? -1,
      child:
        field.kind === 'message'
          ? // Of a list only the whole is kept.
            this.message(field.message(), field.repeated ? '\0' : path)
          : field.kind === 'enum'
            ? this.#enum(field.values())
            : 0,
      index: field.index,
      oneof,
      number: field.number,
    };
  }

  #enum({ name, numbers }: ReturnType<typeof enumType>): number {
    const known = this.#shared.get(name);
    if (known !== undefined) return known;
    const address = this.#names(
      [...numbers].map(([value, number]) => ({
        name: value,
        kind: 0,
        flags: 0,
        slot: -1,
        child: 0,
        index: number === 0 ? 1 : 0,
        oneof: 0,
        number,
      })),
    );
    this.#shared.set(name, address);
    return address;
  }

  /** Names by their hash: a mask, then the addresses of the entries, found by trying one place after the other. */
  #names(entries: readonly Entry[]): number {
    let size = 4;
    while (size < entries.length * 2) size *= 2;
    const addresses = entries.map((entry) => this.#entry(entry));
    const at = this.#room(NAMES_HEAD + 4 * size);
    const wire = this.#wire(entries, addresses);
    this.#buffer.writeUInt32LE(size - 1, at);
    this.#buffer.writeUInt32LE(wire, at + 4);
    for (const [i, { name }] of entries.entries()) {
      let place = hashName(name) & (size - 1);
      while (this.#buffer.readUInt32LE(at + NAMES_HEAD + 4 * place) !== 0) place = (place + 1) & (size - 1);
      this.#buffer.writeUInt32LE(addresses[i] ?? 0, at + NAMES_HEAD + 4 * place);
    }
    return this.base + at;
  }

  /** Those that are no other spelling, in their order; then by number, found in the same way. */
  #wire(entries: readonly Entry[], addresses: readonly number[]): number {
    const declared = entries.flatMap((entry, i) =>
      (entry.flags & ALIAS) === 0 ? [{ number: entry.number, address: addresses[i] ?? 0 }] : [],
    );
    let size = 4;
    while (size < declared.length * 2) size *= 2;
    const at = this.#room(WIRE_HEAD + 4 * (declared.length + size));
    this.#buffer.writeUInt32LE(declared.length, at);
    this.#buffer.writeUInt32LE(size - 1, at + 4);
    const places = at + WIRE_HEAD + 4 * declared.length;
    for (const [i, { address }] of declared.entries())
      this.#buffer.writeUInt32LE(address, at + WIRE_HEAD + 4 * i);
    // Of two names of a number the last one counts: it is found first.
    for (const { number, address } of declared.toReversed()) {
      let place = number & (size - 1);
      while (this.#buffer.readUInt32LE(places + 4 * place) !== 0) place = (place + 1) & (size - 1);
      this.#buffer.writeUInt32LE(address, places + 4 * place);
    }
    return this.base + at;
  }

  #entry({ number, name, kind, flags, slot, child, index, oneof }: Entry): number {
    const text = this.#text(name);
    const at = this.#room(ENTRY_BYTES);
    this.#buffer.writeUInt32LE(text, at);
    this.#buffer.writeUInt16LE(name.length, at + 4);
    this.#buffer.writeUInt8(kind, at + 6);
    this.#buffer.writeUInt8(flags, at + 7);
    this.#buffer.writeInt32LE(slot, at + 8);
    this.#buffer.writeUInt32LE(child, at + 12);
    this.#buffer.writeUInt16LE(index, at + 16);
    this.#buffer.writeUInt16LE(oneof, at + 18);
    this.#buffer.writeInt32LE(number, at + 20);
    return this.base + at;
  }

  #text(name: string): number {
    const known = this.#texts.get(name);
    if (known !== undefined) return known;
    const at = this.#room(name.length + WORD);
    this.#buffer.write(name, at, 'latin1');
    this.#texts.set(name, this.base + at);
    return this.base + at;
  }

  #room(length: number): number {
    const at = this.#end;
    this.#end += (length + WORD - 1) & -WORD;
    if (this.#end > this.#buffer.length)
      this.#buffer = Buffer.concat([this.#buffer], Math.max(this.#end, 2 * this.#buffer.length));
    return at;
  }
}

interface Entry {
  name: string;
  kind: number;
  flags: number;
  slot: number;
  child: number;
  index: number;
  oneof: number;
  number: number;
}

/** As `hash_name` of message.h. */
function hashName(name: string): number {
  const bytes = Buffer.alloc(Math.max(name.length, WORD));
  bytes.write(name, 'latin1');
  const low = bytes.readUInt32LE(0);
  const high = bytes.readUInt32LE(4);
  const last = name.length > 8 ? bytes.readUInt32LE(name.length - 4) : 0;
  const mixed = low ^ Math.imul(high, 0x9e37_79b1);
  return Math.imul(mixed ^ last ^ name.length, 0x85eb_ca6b) >>> 20;
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
