import {
  type Field,
  type MessageName,
  type MessageType,
  messageType,
} from '../../src/hubble/protobuf/schema.ts';
import fc from './properties.ts';

const plainTexts = fc.constantFrom('a', 'web-app', 'default', 'k8s:app=web', 'lab/node1', '10.0.0.1');

/** Texts that a cluster would hold, and some that only an attacker would. */
const texts = fc.oneof(
  {
    weight: 6,
    arbitrary: plainTexts,
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'a"b',
      'c:\\d',
      '<&>',
      'é',
      '\u001b[31mred',
      '\u2028',
      'x\ny',
      '\r',
      '\u007f',
      '😀',
    ),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 12 }) },
);

const seconds = fc.integer({ min: 1_790_000_000, max: 1_800_000_000 });
const nanos = fc.oneof(
  fc.constantFrom(0, 1_000_000, 1000, 120_000_000),
  fc.integer({ min: 0, max: 999_999_999 }),
);

const times = fc.tuple(seconds, nanos).map(([s, n]) => {
  const digits = String(n)
    .padStart(9, '0')
    .replace(/(000)+$/, '');
  return `${new Date(s * 1000).toISOString().slice(0, 19)}${digits && `.${digits}`}Z`;
});

interface MessageOptions {
  /** Defaults stand in the message as well. */
  zeros?: boolean;
  /** Values are those that a cluster would hold. */
  plain?: boolean;
}

/** A message of the schema in canonical form: declared order, and no defaults unless asked for. */
export function messages(
  name: MessageName,
  options: MessageOptions = {},
): fc.Arbitrary<Record<string, unknown>> {
  return messageOf(messageType(name), 0, options);
}

function messageOf(
  type: MessageType,
  depth: number,
  options: MessageOptions,
): fc.Arbitrary<Record<string, unknown>> {
  const fields = type.fields.filter((field) => field.kind !== 'any');
  return fc
    .tuple(
      ...fields.map((field) =>
        fc.option(fieldValue(field, depth, options), { nil: undefined, freq: depth > 2 ? 1 : 2 }),
      ),
    )
    .map((values) => {
      const message: Record<string, unknown> = {};
      const oneofs = new Set<string>();
      for (const [i, field] of fields.entries()) {
        const value = values[i];
        if (value === undefined) continue;
        if (field.oneof !== undefined) {
          if (oneofs.has(field.oneof)) continue;
          oneofs.add(field.oneof);
        } else if (!options.zeros && !field.repeated && isDefault(field, value)) continue;
        if (field.repeated && Array.isArray(value) && value.length === 0) continue;
        message[field.name] = value;
      }
      return message;
    });
}

function isDefault(field: Field, value: unknown): boolean {
  if (['boolValue', 'int32Value', 'uint32Value', 'message'].includes(field.kind)) return false;
  return (
    value === '' ||
    value === 0 ||
    value === '0' ||
    value === false ||
    (field.kind === 'enum' && value === field.values().names.get(0))
  );
}

function fieldValue(field: Field, depth: number, options: MessageOptions): fc.Arbitrary<unknown> {
  const one = scalarOf(field, depth, options);
  return field.repeated ? fc.array(one, { maxLength: 3 }) : one;
}

function scalarOf(field: Field, depth: number, options: MessageOptions): fc.Arbitrary<unknown> {
  switch (field.kind) {
    case 'message':
      return messageOf(field.message(), depth + 1, options);
    case 'string':
      return options.plain ? plainTexts : texts;
    case 'timestamp':
      return times;
    case 'enum':
      return fc.constantFrom(...field.values().numbers.keys());
    case 'bool':
    case 'boolValue':
      return fc.boolean();
    case 'int32':
    case 'int32Value':
      return options.plain ? fc.nat(300) : fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
    case 'uint32':
    case 'uint32Value':
      return fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 0xffff_ffff }));
    case 'uint64':
      return fc.bigInt({ min: 0n, max: options.plain ? 1n << 62n : 0xffff_ffff_ffff_ffffn }).map(String);
    case 'int64':
      return fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }).map(String);
    default:
      return fc.constant('');
  }
}
