// Writes src/agent/decode/types.gen.ts from schemas/agent-api.json. A test fails when the two disagree.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface Schema {
  $ref?: string;
  type?: string;
  enum?: string[];
  items?: Schema;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema;
  required?: string[];
  'x-versions'?: string[];
}
interface Operation {
  responses: Record<string, Schema | null>;
}
interface Description {
  definitions: Record<string, Schema>;
  paths: Record<string, Record<string, Operation>>;
}

const SCALARS: Record<string, string> = {
  integer: 'number',
  number: 'number',
  boolean: 'boolean',
  string: 'string',
};

function typeOf(schema: Schema, indent: string): string {
  if (schema.$ref) return schema.$ref.split('/').at(-1) ?? 'unknown';
  if (schema.enum) return schema.enum.map((v) => `'${v}'`).join(' | ');
  if (schema.type === 'array' && schema.items) {
    const item = typeOf(schema.items, indent);
    return /[|{ ]/.test(item) ? `Array<${item}>` : `${item}[]`;
  }
  if (schema.additionalProperties) return `Record<string, ${typeOf(schema.additionalProperties, indent)}>`;
  if (schema.properties) return fieldsOf(schema, indent);
  return SCALARS[schema.type ?? ''] ?? 'unknown';
}

function fieldsOf(schema: Schema, indent: string): string {
  const inner = `${indent}  `;
  const lines = Object.entries(schema.properties ?? {}).map(([name, field]) => {
    const key = /^[A-Za-z_]\w*$/.test(name) ? name : `'${name}'`;
    const versions = field['x-versions'] ? `${inner}/** Only ${field['x-versions'].join(', ')}. */\n` : '';
    const optional = schema.required?.includes(name) ? '' : '?';
    return `${versions}${inner}${key}${optional}: ${typeOf(field, inner)};`;
  });
  return `{\n${lines.join('\n')}\n${indent}}`;
}

/** The text of types.gen.ts for a description. */
export function generate(api: Description): string {
  const parts = ['// Made by scripts/generate-agent-types.ts from schemas/agent-api.json. Do not edit.'];
  for (const [name, schema] of Object.entries(api.definitions)) {
    const versions = schema['x-versions'] ? `/** Only ${schema['x-versions'].join(', ')}. */\n` : '';
    parts.push(
      schema.properties
        ? `${versions}export interface ${name} ${fieldsOf(schema, '')}`
        : `${versions}export type ${name} = ${typeOf(schema, '')};`,
    );
  }
  for (const method of ['get', 'put', 'post', 'patch', 'delete']) {
    const rows = Object.entries(api.paths)
      .filter(([, operations]) => operations[method])
      .map(([path, operations]) => {
        const responses = Object.entries(operations[method]?.responses ?? {});
        const bodies = responses
          .filter(([code]) => code.startsWith('2'))
          .map(([, s]) => (s ? typeOf(s, '  ') : 'undefined'));
        return `  '${path}': ${[...new Set(bodies)].join(' | ')};`;
      });
    const title = method[0]?.toUpperCase() + method.slice(1);
    parts.push(
      `/** What a successful ${method.toUpperCase()} answers, by path. */\nexport interface ${title}Answers {\n${rows.join('\n')}\n}`,
    );
  }
  return `${parts.join('\n\n')}\n`;
}

const root = new URL('../', import.meta.url);
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const api = JSON.parse(readFileSync(new URL('schemas/agent-api.json', root), 'utf8')) as Description;
  writeFileSync(new URL('src/agent/decode/types.gen.ts', root), generate(api));
}
