import type { Shape, TypedShape } from '../../model/shape.ts';

/** The type of a model of the agent's API, or of a list of them (`Endpoint[]`). Loads the description. */
export async function apiType(name: string): Promise<TypedShape> {
  const { default: api } = await import('../../../schemas/agent-api.json', { with: { type: 'json' } });
  const definitions: Record<string, Shape> = api.definitions;
  const list = name.endsWith('[]');
  const ref: Shape = { $ref: `#/definitions/${list ? name.slice(0, -2) : name}` };
  return { shape: list ? { type: 'array', items: ref } : ref, definitions };
}
