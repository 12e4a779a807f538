// Writes src/model/hubble.gen.ts (types) and src/hubble/protobuf/descriptor.gen.ts (the wire) from schemas/hubble/*.proto.
// A test fails when they disagree.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface Field {
  name: string;
  number: number;
  type: string;
  repeated: boolean;
  oneof: string | undefined;
}
interface Message {
  name: string;
  fields: Field[];
}
interface Enum {
  name: string;
  values: [string, number][];
}
interface Method {
  path: string;
  request: string;
  response: string;
  stream: boolean;
}
interface Schema {
  messages: Message[];
  enums: Enum[];
  methods: Method[];
}

/** Reads the part of the proto language that schemas/hubble uses. */
export function parseProto(text: string, into: Schema): void {
  const words = text
    .replace(/\/\/.*$/gm, '')
    .replace(/\[[^\]]*\]/g, '')
    .match(/"[^"]*"|[\w.]+|[^\s\w]/g);
  const tokens = words ?? [];
  let at = 0;
  const next = () => tokens[at++] ?? '';
  const expect = (word: string) => {
    const got = next();
    if (got !== word) throw new Error(`expected ${word}, found ${got}`);
  };
  const skip = () => {
    while (next() !== ';');
  };
  let scope = '';

  const readEnum = () => {
    const found: Enum = { name: `${scope}.${next()}`, values: [] };
    expect('{');
    for (let name = next(); name !== '}'; name = next()) {
      expect('=');
      found.values.push([name, Number(next())]);
      expect(';');
    }
    into.enums.push(found);
  };
  const readField = (message: Message, first: string, oneof: string | undefined) => {
    const repeated = first === 'repeated';
    const type = repeated ? next() : first;
    const name = next();
    expect('=');
    message.fields.push({ name, number: Number(next()), type, repeated, oneof });
    expect(';');
  };
  const readMessage = () => {
    const message: Message = { name: `${scope}.${next()}`, fields: [] };
    into.messages.push(message);
    const outer = scope;
    scope = message.name;
    expect('{');
    for (let word = next(); word !== '}'; word = next()) {
      if (word === 'message') readMessage();
      else if (word === 'enum') readEnum();
      else if (word === 'reserved') skip();
      else if (word === 'oneof') {
        const oneof = next();
        expect('{');
        for (let inner = next(); inner !== '}'; inner = next()) readField(message, inner, oneof);
      } else readField(message, word, undefined);
    }
    scope = outer;
  };
  const readService = () => {
    const service = `${scope}.${next()}`;
    expect('{');
    for (let word = next(); word !== '}'; word = next()) {
      const name = next();
      expect('(');
      const request = next();
      const type = request === 'stream' ? next() : request;
      expect(')');
      expect('returns');
      expect('(');
      const answer = next();
      const stream = answer === 'stream';
      into.methods.push({
        path: `/${service}/${name}`,
        request: resolveLater(scope, type),
        response: resolveLater(scope, stream ? next() : answer),
        stream,
      });
      expect(')');
      expect(';');
    }
  };
  while (at < tokens.length) {
    const word = next();
    if (word === 'package') {
      scope = next();
      expect(';');
    } else if (word === 'message') readMessage();
    else if (word === 'enum') readEnum();
    else if (word === 'service') readService();
    else skip();
  }
}

function resolveLater(scope: string, type: string): string {
  return type.includes('.') ? type : `${scope}.${type}`;
}

const SCALARS: Record<string, string> = {
  bool: 'boolean',
  string: 'string',
  bytes: 'string',
  int32: 'number',
  uint32: 'number',
  int64: 'string',
  uint64: 'string',
  double: 'number',
};

const WELL_KNOWN: Record<string, string> = {
  'google.protobuf.Timestamp': 'string',
  'google.protobuf.Duration': 'string',
  'google.protobuf.FieldMask': 'string',
  'google.protobuf.Any': 'AnyMessage',
  'google.protobuf.BoolValue': 'boolean',
  'google.protobuf.Int32Value': 'number',
  'google.protobuf.UInt32Value': 'number',
};

/** Replaces a type's name by the full one, looked up from the message outwards. */
function resolve(schema: Schema): void {
  const names = new Set([...schema.messages, ...schema.enums].map((t) => t.name));
  for (const message of schema.messages) {
    for (const field of message.fields) {
      if (SCALARS[field.type] || WELL_KNOWN[field.type]) continue;
      const scopes = message.name.split('.');
      let full: string | undefined;
      while (scopes.length > 0 && full === undefined) {
        const candidate = [...scopes, field.type].join('.');
        if (names.has(candidate)) full = candidate;
        scopes.pop();
      }
      if (full === undefined && names.has(field.type)) full = field.type;
      if (full === undefined) throw new Error(`${message.name}.${field.name}: unknown type ${field.type}`);
      field.type = full;
    }
  }
}

