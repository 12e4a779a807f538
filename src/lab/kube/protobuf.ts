/**
 * What kubectl sends of an object that it made itself is in protobuf: the fields that the lab looks at, by their numbers in
 * the definitions of Kubernetes. Others are dropped, as an API server drops what it does not know.
 */
interface Message {
  readonly [field: number]: readonly [name: string, type: FieldType];
}

type FieldType =
  | 'text'
  | 'texts'
  | 'number'
  | 'flag'
  | 'bytes'
  | 'labels'
  | 'data'
  | 'target'
  | Message
  | [Message];

const META: Message = {
  1: ['name', 'text'],
  2: ['generateName', 'text'],
  3: ['namespace', 'text'],
  11: ['labels', 'labels'],
  12: ['annotations', 'labels'],
  14: ['finalizers', 'texts'],
};
const SELECTOR: Message = {
  1: ['matchLabels', 'labels'],
  2: ['matchExpressions', [{ 1: ['key', 'text'], 2: ['operator', 'text'], 3: ['values', 'texts'] }]],
};
const CONTAINER: Message = {
  1: ['name', 'text'],
  2: ['image', 'text'],
  3: ['command', 'texts'],
  4: ['args', 'texts'],
  6: [
    'ports',
    [
      {
        1: ['name', 'text'],
        2: ['hostPort', 'number'],
        3: ['containerPort', 'number'],
        4: ['protocol', 'text'],
      },
    ],
  ],
  7: ['env', [{ 1: ['name', 'text'], 2: ['value', 'text'] }]],
};
const POD_SPEC: Message = {
  2: ['containers', [CONTAINER]],
  3: ['restartPolicy', 'text'],
  7: ['nodeSelector', 'labels'],
  8: ['serviceAccountName', 'text'],
  10: ['nodeName', 'text'],
  11: ['hostNetwork', 'flag'],
  16: ['hostname', 'text'],
  20: ['initContainers', [CONTAINER]],
};
const TEMPLATE: Message = { 1: ['metadata', META], 2: ['spec', POD_SPEC] };
const PORT: Message = {
  1: ['name', 'text'],
  2: ['protocol', 'text'],
  3: ['port', 'number'],
  4: ['targetPort', 'target'],
  5: ['nodePort', 'number'],
};

const KNOWN: Readonly<Record<string, Message>> = {
  Namespace: { 1: ['metadata', META] },
  ServiceAccount: { 1: ['metadata', META] },
  ConfigMap: { 1: ['metadata', META], 2: ['data', 'labels'] },
  Secret: { 1: ['metadata', META], 2: ['data', 'data'], 3: ['type', 'text'], 4: ['stringData', 'labels'] },
  Pod: TEMPLATE,
  Deployment: {
    1: ['metadata', META],
    2: [
      'spec',
      {
        1: ['replicas', 'number'],
        2: ['selector', SELECTOR],
        3: ['template', TEMPLATE],
        7: ['paused', 'flag'],
      },
    ],
  },
  DaemonSet: { 1: ['metadata', META], 2: ['spec', { 1: ['selector', SELECTOR], 2: ['template', TEMPLATE] }] },
  Service: {
    1: ['metadata', META],
    2: [
      'spec',
      {
        1: ['ports', [PORT]],
        2: ['selector', 'labels'],
        3: ['clusterIP', 'text'],
        4: ['type', 'text'],
        10: ['externalName', 'text'],
        11: ['externalTrafficPolicy', 'text'],
      },
    ],
  },
  Scale: { 1: ['metadata', META], 2: ['spec', { 1: ['replicas', 'number'] }] },
  DeleteOptions: {
    2: ['preconditions', { 1: ['uid', 'text'], 2: ['resourceVersion', 'text'] }],
    4: ['propagationPolicy', 'text'],
    5: ['dryRun', 'texts'],
  },
};

const MAGIC = Buffer.from('k8s\0');
const [VARINT, FIXED64, BYTES, FIXED32] = [0, 1, 2, 5];

/** The object that a body holds; undefined where it is of another form, or of a kind that is not known. */
export function decodeObject(body: Buffer): Record<string, unknown> | undefined {
  if (!body.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  try {
    const { type, raw } = decode(body.subarray(MAGIC.length), {
      1: ['type', { 1: ['apiVersion', 'text'], 2: ['kind', 'text'] }],
      2: ['raw', 'bytes'],
    }) as { type?: { apiVersion?: string; kind?: string }; raw?: Buffer };
    const message = KNOWN[type?.kind ?? ''];
    return message && { ...type, ...decode(raw ?? Buffer.alloc(0), message) };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function decode(bytes: Buffer, message: Message): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const { field, number, part } of fieldsOf(bytes)) {
    const [name, type] = message[field] ?? [];
    if (name === undefined || type === undefined) continue;
    if (type === 'number') result[name] = number;
    // What is not there and what is empty look alike.
    else if (type === 'flag') {
      if (number !== 0) result[name] = true;
    } else if (type === 'text') {
      if (part.length > 0) result[name] = part.toString();
    } else if (type === 'bytes') result[name] = part;
    else if (type === 'texts') result[name] = [...listIn(result[name]), part.toString()];
    else if (type === 'labels' || type === 'data') {
      const { key = '', value = Buffer.alloc(0) } = decode(part, {
        1: ['key', 'text'],
        2: ['value', 'bytes'],
      }) as { key?: string; value?: Buffer };
      const text = value.toString(type === 'data' ? 'base64' : 'utf8');
      result[name] = { ...Object(result[name]), [key]: text };
    } else if (type === 'target') {
      const { kind, whole, text } = decode(part, {
        1: ['kind', 'number'],
        2: ['whole', 'number'],
        3: ['text', 'text'],
      });
      const value = kind === 1 ? text : whole;
      if (value !== undefined && value !== 0) result[name] = value;
    } else if (Array.isArray(type)) {
      const [entry] = type;
      if (entry) result[name] = [...listIn(result[name]), decode(part, entry)];
    } else result[name] = decode(part, type as Message);
  }
  return result;
}

function listIn(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The fields of a message. Reading beyond its end is a RangeError. */
function* fieldsOf(bytes: Buffer): Generator<{ field: number; number: number; part: Buffer }> {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes.readUInt8(at++);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      if (scale > 2 ** 63) throw new RangeError('a number is too long');
    }
  };
  while (at < bytes.length) {
    const head = varint();
    const kind = head % 8;
    const field = Math.floor(head / 8);
    const none = Buffer.alloc(0);
    if (kind === VARINT) yield { field, number: varint(), part: none };
    else if (kind === BYTES) {
      const end = varint() + at;
      if (end > bytes.length) throw new RangeError('a field is longer than its message');
      yield { field, number: 0, part: bytes.subarray(at, end) };
      at = end;
    } else if (kind === FIXED64 || kind === FIXED32) at += kind === FIXED64 ? 8 : 4;
    else throw new RangeError('a field is of no known type');
  }
}
