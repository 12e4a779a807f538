import { assetPath, readAsset } from '../assets.ts';
import { type AgentVersion, inVersion } from '../version.ts';

/** A schema of schemas/agent-api.json. */
export interface ApiSchema {
  $ref?: string;
  type?: string;
  enum?: string[];
  items?: ApiSchema;
  properties?: Record<string, ApiSchema>;
  additionalProperties?: ApiSchema;
  'x-versions'?: string[];
}

export interface ApiParameter {
  name: string;
  in: 'path' | 'query' | 'header' | 'body';
  required: boolean;
  schema: ApiSchema;
  'x-versions'?: string[];
}

export interface ApiOperation {
  parameters?: ApiParameter[];
  responses: Record<string, ApiSchema | null>;
  'x-versions'?: string[];
}

/** The description of the agent's REST API. */
export interface ApiDescription {
  basePath: string;
  definitions: Record<string, ApiSchema>;
  paths: Record<string, Record<string, ApiOperation>>;
}

/** Reads the description that ships with the toolkit. */
export function readApi(): ApiDescription {
  return JSON.parse(readAsset(assetPath('schemas/agent-api.json')).toString('utf8')) as ApiDescription;
}

/** Leaves out the fields that agents of `version` do not have. Fields the description does not know stay. */
export function pruneFields(
  value: unknown,
  schema: ApiSchema | null | undefined,
  api: ApiDescription,
  version: AgentVersion,
): unknown {
  if (version === 'all' || !schema || typeof value !== 'object' || value === null) return value;
  if (schema.$ref) {
    const name = schema.$ref.split('/').at(-1) ?? '';
    return pruneFields(value, api.definitions[name], api, version);
  }
  if (Array.isArray(value)) return value.map((item) => pruneFields(item, schema.items, api, version));
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, field]) => {
      const known = schema.properties?.[name];
      if (known && !inVersion(known['x-versions'], version)) return [];
      return [[name, pruneFields(field, known ?? schema.additionalProperties, api, version)]];
    }),
  );
}
