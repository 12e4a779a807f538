// How the bundle gets at modules of Node's.
import { readFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { relative } from 'node:path';

/**
 * An ES module that imports one of Node's evaluates every getter among its exports: node:fs brings all of fs.promises
 * along, node:process opens the standard streams, node:util loads the stream classes and worker_threads. So a module is
 * fetched by a call, and of it only the names that the file asks for. What CommonJS requires is fetched by a call as well:
 * a bundle of ES modules has no `require`.
 */
const builtinsBy = (callOf) => ({
  name: 'builtins-by-call',
  setup(b) {
    // One for each file that asks, so that it stays in that file's chunk.
    b.onResolve({ filter: /^[a-z]/ }, ({ path, kind, importer }) => {
      const name = isBuiltin(path) && !path.startsWith('node:') ? `node:${path}` : path;
      // What is imported late has its names at once only as an ES module.
      if (!name.startsWith('node:') || !['import-statement', 'require-call'].includes(kind)) return undefined;
      const names = kind === 'import-statement' ? namesAsked(importer, path) : undefined;
      return {
        path: `${name} for ${relative(b.initialOptions.absWorkingDir, importer)}`,
        namespace: 'builtin',
        pluginData: { names },
      };
    });
    b.onLoad({ filter: /./, namespace: 'builtin' }, ({ path, pluginData: { names } }) => {
      const name = path.split(' ')[0];
      const call = callOf(name);
      if (!names) return { contents: `module.exports = ${call}` };
      const late =
        LATE.includes(name) &&
        names.length > 0 &&
        names.every((each) => isPlainFunction(builtin(name)[each]));
      return {
        contents: late
          ? names
              .map((each) => `export function ${each}(...args) { return ${call}.${each}(...args); }`)
              .join('\n')
          : `const all = ${call}; export default all; export const { ${names.join(', ')} } = all;`,
      };
    });
  },
});

export const builtinsByCall = builtinsBy((name) => `process.getBuiltinModule('${name}')`);
/** For a file in the form of CommonJS that an old Node has to read. */
export const builtinsByRequire = builtinsBy((name) => `module.require('${name}')`);

/** These are loaded when a function of theirs is first called. */
const LATE = ['node:child_process', 'node:crypto', 'node:fs/promises', 'node:net', 'node:tls', 'node:zlib'];

const builtin = createRequire(import.meta.url);

/** Called by any other name it does the same: it is no class, and has nothing that promisify looks for. */
function isPlainFunction(value) {
  const own = ['length', 'name', 'prototype'];
  return (
    typeof value === 'function' &&
    /^[a-z]/.test(value.name) &&
    Reflect.ownKeys(value).every((key) => own.includes(key))
  );
}

/** The names that a file imports of a module. Nothing where it wants the module as a namespace. */
export function namesAsked(file, module) {
  const clauses = [
    ...readFileSync(file, 'utf8').matchAll(
      /^(?:import|export)\s+(?!type\b)([^'";]+?)\s*from\s*['"]([^'"]+)/gm,
    ),
  ]
    .filter(([, , from]) => from === module)
    .map(([, clause]) => clause);
  if (clauses.length === 0 || clauses.some((clause) => clause.includes('*'))) return undefined;
  const asked = clauses.flatMap((clause) => /\{([^}]*)\}/.exec(clause)?.[1].split(',') ?? []);
  const names = asked.map((name) => name.trim().split(/\s+as\s+/)[0]);
  return [...new Set(names)].filter((name) => name && !name.startsWith('type '));
}