/** The last part of a name, prefixed where another package has the same. */
function typeNames(schema: Schema): Map<string, string> {
  const all = [...schema.messages, ...schema.enums].map((t) => t.name);
  const short = (name: string) => name.split('.').at(-1) ?? name;
  const names = new Map<string, string>();
  for (const name of all) {
    const clash = all.some((other) => other !== name && short(other) === short(name));
    const parts = name.split('.').slice(clash ? -2 : -1);
    names.set(name, parts.map((p) => p.charAt(0).toUpperCase() + p.slice(1)).join(''));
  }
  return names;
}

/** The texts of the two generated files. */
export function generate(sources: readonly string[]): { types: string; descriptor: string } {
  const schema: Schema = { messages: [], enums: [], methods: [] };
  for (const source of sources) parseProto(source, schema);
  resolve(schema);
  const names = typeNames(schema);
  const enums = new Set(schema.enums.map((e) => e.name));
  const head = '// Made by scripts/generate-hubble-proto.ts from schemas/hubble. Do not edit.';

  const types = [
    `${head}
// The JSON form of Hubble's messages: names as in the schema, 64-bit numbers and times as text, unset means default.`,
    `/** A value of an enum: its name, or its number when this version knows no name for it. */
export type Open<Name extends string> = Name | number;`,
    `/** A message of a type that is not known: its URL and its bytes in base64. */
export interface AnyMessage {\n  '@type': string;\n  [field: string]: unknown;\n}`,
  ];
  for (const { name, values } of schema.enums)
    types.push(`export type ${names.get(name)} =\n${values.map(([v]) => `  | '${v}'`).join('\n')};`);
  for (const { name, fields } of schema.messages) {
    const lines = fields.map((field) => {
      const base =
        SCALARS[field.type] ??
        WELL_KNOWN[field.type] ??
        (enums.has(field.type) ? `Open<${names.get(field.type)}>` : names.get(field.type));
      const key = /^[A-Za-z_]\w*$/.test(field.name) ? field.name : `'${field.name}'`;
      return `  ${key}?: ${base}${field.repeated ? '[]' : ''};`;
    });
    types.push(
      lines.length > 0
        ? `export interface ${names.get(name)} {\n${lines.join('\n')}\n}`
        : `export type ${names.get(name)} = Record<string, never>;`,
    );
  }
  types.push(
    `/** Every message by its full name. */\nexport interface Messages {\n${schema.messages
      .map(({ name }) => `  '${name}': ${names.get(name)};`)
      .join('\n')}\n}`,
  );

  const rows = schema.messages.map(({ name, fields }) => {
    const text = fields
      .map(
        (f) =>
          `${f.name}=${f.number}:${enums.has(f.type) ? '#' : ''}${f.type}${f.repeated ? '*' : ''}${f.oneof ? `@${f.oneof}` : ''}`,
      )
      .join(' ');
    return `  '${name}':\n    '${text}',`;
  });
  const descriptor = [
    `${head}
import type { Messages } from '../../model/hubble.gen.ts';`,
    `/** Fields in their declared order: \`name=number:type\`, \`#\` before an enum, \`*\` repeated, \`@\` its oneof. */
export const MESSAGES: Readonly<Record<keyof Messages, string>> = {\n${rows.join('\n')}\n};`,
    `/** Names and numbers of the values. */
export const ENUMS: Readonly<Record<string, string>> = {\n${schema.enums
      .map(({ name, values }) => `  '${name}':\n    '${values.map(([v, n]) => `${v}=${n}`).join(' ')}',`)
      .join('\n')}\n};`,
    `/** Methods by their path. */
export const METHODS = {\n${schema.methods
      .map(
        (m) => `  '${m.path}': { request: '${m.request}', response: '${m.response}', stream: ${m.stream} },`,
      )
      .join('\n')}\n} as const;`,
  ];
  return { types: `${types.join('\n\n')}\n`, descriptor: `${descriptor.join('\n\n')}\n` };
}

/** The schemas, in a fixed order. */
export function readSchemas(): string[] {
  const folder = new URL('../schemas/hubble/', import.meta.url);
  return readdirSync(folder)
    .filter((file) => file.endsWith('.proto'))
    .sort()
    .map((file) => readFileSync(new URL(file, folder), 'utf8'));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { types, descriptor } = generate(readSchemas());
  writeFileSync(new URL('../src/model/hubble.gen.ts', import.meta.url), types);
  writeFileSync(new URL('../src/hubble/protobuf/descriptor.gen.ts', import.meta.url), descriptor);
}
