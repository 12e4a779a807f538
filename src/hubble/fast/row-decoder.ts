import { type PathTree, pathTree } from '../../lib/path-tree.ts';
import { formatTimestamp, inRange } from '../../lib/timestamp.ts';
import { COLUMN_FIELDS, type FlowRow, type RowValue, rowValue } from '../../model/flow-row.ts';
import { readScalar, readTime, readWrapper, wireTypeOf } from '../protobuf/codec.ts';
import { type Field, fieldAt, type MessageType, messageType } from '../protobuf/schema.ts';
import { WireReader } from '../protobuf/wire.ts';

/** What is done with a field of a message that is read. */
interface Step {
  field: Field;
  /** Slot of the column that the field fills; -1 when it fills none. */
  slot: number;
  /** Marks what may stand once in its message: later ones would be merged, or take the place of the first. */
  once: number;
  /** What is read of the message that it holds; undefined when nothing is. */
  message: Steps | undefined;
  /** Names of the values of an enum. */
  names: ReadonlyMap<number, string>;
}

/** The steps of a message by tag: the number of a field and its wire type, as they stand on the wire. */
class Steps {
  readonly #low: (Step | undefined)[] = new Array(LOW_TAGS).fill(undefined);
  readonly #high = new Map<number, Step>();

  constructor(type: MessageType, read: PathTree) {
    const oneofs = new Set(type.fields.map(({ name, oneof }) => (read.has(name) ? oneof : undefined)));
    const marks: string[] = [];
    for (const field of type.fields) {
      const node = read.get(field.name);
      if (!node && (field.oneof === undefined || !oneofs.has(field.oneof))) continue;
      const mark = field.oneof ?? (field.kind === 'message' ? field.name : undefined);
      if (mark !== undefined && !marks.includes(mark)) marks.push(mark);
      const tag = (field.number << 3) | wireTypeOf(field);
      const step: Step = {
        field,
        slot: COLUMN_FIELDS[node?.index ?? -1]?.slot ?? -1,
        once: mark === undefined ? 0 : 1 << marks.indexOf(mark),
        message: node && field.kind === 'message' ? new Steps(field.message(), node.children) : undefined,
        names: field.kind === 'enum' ? field.values().names : NO_NAMES,
      };
      if (tag < LOW_TAGS) this.#low[tag] = step;
      else this.#high.set(tag, step);
    }
  }

  at(tag: number): Step | undefined {
    return tag < LOW_TAGS ? this.#low[tag] : this.#high.get(tag);
  }
}

/** Tags below it are found in an array. */
const LOW_TAGS = 1024;
const NO_NAMES: ReadonlyMap<number, string> = new Map();

const RESPONSE = messageType('observer.GetFlowsResponse');
const FLOW_NUMBER = fieldAt('observer.GetFlowsResponse', 'flow')?.number ?? 0;

/** Fills rows for the printers straight from the bytes of a GetFlowsResponse, without an object in between. */
export class RowDecoder {
  readonly #reader = new WireReader(Buffer.alloc(0));
  readonly #steps = new Steps(messageType('flow.Flow'), pathTree(COLUMN_FIELDS.map(({ path }) => path)));
  readonly #texts: TextCache;

  /** `clean` makes a text safe for where the rows are printed. */
  constructor(clean: (text: string) => string) {
    this.#texts = new TextCache(clean);
  }

