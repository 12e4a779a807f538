import { type Field, type MessageType, messageType } from '../protobuf/schema.ts';

/** Text without escapes that anybody would have to look at: no quotes, control bytes or bytes beyond ASCII. */
const PLAIN = '[^"\\\\\\x00-\\x1f\\x7f-\\xff<>&]*';
/** The escapes that the canonical form uses for what can stand in a name or a URL. */
const ESCAPED = '\\\\(?:["\\\\]|u00(?:3[ce]|26))';
const TEXT = `${PLAIN}(?:${ESCAPED}${PLAIN})*`;
/** Days that only some months have are left to the calendar of the general path, but for those of most months. */
const DATE =
  '(?!0000)\\d{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)';
const TIME = `${DATE}T(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{3}(?:\\d{3}(?:\\d{3})?)?(?<!000))?Z`;
const UINT32 = '(?:[1-9]\\d{0,8}|[1-3]\\d{9}|4[01]\\d{8}|4294967295)';
const NEVER = '(?!)';

/** Where a value stands in the match of a canonical line, by its path in the message. */
export type Captures = ReadonlyMap<string, number>;

/**
 * A regular expression for lines that are the canonical JSON of a message already, newline included: what it
 * matches, printing the parsed line again would give byte for byte. It takes the place of a parser where speed
 * counts, because V8 compiles it to machine code. What it refuses may still be right and is for the parser.
 * Matching is linear: the name in front of each value leaves no two ways to read a line.
 *
 * `captured` names leaves whose text is captured (without quotes) and messages of which only the presence is.
 */
export function canonicalLine(
  name: Parameters<typeof messageType>[0],
  captured: ReadonlySet<string>,
): {
  regex: RegExp;
  captures: Captures;
} {
  const captures = new Map<string, number>();
  const source = messageSource(messageType(name), '', captured, captures);
  return { regex: new RegExp(`${source}\\n`, 'y'), captures };
}

function messageSource(
  type: MessageType,
  path: string,
  captured: ReadonlySet<string>,
  captures: Map<string, number>,
): string {
  const parts: string[] = [];
  for (const [i, field] of type.fields.entries()) {
    const at = path === '' ? field.name : `${path}.${field.name}`;
    const source = `"${field.name}":${fieldSource(field, at, captured, captures)}`;
    // Of the members of a oneof, which stand together, there is at most one.
    const joins = field.oneof !== undefined && type.fields[i - 1]?.oneof === field.oneof;
    if (joins) parts.push(`${parts.pop()}|${source}`);
    else parts.push(source);
  }
  return `\\{${parts.map((part) => `(?:(?:${part})(?:,(?=")|(?=\\})))?`).join('')}\\}`;
}

function fieldSource(
  field: Field,
  path: string,
  captured: ReadonlySet<string>,
  captures: Map<string, number>,
): string {
  const capture = captured.has(path);
  if (capture) captures.set(path, captures.size + 1);
  if (field.repeated) {
    // The values of a list have no names that could be captured each.
    const value = valueSource(field, path, new Set(), new Map(), (inner) => inner);
    const list = `\\[${value}(?:,${value})*\\]`;
    return capture ? `(${list})` : list;
  }
  return valueSource(field, path, captured, captures, (inner) => (capture ? `(${inner})` : inner));
}

function valueSource(
  field: Field,
  path: string,
  captured: ReadonlySet<string>,
  captures: Map<string, number>,
  wrap: (inner: string) => string,
): string {
  const present = field.oneof !== undefined;
  switch (field.kind) {
    case 'message':
      return wrap('') + messageSource(field.message(), path, captured, captures);
    case 'string':
      // An empty text is a default, which only lists keep.
      return `"${wrap(field.repeated || present ? TEXT : `(?!")${TEXT}`)}"`;
    case 'timestamp':
      return `"${wrap(TIME)}"`;
    case 'enum':
      return `"${wrap(enumSource(field))}"`;
    case 'bool':
      return wrap(field.repeated || present ? '(?:true|false)' : 'true');
    case 'boolValue':
      return wrap('(?:true|false)');
    case 'uint32':
      return wrap(field.repeated || present ? `(?:0|${UINT32})` : UINT32);
    case 'uint32Value':
      return wrap(`(?:0|${UINT32})`);
    case 'int32':
      return wrap(field.repeated || present ? NEVER : '-?[1-9]\\d{0,8}');
    case 'int32Value':
      return wrap('(?:0|-?[1-9]\\d{0,8})');
    case 'uint64':
      return `"${wrap('[1-9]\\d{0,18}')}"`;
    case 'int64':
      return `"${wrap('-?[1-9]\\d{0,17}')}"`;
    default:
      return NEVER;
  }
}

function enumSource(field: Field): string {
  const { numbers } = field.values();
  const zero = field.repeated || field.oneof !== undefined;
  const names = [...numbers].filter(([, number]) => zero || number !== 0).map(([name]) => name);
  return names.length > 0 ? `(?:${names.join('|')})` : NEVER;
}
