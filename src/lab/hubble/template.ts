import { encode } from '../../hubble/protobuf/codec.ts';
import type { Flow } from '../../model/hubble.gen.ts';

/** Bytes of a frame's head: compression flag and length. */
const FRAME_HEAD = 5;
/** A time in its longest form: two tagged numbers of five bytes each. */
const TIME_BYTES = 12;
const UUID_BYTES = 36;

/** Nanoseconds within a second, and the second. */
export interface FlowTime {
  seconds: number;
  nanos: number;
}

/**
 * A flow that repeats, encoded as a framed GetFlowsResponse with holes for what differs from one time to the next:
 * the time (twice) and the UUID. Filling them in costs a copy.
 */
export class FlowTemplate {
  readonly #bytes: Buffer;
  readonly #timeAt: number[];
  readonly #uuidAt: number | undefined;

  constructor(
    readonly flow: Flow,
    /** False where a field mask leaves them out. */
    keep: { time: boolean; uuid: boolean } = { time: true, uuid: true },
    /** Of the answer, which no mask touches. */
    nodeName = flow.node_name,
  ) {
    const { time: _, uuid: __, ...rest } = flow;
    const body = encode('flow.Flow', rest);
    // Field 1 (time) and field 34 (uuid); the order of fields is free.
    const timeHead = keep.time ? Buffer.from([0x0a, TIME_BYTES]) : Buffer.alloc(0);
    const uuidHead = keep.uuid ? Buffer.from([0x92, 0x02, UUID_BYTES]) : Buffer.alloc(0);
    const time = Buffer.alloc(keep.time ? TIME_BYTES : 0);
    const uuid = Buffer.alloc(keep.uuid ? UUID_BYTES : 0);
    const inner = Buffer.concat([timeHead, time, uuidHead, uuid, body]);
    const flowHead = Buffer.concat([Buffer.from([0x0a]), varint(inner.length)]);
    const name = Buffer.from(nodeName ?? '');
    // Fields 1000 (node_name) and 1001 (time) of the answer.
    const tail = Buffer.concat([
      ...(name.length > 0 ? [Buffer.from([0xc2, 0x3e]), varint(name.length), name] : []),
      Buffer.from([0xca, 0x3e, TIME_BYTES]),
    ]);
    const length = flowHead.length + inner.length + tail.length + TIME_BYTES;
    const head = Buffer.alloc(FRAME_HEAD);
    head.writeUInt32BE(length, 1);
    this.#bytes = Buffer.concat([head, flowHead, inner, tail, Buffer.alloc(TIME_BYTES)]);
    const innerAt = FRAME_HEAD + flowHead.length;
    this.#timeAt = [this.#bytes.length - TIME_BYTES];
    if (keep.time) this.#timeAt.push(innerAt + timeHead.length);
    this.#uuidAt = keep.uuid ? innerAt + timeHead.length + time.length + uuidHead.length : undefined;
  }

  /** Bytes of one framed answer. */
  get length(): number {
    return this.#bytes.length;
  }

  /** Writes the answer for one point in time into `target`. `sequence` makes the UUID. */
  write(target: Buffer, at: number, time: FlowTime, sequence: number): void {
    this.#bytes.copy(target, at);
    for (const offset of this.#timeAt) {
      target[at + offset] = 0x08;
      putNumber(target, at + offset + 1, time.seconds);
      target[at + offset + 6] = 0x10;
      putNumber(target, at + offset + 7, time.nanos);
    }
    if (this.#uuidAt !== undefined) target.write(uuidOf(sequence), at + this.#uuidAt, 'latin1');
  }
}

/** The UUID of a flow by its number. */
export function uuidOf(sequence: number): string {
  const hex = sequence.toString(16).padStart(12, '0');
  return `1ab00000-0000-4000-8000-${hex}`;
}

/** A number in five bytes, whatever its size: the longest form is as good as the shortest. */
function putNumber(target: Buffer, at: number, value: number): void {
  target[at] = (value & 0x7f) | 0x80;
  target[at + 1] = ((value >>> 7) & 0x7f) | 0x80;
  target[at + 2] = ((value >>> 14) & 0x7f) | 0x80;
  target[at + 3] = ((value >>> 21) & 0x7f) | 0x80;
  target[at + 4] = Math.floor(value / 2 ** 28) & 0x7f;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) {
      bytes.push(rest);
      return Buffer.from(bytes);
    }
    bytes.push((rest & 0x7f) | 0x80);
  }
}
