// Bundles src/bin into dist/. Verbs stay in chunks of their own, so that a start loads only what it runs. A folder given
// as argument is used instead of dist/, and gets esbuild's description of the bundle as well.
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** Commit and date of the checkout; nothing in an archive without history. */
function revision() {
  try {
    const out = execFileSync('git', ['-C', root, 'log', '-1', '--format=%h %cI', '--abbrev=10'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return out.trim().split(' ');
  } catch {
    return ['unknown', 'unknown'];
  }
}
const [commit = 'unknown', committed = 'unknown'] = revision();
const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));

/**
 * undici's client drags in its fetch, WebSocket and HTTP/2 parts, which cost a third of a start and which a
 * request over a unix socket never enters. Each is cut at the file where the client reaches for it.
 */
const UNUSED_BY_CLIENT = {
  'dispatcher/client-h2.js': 'module.exports = () => { throw new Error("HTTP/2 is not part of this build") }',
  'web/fetch/body.js':
    'module.exports = { extractBody() { throw new Error("fetch bodies are not part of this build") } }',
  'web/fetch/formdata.js': 'module.exports = { FormData: class {}, setFormDataState() {} }',
  'web/webidl/index.js': 'module.exports = { webidl: { is: { FormData: () => false } } }',
  'llhttp/llhttp-wasm.js': 'module.exports = require("./llhttp_simd-wasm.js")',
  'milo/simd.js': 'module.exports = {}',
  'milo/no-simd.js': 'module.exports = {}',
};

/** The Kubernetes client fetches with undici as a whole: it gets a copy of its own in which nothing is cut. */
const WHOLE = { whole: true };
const RESOLVED = {};

const slimUndici = {
  name: 'slim-undici',
  setup(b) {
    b.onResolve({ filter: /./ }, async ({ path, pluginData, importer, ...from }) => {
      const whole =
        pluginData === WHOLE || (path === 'undici' && importer.includes('@kubernetes/client-node'));
      if (!whole || pluginData === RESOLVED) return undefined;
      const { kind, namespace, resolveDir } = from;
      const found = await b.resolve(path, { importer, kind, namespace, resolveDir, pluginData: RESOLVED });
      return found.external || found.errors.length > 0
        ? found
        : { ...found, suffix: '?whole', pluginData: WHOLE };
    });
    b.onLoad({ filter: /undici\/.*\.js$/, namespace: 'file' }, ({ path, suffix }) => {
      if (suffix === '?whole')
        return { contents: readFileSync(path), loader: 'js', resolveDir: dirname(path), pluginData: WHOLE };
      const contents = UNUSED_BY_CLIENT[path.split('undici/lib/')[1]];
      return contents ? { contents, loader: 'js', resolveDir: dirname(path) } : undefined;
    });
  },
};

/**
 * What nearly every verb runs. esbuild makes a chunk for each set of modules that are used by the same verbs, some
 * dozens for one start; with these imported by everything there is one chunk for all of them.
 */
const CORE = [
  'src/main.ts',
  'src/system.ts',
  'src/version.ts',
  'src/agent/client.ts',
  'src/agent/decode/reader.ts',
  'src/agent/decode/shapes.ts',
  'src/cli/output.ts',
  'src/lib/cidr.ts',
  'src/lib/ip.ts',
  'src/lib/order.ts',
  'src/render/text/duration.ts',
  'src/render/text/json.ts',
  'src/render/text/output.ts',
  'src/render/text/sanitize.ts',
  'src/render/text/table.ts',
];

const oneCore = {
  name: 'one-core',
  setup(b) {
    b.onResolve({ filter: /^core$/ }, () => ({ path: 'core', namespace: 'core' }));
    b.onLoad({ filter: /./, namespace: 'core' }, () => ({
      contents: CORE.map((file) => `import '${root}/${file}';`).join(''),
      resolveDir: root,
    }));
    // It is the first import everywhere, so that the cycles it makes change nothing about the order of evaluation.
    b.onLoad({ filter: /\/src\/.*\.tsx?$/, namespace: 'file' }, ({ path }) => ({
      contents: `import 'core';${readFileSync(path, 'utf8')}`,
      loader: path.endsWith('x') ? 'tsx' : 'ts',
    }));
  },
};

