import { formatTimestamp, inRange } from '../../lib/timestamp.ts';
import type { FlowRow, FlowSide } from '../../model/flow-row.ts';
import { readTime } from '../protobuf/codec.ts';
import { enumType } from '../protobuf/schema.ts';
import { WireReader } from '../protobuf/wire.ts';

/** Field number and wire type of what is read, as they stand on the wire. */
const delimited = (field: number) => (field << 3) | 2;
const varint = (field: number) => field << 3;

const RESPONSE_FLOW = delimited(1);
const FLOW = {
  time: delimited(1),
  verdict: varint(2),
  ethernet: delimited(4),
  ip: delimited(5),
  l4: delimited(6),
  source: delimited(8),
  destination: delimited(9),
  node: delimited(11),
  sourceNames: delimited(13),
  destinationNames: delimited(14),
  l7: delimited(15),
  eventType: delimited(19),
  sourceService: delimited(20),
  destinationService: delimited(21),
  direction: varint(22),
  matchType: varint(23),
  reply: delimited(26),
  capturePoint: varint(27),
  sockPoint: varint(31),
  auth: varint(35),
  traceId: delimited(40),
  summary: delimited(100_000),
} as const;

/** The members of Layer4 that have ports. */
const PORTED = new Set([delimited(1), delimited(2), delimited(5)]);
const L7_RECORDS: ReadonlyMap<number, string> = new Map([
  [delimited(100), 'dns'],
  [delimited(101), 'http'],
  [delimited(102), 'kafka'],
]);

const VERDICTS = enumType('flow.Verdict').names;
const DIRECTIONS = enumType('flow.TrafficDirection').names;
const AUTH_TYPES = enumType('flow.AuthType').names;
const L7_TYPES = enumType('flow.L7FlowType').names;
const CAPTURE_POINTS = enumType('flow.DebugCapturePoint').names;
const SOCK_POINTS = enumType('flow.SocketTranslationPoint').names;

function nameOf(names: ReadonlyMap<number, string>, number: number): string {
  return names.get(number | 0) ?? String(number | 0);
}

