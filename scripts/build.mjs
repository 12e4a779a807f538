// Bundles bin/*.ts into dist/. Verbs stay in chunks of their own, so that a start loads only what it runs.
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
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
    b.onLoad({ filter: /undici\/.*\.js$/ }, ({ path, suffix }) => {
      if (suffix === '?whole')
        return { contents: readFileSync(path), loader: 'js', resolveDir: dirname(path), pluginData: WHOLE };
      const contents = UNUSED_BY_CLIENT[path.split('undici/lib/')[1]];
      return contents ? { contents, loader: 'js', resolveDir: dirname(path) } : undefined;
    });
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

/** The package's ES modules: of its CommonJS form a late import gets no named exports. */
const yamlAsModules = {
  name: 'yaml-as-modules',
  setup(b) {
    b.onResolve({ filter: /^yaml$/ }, () => ({ path: `${root}/node_modules/yaml/browser/index.js` }));
  },
};

rmSync(`${root}/dist`, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: [
    { in: 'src/bin/cilium.ts', out: 'cilium' },
    { in: 'src/bin/hubble.ts', out: 'hubble' },
    // The thread that observe starts for a large file.
    { in: 'src/commands/hubble/observe/worker.ts', out: 'observe-worker' },
  ],
  outdir: 'dist',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  // Parsed by any Node from 18 on, so that an old one reaches the line that says what it needs.
  target: 'node18',
  jsx: 'automatic',
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
  banner: {
    js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);",
  },
  plugins: [slimUndici, inkOnTerminals, noChildProcess, yamlAsModules],
});