  /**
   * Reads a message into `row`; false when it holds something other than a flow, or a flow in an unusual shape,
   * and has to be decoded whole. Throws WireError when the bytes are no message.
   */
  decode(bytes: Buffer, row: FlowRow): boolean {
    const reader = this.#reader;
    reader.reset(bytes, 0, bytes.length);
    let found = false;
    while (reader.pos < reader.end) {
      const tag = reader.uint32();
      if (tag !== ((FLOW_NUMBER << 3) | 2)) {
        // Of the members of the oneof the last one on the wire would count.
        if (RESPONSE.byNumber.get(tag >>> 3)?.oneof !== undefined) return false;
        reader.skip(tag & 7);
        continue;
      }
      if (found) return false;
      found = true;
      row.clear();
      const end = this.#enter();
      if (!this.#message(this.#steps, row.values)) return false;
      reader.end = end;
    }
    return found;
  }

  #message(steps: Steps, values: RowValue[]): boolean {
    const reader = this.#reader;
    let seen = 0;
    while (reader.pos < reader.end) {
      const tag = reader.uint32();
      const step = steps.at(tag);
      if (step === undefined) {
        reader.skip(tag & 7);
        continue;
      }
      if ((seen & step.once) !== 0) return false;
      seen |= step.once;
      const { slot, message } = step;
      if (message === undefined) {
        if (slot === -1) reader.skip(tag & 7);
        else this.#value(step, values);
        continue;
      }
      if (slot !== -1) values[slot] = true;
      const end = this.#enter();
      if (!this.#message(message, values)) return false;
      reader.end = end;
    }
    return true;
  }

  #value({ field, slot, names }: Step, values: RowValue[]): void {
    const reader = this.#reader;
    switch (field.kind) {
      case 'string':
        if (field.repeated) values[slot] = withText(values[slot], this.#text());
        else values[slot] = this.#text();
        break;
      case 'enum': {
        const number = reader.uint32() | 0;
        values[slot] = names.get(number) ?? String(number);
        break;
      }
      case 'uint32':
        values[slot] = reader.uint32();
        break;
      case 'timestamp':
        values[slot] = this.#time();
        break;
      case 'boolValue': {
        const end = this.#enter();
        values[slot] = readWrapper(field, reader);
        reader.end = end;
        break;
      }
      default:
        values[slot] = rowValue(slot, readScalar(field, reader));
    }
  }

  /** Reads a length and narrows the reader to so many bytes; the end to go back to. */
  #enter(): number {
    const length = this.#reader.length();
    const end = this.#reader.end;
    this.#reader.end = this.#reader.pos + length;
    return end;
  }

  #text(): string {
    const reader = this.#reader;
    const length = reader.length();
    const from = reader.pos;
    reader.pos += length;
    return this.#texts.read(reader.bytes, from, reader.pos);
  }

  #time(): string {
    const end = this.#enter();
    const time = inRange(readTime(this.#reader));
    this.#reader.end = end;
    return time ? formatTimestamp(time) : '';
  }
}

function withText(list: RowValue, text: string): readonly string[] {
  return Array.isArray(list) ? [...list, text] : [text];
}

/** Longest text that is worth a look into the cache. */
const LONGEST_CACHED = 80;
const SLOTS = 1024;

/** Decodes texts. The same few names, addresses and summaries come again and again, so that most are found here. */
class TextCache {
  readonly #texts: string[] = new Array(SLOTS).fill('');
  readonly #lengths = new Uint8Array(SLOTS);
  readonly #bytes = Buffer.alloc(SLOTS * LONGEST_CACHED);

  constructor(private readonly clean: (text: string) => string) {}

  read(bytes: Buffer, from: number, to: number): string {
    const length = to - from;
    if (length === 0) return '';
    if (length > LONGEST_CACHED) return this.clean(bytes.toString('utf8', from, to));
    let hash = length;
    for (let i = from; i < to; i++) hash = (Math.imul(hash, 31) + (bytes[i] ?? 0)) | 0;
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const start = slot * LONGEST_CACHED;
    if (this.#lengths[slot] === length && this.#holds(bytes, from, start, length))
      return this.#texts[slot] ?? '';
    const text = this.clean(bytes.toString('utf8', from, to));
    bytes.copy(this.#bytes, start, from, to);
    this.#lengths[slot] = length;
    this.#texts[slot] = text;
    return text;
  }

  #holds(bytes: Buffer, from: number, start: number, length: number): boolean {
    const held = this.#bytes;
    for (let i = 0; i < length; i++) if (held[start + i] !== bytes[from + i]) return false;
    return true;
  }
}
