import type { Timestamp } from '../lib/timestamp.ts';
import { withoutHead } from './grpc/frames.ts';
import { WireError, WireReader } from './protobuf/wire.ts';

/** Fields of GetFlowsResponse. */
const FLOW = 1;
const NODE_STATUS = 2;
const TIME = 1001;
/** The field of a flow that says when it was seen. */
const FLOW_TIME = 1;
const BYTES = 2;

/**
 * When the flow of an answer was seen, read from its bytes without the rest of it. Undefined for lost events and news of nodes, and
 * for what is no message.
 */
export function timeOfAnswer(framed: Buffer): Timestamp | undefined {
  const reader = new WireReader(withoutHead(framed));
  let told: Timestamp | undefined;
  let hasFlow = false;
  try {
    while (reader.pos < reader.end) {
      const tag = reader.uint32();
      const [field, wireType] = [tag >>> 3, tag & 7];
      if (wireType !== BYTES || (field !== FLOW && field !== TIME)) {
        reader.skip(wireType);
        continue;
      }
      const inner = reader.nested();
      if (field === TIME) told = inner.time();
      else {
        hasFlow = true;
        const time = timeOfFlow(inner);
        if (time) return time;
      }
    }
  } catch (error) {
    // Who reads all of it says what is wrong with it.
    if (error instanceof WireError) return undefined;
    throw error;
  }
  return hasFlow ? told : undefined;
}

/** Whether an answer tells of nodes instead of flows. */
export function isNodeNews(framed: Buffer): boolean {
  return withoutHead(framed)[0] === ((NODE_STATUS << 3) | BYTES);
}

function timeOfFlow(reader: WireReader): Timestamp | undefined {
  while (reader.pos < reader.end) {
    const tag = reader.uint32();
    if (tag === ((FLOW_TIME << 3) | BYTES)) {
      return reader.nested().time();
    }
    reader.skip(tag & 7);
  }
  return undefined;
}
