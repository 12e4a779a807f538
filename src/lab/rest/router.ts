import { decodePercent } from '../../lib/percent.ts';
import { type AgentVersion, inVersion } from '../version.ts';
import type { ApiDescription, ApiOperation } from './api.ts';

/** Where a request leads. */
export type Route =
  | { kind: 'found'; key: string; operation: ApiOperation; params: Record<string, string> }
  | { kind: 'no-path' }
  | { kind: 'no-method'; allowed: string[] };

interface Entry {
  template: string;
  parts: string[];
  operations: Record<string, ApiOperation>;
}

/** Finds the operation of a request in the description of the API. */
export class Router {
  readonly #entries: Entry[];

  constructor(
    private readonly api: ApiDescription,
    version: AgentVersion,
  ) {
    this.#entries = Object.entries(api.paths)
      .map(([template, all]) => ({
        template,
        parts: template.split('/').slice(1),
        operations: Object.fromEntries(
          Object.entries(all).filter(([, operation]) => inVersion(operation['x-versions'], version)),
        ),
      }))
      .filter((entry) => Object.keys(entry.operations).length > 0)
      // A literal path wins over one with a placeholder: /identity/endpoints over /identity/{id}.
      .sort((a, b) => placeholders(a) - placeholders(b));
  }

  /** Keys (`GET /endpoint/{id}`) of all operations that exist. */
  keys(): string[] {
    return this.#entries.flatMap(({ template, operations }) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${template}`),
    );
  }

  /** `path` is escaped and without its query. */
  find(method: string, path: string): Route {
    const { basePath } = this.api;
    if (!path.startsWith(`${basePath}/`)) return { kind: 'no-path' };
    const parts = path
      .slice(basePath.length + 1)
      .split('/')
      .map(decodePercent);
    for (const { template, parts: wanted, operations } of this.#entries) {
      const params = match(wanted, parts);
      if (!params) continue;
      const operation = operations[method.toLowerCase()];
      if (operation) return { kind: 'found', key: `${method} ${template}`, operation, params };
      return { kind: 'no-method', allowed: Object.keys(operations).map((name) => name.toUpperCase()) };
    }
    return { kind: 'no-path' };
  }
}

function placeholders(entry: Entry): number {
  return entry.parts.filter((part) => part.startsWith('{')).length;
}

function match(wanted: readonly string[], parts: readonly string[]): Record<string, string> | undefined {
  // A last empty part is a slash at the end: the reference takes both forms.
  const given = parts.at(-1) === '' && wanted.at(-1) !== '' ? parts.slice(0, -1) : parts;
  const want = wanted.at(-1) === '' && given.at(-1) !== '' ? wanted.slice(0, -1) : wanted;
  if (want.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, part] of want.entries()) {
    const value = given[i] ?? '';
    if (part.startsWith('{')) params[part.slice(1, -1)] = value;
    else if (part !== value) return undefined;
  }
  return params;
}
