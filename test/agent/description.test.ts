import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { generate } from '../../scripts/generate-agent-types.ts';
import { fixture, type RestCase } from '../helpers/recordings.ts';

interface Schema {
  $ref?: string;
  type?: string;
  items?: Schema;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema;
  required?: string[];
}
interface Description {
  definitions: Record<string, Schema>;
  paths: Record<string, Record<string, { responses: Record<string, Schema | null> }>>;
}

const text = readFileSync(new URL('../../schemas/agent-api.json', import.meta.url), 'utf8');
const description = JSON.parse(text) as Description;

/**
 * The same description, strict: a field that is not described is an error. Go writes an empty list or map that was
 * never made as null, so null is allowed where one of those stands.
 */
function strict(schema: Schema): Schema | { anyOf: unknown[] } {
  if (schema.$ref) return { anyOf: [{ $ref: schema.$ref }, { type: 'null' }] };
  const deep: Record<string, unknown> = { ...schema };
  if (schema.items) deep.items = strict(schema.items);
  if (schema.additionalProperties) deep.additionalProperties = strict(schema.additionalProperties);
  if (schema.properties) {
    deep.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([name, field]) => [name, strict(field)]),
    );
    deep.additionalProperties ??= false;
  }
  if (schema.type === 'array' || schema.type === 'object') return { anyOf: [deep, { type: 'null' }] };
  return deep as Schema;
}

function validatorOf() {
  const ajv = new Ajv({ allErrors: true, strict: false, validateFormats: false });
  const definitions = Object.fromEntries(
    Object.entries(description.definitions).map(([name, schema]) => [name, strict(schema)]),
  );
  const compiled = new Map<string, ReturnType<typeof ajv.compile>>();
  return (schema: Schema) => {
    const key = JSON.stringify(schema);
    const known = compiled.get(key) ?? ajv.compile({ ...(strict(schema) as object), definitions });
    compiled.set(key, known);
    return known;
  };
}

/** The described path that a request went to. */
function describedPath(path: string): string | undefined {
  const bare = path.replace(/^\/v1/, '').replace(/\?.*$/, '');
  const fits = (template: string) =>
    new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+').replace(/[.]/g, '\\.')}$`).test(bare);
  return description.paths[bare] ? bare : Object.keys(description.paths).find(fits);
}

describe('the description of the agent API', () => {
  test.each(['agent-1.20.json', 'agent-1.17-policy.json'])('fits every recorded body of %s', (file) => {
    const validator = validatorOf();
    const wrong = new Set<string>();
    let checked = 0;
    for (const recorded of fixture<RestCase[]>(`recordings/${file}`)) {
      for (const { request, response } of recorded.exchanges) {
        if (!request.path.startsWith('/v1/') || response.status >= 300 || response.body.trim() === '')
          continue;
        if (request.path.includes('/events')) continue;
        const path = describedPath(request.path);
        const schema = path && description.paths[path]?.[request.method.toLowerCase()]?.responses['200'];
        if (!schema) {
          wrong.add(`${request.method} ${request.path}: not described`);
          continue;
        }
        const validate = validator(schema);
        checked++;
        if (validate(JSON.parse(response.body))) continue;
        for (const error of validate.errors ?? []) {
          const detail = 'additionalProperty' in error.params ? ` "${error.params.additionalProperty}"` : '';
          const place = error.instancePath.replace(/\/\d+/g, '/*');
          if (error.keyword !== 'anyOf' && error.params.type !== 'null')
            wrong.add(`${request.method} ${path}: ${place} ${error.message}${detail}`);
        }
      }
    }
    expect([...wrong]).toEqual([]);
    expect(checked).toBeGreaterThan(20);
  });

  test('is what types.gen.ts was made from', () => {
    const types = readFileSync(new URL('../../src/agent/decode/types.gen.ts', import.meta.url), 'utf8');
    expect(types).toBe(generate(description));
  });
});