/** The two programs are a file each, which loads the rest once the compile cache is on. */
const laterProgram = {
  name: 'later-program',
  setup(b) {
    b.onResolve({ filter: /\/program\.ts$/ }, () => ({ path: './program.js', external: true }));
  },
};

/**
 * Ink loads its devtools bridge only when DEV is set; the bundle leaves it out. In CI it draws only its last frame; our
 * screens start only on a terminal, where frames are wanted whatever CI says.
 */
const inkOnTerminals = {
  name: 'ink-on-terminals',
  setup(b) {
    b.onResolve({ filter: /^is-in-ci$/ }, () => ({ path: 'not-in-ci', namespace: 'not-in-ci' }));
    b.onLoad({ filter: /./, namespace: 'not-in-ci' }, () => ({ contents: 'export default false' }));
    b.onResolve({ filter: /^react-devtools-core$/ }, () => ({ path: 'devtools', namespace: 'empty' }));
    b.onLoad({ filter: /./, namespace: 'empty' }, () => ({ contents: 'export default {}' }));
  },
};

/** commander starts programs for commands that are files of their own, which none of ours is. */
const noChildProcess = {
  name: 'no-child-process',
  setup(b) {
    b.onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      importer.includes('/commander/') ? { path: 'child_process', namespace: 'empty' } : undefined,
    );
  },
};

/**
 * An ES module that imports one of Node's evaluates every getter among its exports: node:fs brings all of fs.promises
 * along, node:process opens the standard streams. These two are fetched by a call instead, as is what CommonJS
 * requires: a bundle of ES modules has no `require`.
 */
const COSTLY = ['node:fs', 'node:process'];

const builtinsByCall = {
  name: 'builtins-by-call',
  setup(b) {
    // One for each file that asks, so that it stays in that file's chunk.
    b.onResolve({ filter: /^[a-z]/ }, ({ path, kind, importer }) => {
      const name = isBuiltin(path) && !path.startsWith('node:') ? `node:${path}` : path;
      return name.startsWith('node:') && (kind === 'require-call' || COSTLY.includes(name))
        ? { path: `${name} for ${importer}`, namespace: 'builtin' }
        : undefined;
    });
    b.onLoad({ filter: /./, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('${path.split(' ')[0]}')`,
    }));
  },
};

/** The package's ES modules: of its CommonJS form a late import gets no named exports. */
const yamlAsModules = {
  name: 'yaml-as-modules',
  setup(b) {
    b.onResolve({ filter: /^yaml$/ }, () => ({ path: `${root}/node_modules/yaml/browser/index.js` }));
  },
};

const outdir = process.argv[2] ?? `${root}/dist`;
const common = {
  absWorkingDir: root,
  outdir,
  bundle: true,
  platform: 'node',
  format: 'esm',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'warning',
  define: {
    'process.env.NODE_ENV': '"production"',
    'process.env.DEV': '"false"',
    TOOLKIT_VERSION: JSON.stringify(version),
    TOOLKIT_REVISION: JSON.stringify(commit),
    TOOLKIT_DATE: JSON.stringify(committed),
  },
};

if (outdir === `${root}/dist`) rmSync(outdir, { recursive: true, force: true });
await build({
  ...common,
  entryPoints: ['src/bin/cilium.ts', 'src/bin/hubble.ts'],
  // Parsed by any Node from 18 on, so that an old one reaches the line that says what it needs.
  target: 'node18',
  plugins: [laterProgram],
});
const { metafile } = await build({
  ...common,
  entryPoints: ['src/bin/program.ts'],
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  target: 'node24',
  jsx: 'automatic',
  metafile: true,
  plugins: [oneCore, slimUndici, inkOnTerminals, noChildProcess, builtinsByCall, yamlAsModules],
});
if (process.argv[2]) writeFileSync(`${outdir}/meta.json`, JSON.stringify(metafile));
