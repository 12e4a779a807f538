import { parsePlainJson } from '../../lib/exact-json.ts';
import type { GetFlowsResponse } from '../../model/hubble.gen.ts';
import { type ParseOptions, parseProtoJson } from '../protobuf/protojson.ts';
import { messageType } from '../protobuf/schema.ts';

/** What editors of Windows put in front of a text. */
const BYTE_ORDER_MARK = '\ufeff';

/** A line without the mark that a file, or one that was appended to another, may begin with. */
export function withoutMark(line: string): string {
  return line.startsWith(BYTE_ORDER_MARK) ? line.slice(1) : line;
}

const RESPONSE = messageType('observer.GetFlowsResponse');
const FLOW = messageType('flow.Flow');
const LOST = messageType('flow.LostEvent');
/** Only a whole answer has these names. */
const WHOLE = /"(?:flow|lost_events|lostEvents|node_status|nodeStatus)"\s*:/;

/**
 * Parses a line of a capture: an answer, or what stood in one, a flow or lost events, as older CLIs and
 * `HUBBLE_COMPAT=legacy-json-output` write it. Throws ProtoJsonError.
 */
export function parseRecord(line: string, options: ParseOptions): GetFlowsResponse {
  const form = WHOLE.test(line) ? RESPONSE : formOf(line);
  if (form === LOST) return { lost_events: parseProtoJson('flow.LostEvent', line, options) };
  if (form !== FLOW) return parseProtoJson('observer.GetFlowsResponse', line, options);
  const flow = parseProtoJson('flow.Flow', line, options);
  const { time, node_name } = flow;
  return { flow, ...(node_name && { node_name }), ...(time && { time }) };
}

/** The message that a line is of, by the first of its names that only one has. */
function formOf(line: string): typeof RESPONSE {
  let value: unknown;
  try {
    value = parsePlainJson(line);
  } catch {
    return RESPONSE;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return RESPONSE;
  const names = Object.keys(value).filter((name) => !RESPONSE.byName.has(name));
  // A flow has a source too.
  if (names.some((name) => LOST.byName.has(name) && !FLOW.byName.has(name))) return LOST;
  return names.some((name) => FLOW.byName.has(name)) ? FLOW : RESPONSE;
}
