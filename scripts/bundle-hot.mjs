// What a start runs is one script, compiled with a code cache (src/bin/hot.ts); everything else are ES modules beside it,
// loaded when a verb needs them. A module of the script that another one imports is handed out by the script, so that
// there is one of each.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build } from 'esbuild';
import { namesAsked } from './bundle-builtins.mjs';

/** Files that are loaded late in the sources, and are part of the script: hot verbs and what they load. */
const ALSO_HOT = [
  /\/commands\/hubble\/(?:version|status|config\/view|list\/nodes|observe\/(?:declare|run|source-file|source-server))\.ts$/,
  /\/(?:commands\/index|agent\/client|cli\/kube\/agent-hint)\.ts$/,
];

/** A document is a module with a default in dist/chunks: to import it as JSON, as the sources do, is refused by Node. */
const AS_JSON = /("\.\/chunks\/[\w-]+\.js"),\{with:\{type:"json"\}\}/g;

/** The name under which a file that is loaded late stands in dist/chunks. */
function chunkOf(root, path) {
  const below = path.startsWith('/') ? relative(root, path) : path;
  const [, file = below] = /(?:node_modules|src)\/(.*)$/.exec(below) ?? [];
  return file.replace(/\.\w+$/, '').replace(/[^\w-]+/g, '-');
}

/** The script: first which files are part of it and which are loaded late from it, then, with what the others ask, itself. */
export async function bundleHot({ common, root, plugins }) {
  const late = new Map();
  const coldLater = {
    name: 'cold-later',
    setup(b) {
      b.onResolve({ filter: /./ }, ({ path, kind, resolveDir }) => {
        if (kind !== 'dynamic-import' || path.startsWith('node:')) return undefined;
        const file = path.startsWith('.') ? join(resolveDir, path) : path;
        if (ALSO_HOT.some((hot) => hot.test(file))) return undefined;
        const name = chunkOf(root, file);
        if ((late.get(name) ?? file) !== file)
          throw new Error(`${file} and ${late.get(name)} would be one chunk`);
        late.set(name, file);
        return { path: `./chunks/${name}.js`, external: true };
      });
    },
  };
  const make = (contents, write, ...others) =>
    build({
      ...common,
      stdin: { contents, resolveDir: root, sourcefile: 'hot' },
      format: 'cjs',
      target: 'node24',
      entryNames: 'hot',
      metafile: true,
      write,
      plugins: [...others, coldLater, ...plugins],
    });
  const program =
    "export { main } from './src/main.ts'; export { leave, systemContext } from './src/system.ts';";
  const { metafile: first } = await make(`${program} import './scripts/bundle-core.ts';`, false);
  const files = Object.keys(first.inputs)
    .filter((path) => /^(?:src|node_modules)\//.test(path))
    .sort();
  const write = async (asked) => {
    const modules = [...asked.keys()]
      .sort()
      .map((path) => `${JSON.stringify(path)}: () => require('handout:${path}')`);
    const contents = `${program} export const modules = { ${modules.join(', ')} };`;
    const { metafile, warnings } = await make(contents, true, handouts(asked));
    const file = join(common.outdir, 'hot.js');
    const bytes = Buffer.from(readFileSync(file, 'utf8').replaceAll(AS_JSON, '$1'));
    writeFileSync(file, bytes);
    const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
    return { metafile, warnings, hash, isAscii: bytes.every((byte) => byte < 0x80) };
  };
  return { files, imports: Object.values(first.inputs).flatMap((input) => input.imports), late, write };
}

/** Of each file the names that others ask for. A namespace of all of them would be made at every start. */
function handouts(asked) {
  return {
    name: 'handouts',
    setup(b) {
      const resolveDir = b.initialOptions.absWorkingDir;
      b.onResolve({ filter: /^handout:/ }, ({ path }) => ({ path: path.slice(8), namespace: 'handout' }));
      b.onLoad({ filter: /./, namespace: 'handout' }, ({ path }) => {
        const names = [...(asked.get(path) ?? [])].sort().join(', ');
        return {
          contents: `import { ${names} } from './${path}'; module.exports = { ${names} };`,
          resolveDir,
        };
      });
    },
  };
}

/** For the rest of the bundle: what is part of the script comes from there, for each file that asks in its own chunk. */
export async function fromHot({ root, hot: { files, imports } }) {
  const isHot = new Set(files);
  const exportsOf = await exportsByFile(root, files);
  const packages = new Map();
  for (const { path, original } of imports)
    if (original && /^[a-z@]/.test(original) && isHot.has(path)) packages.set(original, path);
  const asked = new Map();
  const plugin = {
    name: 'from-hot',
    setup(b) {
      b.onResolve({ filter: /./ }, ({ path, kind, importer, resolveDir }) => {
        if (kind === 'entry-point' || importer.includes('/node_modules/')) return undefined;
        const file = path.startsWith('.') ? relative(root, join(resolveDir, path)) : packages.get(path);
        if (!isHot.has(file)) return undefined;
        const isLate = kind === 'dynamic-import';
        const names = (isLate ? undefined : namesAsked(importer, path)) ?? exportsOf.get(file) ?? [];
        asked.set(file, new Set([...(asked.get(file) ?? []), ...names]));
        return {
          path: `${file} for ${isLate ? 'all' : relative(root, importer)}`,
          namespace: 'hot',
          pluginData: { names },
        };
      });
      b.onResolve({ filter: /^\.\.\/program\.js$/, namespace: 'hot' }, ({ path }) => ({
        path,
        external: true,
      }));
      b.onLoad({ filter: /./, namespace: 'hot' }, ({ path, pluginData: { names } }) => {
        const call = `import { hot } from '../program.js'; const all = hot(${JSON.stringify(path.split(' ')[0])});`;
        const contents = `${call} export const { ${names.join(', ')} } = all;`;
        return { contents, resolveDir: root };
      });
    },
  };
  return { asked, plugin };
}

/** What each file exports: of what is imported late it cannot be seen which names are asked for. */
async function exportsByFile(root, files) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: files,
    outdir: 'out',
    outbase: '.',
    write: false,
    metafile: true,
    format: 'esm',
    jsx: 'automatic',
  });
  return new Map(
    Object.values(metafile.outputs).map((out) => [
      out.entryPoint,
      out.exports.filter((name) => name !== 'default'),
    ]),
  );
}