/** Fills rows for the printers straight from the bytes of a GetFlowsResponse, without an object in between. */
export class RowDecoder {
  readonly #reader = new WireReader(Buffer.alloc(0));
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
      if (tag !== RESPONSE_FLOW) {
        // The other answers have numbers 2 and 3: the last one on the wire would count.
        if (tag >>> 3 < 4) return false;
        reader.skip(tag & 7);
        continue;
      }
      if (found) return false;
      found = true;
      const length = reader.length();
      const end = reader.end;
      reader.end = reader.pos + length;
      if (!this.#flow(row)) return false;
      reader.end = end;
    }
    return found;
  }

  #flow(row: FlowRow): boolean {
    const reader = this.#reader;
    row.clear();
    let seen = 0;
    let sourceSpace: string | undefined;
    let destinationSpace: string | undefined;
    let sourceNames: string | undefined;
    let destinationNames: string | undefined;
    while (reader.pos < reader.end) {
      const tag = reader.uint32();
      switch (tag) {
        case FLOW.time:
          row.time = this.#time();
          break;
        case FLOW.verdict:
          row.verdict = nameOf(VERDICTS, reader.uint32());
          break;
        case FLOW.ethernet:
          this.#pair(row, 'mac');
          break;
        case FLOW.ip:
          row.hasIp = true;
          this.#pair(row, 'ip');
          break;
        case FLOW.l4:
          if (seen & 1) return false;
          seen |= 1;
          if (!this.#layer4(row)) return false;
          break;
        case FLOW.source:
          this.#endpoint(row.source);
          break;
        case FLOW.destination:
          this.#endpoint(row.destination);
          break;
        case FLOW.node:
          row.node = this.#text();
          break;
        case FLOW.sourceNames:
          sourceNames = joined(sourceNames, this.#text());
          break;
        case FLOW.destinationNames:
          destinationNames = joined(destinationNames, this.#text());
          break;
        case FLOW.l7:
          if (seen & 2) return false;
          seen |= 2;
          if (!this.#layer7(row)) return false;
          break;
        case FLOW.eventType:
          this.#eventType(row);
          break;
        case FLOW.sourceService:
          sourceSpace = this.#service(row.source, sourceSpace);
          break;
        case FLOW.destinationService:
          destinationSpace = this.#service(row.destination, destinationSpace);
          break;
        case FLOW.direction:
          row.direction = nameOf(DIRECTIONS, reader.uint32());
          break;
        case FLOW.matchType:
          row.matchType = reader.uint32();
          break;
        case FLOW.reply:
          row.reply = this.#bool() ? 'yes' : 'no';
          break;
        case FLOW.capturePoint:
          row.capturePoint = nameOf(CAPTURE_POINTS, reader.uint32());
          break;
        case FLOW.sockPoint:
          row.sockPoint = nameOf(SOCK_POINTS, reader.uint32());
          break;
        case FLOW.auth:
          row.auth = nameOf(AUTH_TYPES, reader.uint32());
          break;
        case FLOW.traceId:
          this.#traceId(row);
          break;
        case FLOW.summary:
          row.summary = this.#text();
          break;
        default:
          reader.skip(tag & 7);
      }
    }
    if (sourceSpace !== undefined) row.source.namespace = sourceSpace;
    if (destinationSpace !== undefined) row.destination.namespace = destinationSpace;
    row.source.names = sourceNames ?? '';
    row.destination.names = destinationNames ?? '';
    return true;
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

  #bool(): boolean {
    const reader = this.#reader;
    const end = this.#enter();
    let value = false;
    while (reader.pos < reader.end) {
      const tag = reader.uint32();
      if (tag !== varint(1)) reader.skip(tag & 7);
      else value = reader.uint32() !== 0;
    }
    reader.end = end;
    return value;
  }

  /** Ethernet and IP both begin with the texts of the two ends. */
  #pair(row: FlowRow, key: 'ip' | 'mac'): void {
    const reader = this.#reader;
    const end = this.#enter();
    while (reader.pos < reader.end) {
      const tag = reader.uint32();
      if (tag === delimited(1)) row.source[key] = this.#text();
      else if (tag === delimited(2)) row.destination[key] = this.#text();
      else reader.skip(tag & 7);
    }
    reader.end = end;
  }

  #layer4(row: FlowRow): boolean {
    const reader = this.#reader;
    const end = this.#enter();
    let members = 0;
    while (reader.pos < reader.end) {
      const tag = reader.uint32();
      if (++members > 1) return false;
      if (!PORTED.has(tag)) {
        reader.skip(tag & 7);
        continue;
      }
      const outer = this.#enter();
      while (reader.pos < reader.end) {
        const inner = reader.uint32();
        if (inner === varint(1)) row.source.port = reader.uint32();
        else if (inner === varint(2)) row.destination.port = reader.uint32();
        else reader.skip(inner & 7);
      }
      reader.end = outer;
    }
    reader.end = end;
    return true;
  }

  #layer7(row: FlowRow): boolean {
    const reader = this.#reader;
    const end = this.#enter();
    row.l7 = 'l7';
    while (reader.pos < reader.end) {
      const tag = reader.uint32();
      const record = L7_RECORDS.get(tag);
      if (record !== undefined && row.l7 !== 'l7') return false;
      if (record !== undefined) row.l7 = record;
      if (tag === varint(1)) row.l7Type = nameOf(L7_TYPES, reader.uint32());
      else if (record !== 'dns') reader.skip(tag & 7);
      else {
        const outer = this.#enter();
        while (reader.pos < reader.end) {
          const inner = reader.uint32();
          if (inner === delimited(5)) row.dnsSource = this.#text();
          else reader.skip(inner & 7);
        }
        reader.end = outer;
      }
    }
    reader.end = end;
    return true;
  }

  #endpoint(side: FlowSide): void {
    const reader = this.#reader;
    const end = this.#enter();
    while (reader.pos < reader.end) {
      const tag = reader.uint32();
      if (tag === varint(2)) side.identity = reader.uint32();
      else if (tag === delimited(3)) side.namespace = this.#text();
      else if (tag === delimited(5)) side.pod = this.#text();
      else reader.skip(tag & 7);
    }
    reader.end = end;
  }

  /** Reads the name into `side`, and returns the namespace, which counts for the pod too. */
  #service(side: FlowSide, before = ''): string {
    const reader = this.#reader;
    const end = this.#enter();
    let namespace = before;
    while (reader.pos < reader.end) {
      const tag = reader.uint32();
      if (tag === delimited(1)) side.service = this.#text();
      else if (tag === delimited(2)) namespace = this.#text();
      else reader.skip(tag & 7);
    }
    reader.end = end;
    return namespace;
  }

  #eventType(row: FlowRow): void {
    const reader = this.#reader;
    const end = this.#enter();
    while (reader.pos < reader.end) {
      const tag = reader.uint32();
      if (tag === varint(1)) row.eventType = reader.uint32() | 0;
      else if (tag === varint(2)) row.eventSubType = reader.uint32() | 0;
      else reader.skip(tag & 7);
    }
    reader.end = end;
  }

  #traceId(row: FlowRow): void {
    const reader = this.#reader;
    const end = this.#enter();
    while (reader.pos < reader.end) {
      const tag = reader.uint32();
      if (tag === varint(1)) {
        reader.varint();
        row.traceId = reader.uint64Text();
      } else reader.skip(tag & 7);
    }
    reader.end = end;
  }
}

function joined(names: string | undefined, name: string): string {
  return names === undefined ? name : `${names},${name}`;
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
