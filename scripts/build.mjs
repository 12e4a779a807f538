// Bundles src/bin into dist/. Verbs stay in chunks of their own, so that a start loads only what it runs. A folder given
// as argument is used instead of dist/, and gets esbuild's description of the bundle as well. With a source file as
// second argument that file is bundled in the place of the program, all in that one folder. With --for-one-file no module
// waits at its top, see scripts/single.mjs.
//
// The bundle differs from the sources and the packages in what the plugins below change. Each change is counted and
// printed; the build fails when one of them was not made, because then a package no longer is what it was.
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { buildWeb } from './build-web.mjs';
import { builtinsByCall, builtinsByRequire } from './bundle-builtins.mjs';
import { bundleHot, fromHot } from './bundle-hot.mjs';

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

/** What is changed, but for the files of undici. */
const CHANGES = {
  whole: 'undici: a copy of its agents for the Kubernetes API',
  generated: '@kubernetes/client-node: no typed classes of the API',
  devtools: 'ink: no bridge to react-devtools-core',
  layout: 'yoga-layout: compiled without waiting at the top of its module',
  children: 'commander: no child_process',
  letters: 'commander: names are ASCII',
  conflicts: 'commander: no search for flags that are there twice',
  terminal: 'chalk: no look at the terminal',
  yaml: 'yaml: its ES modules',
  machine: '@opentelemetry/resources: no look at the machine',
};

/** How often each change was made. */
const made = new Map();
const change = (what) => made.set(what, (made.get(what) ?? 0) + 1);

/** The release whose files are cut below. Look at lib/dispatcher/client.js and client-h1.js of another one first. */
const UNDICI = '8.12.4';

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

const cut = (file) => `undici: ${file} left out`;

/**
 * The API server is spoken to with a copy of undici of its own in which no file is cut. Of what the package exports only
 * the two agents are asked for: its fetch, caches and mocks are never loaded.
 */
const WHOLE = { whole: true };
const AGENTS = `
  const Dispatcher = require('./lib/dispatcher/dispatcher');
  Object.assign(Dispatcher.prototype, require('./lib/api'));
  module.exports = {
    Dispatcher,
    Agent: require('./lib/dispatcher/agent'),
    ProxyAgent: require('./lib/dispatcher/proxy-agent'),
  };
`;
const RESOLVED = {};

const slimUndici = {
  name: 'slim-undici',
  setup(b) {
    b.onResolve({ filter: /./ }, async ({ path, pluginData, importer, ...from }) => {
      const whole =
        pluginData === WHOLE ||
        (path === 'undici' && /@kubernetes\/client-node|\/src\/kube\//.test(importer));
      if (!whole || pluginData === RESOLVED) return undefined;
      if (path === 'undici') change(CHANGES.whole);
      const { kind, namespace, resolveDir } = from;
      const found = await b.resolve(path, { importer, kind, namespace, resolveDir, pluginData: RESOLVED });
      return found.external || found.errors.length > 0
        ? found
        : { ...found, suffix: '?whole', pluginData: WHOLE };
    });
    b.onLoad({ filter: /undici\/.*\.js$/, namespace: 'file' }, ({ path, suffix }) => {
      if (suffix === '?whole') {
        const contents = path.endsWith('/undici/index.js') ? AGENTS : readFileSync(path);
        return { contents, loader: 'js', resolveDir: dirname(path), pluginData: WHOLE };
      }
      const file = path.split('undici/lib/')[1];
      const contents = UNUSED_BY_CLIENT[file];
      if (contents === undefined) return undefined;
      change(cut(file));
      return { contents, loader: 'js', resolveDir: dirname(path) };
    });
  },
};

/** The two programs are a file each, which runs the script once it has looked at the release of Node. */
const programIsHot = {
  name: 'program-is-hot',
  setup(b) {
    b.onResolve({ filter: /\/program\.ts$/ }, () => ({ path: `${root}/src/bin/hot.ts` }));
  },
};

/** A kubeconfig can make clients of the library's typed classes, which are most of it and which nothing here asks for. */
const noTypedClasses = {
  name: 'no-typed-classes',
  setup(b) {
    b.onResolve({ filter: /^\.\/gen\/index\.js$/ }, ({ importer }) => {
      if (!importer.endsWith('@kubernetes/client-node/dist/config.js')) return undefined;
      change(CHANGES.generated);
      return { path: 'gen', namespace: 'typed' };
    });
    b.onLoad({ filter: /./, namespace: 'typed' }, () => ({
      contents: 'export const createConfiguration = undefined; export const ServerConfiguration = undefined;',
    }));
  },
};

/** What the library asks of packages that only some kubeconfigs need: proxies, and credentials of an identity provider. */
const RARE = {
  'openid-client': ['customFetch', 'discovery', 'refreshTokenGrant'],
  'jsonpath-plus': ['JSONPath'],
  'socks-proxy-agent': ['SocksProxyAgent'],
  socks: ['SocksClient'],
  hpagent: ['HttpProxyAgent', 'HttpsProxyAgent'],
};

const rare = (name) => `@kubernetes/client-node: ${name} when it is used`;

const rareWhenUsed = {
  name: 'rare-when-used',
  setup(b) {
    b.onResolve({ filter: /^[a-z]/ }, ({ path, importer }) => {
      if (!(path in RARE) || !importer.includes('@kubernetes/client-node/dist/')) return undefined;
      change(rare(path));
      return { path, namespace: 'rare' };
    });
    b.onLoad({ filter: /./, namespace: 'rare' }, ({ path }) => ({
      contents: `module.exports = {${RARE[path].map((name) => `get ${name}() { return require('${path}').${name}; }`)}}`,
      resolveDir: root,
    }));
  },
};

/** Ink waits for its devtools bridge when DEV is set; the bundle leaves it out. */
const noDevtools = {
  name: 'no-devtools',
  setup(b) {
    b.onLoad({ filter: /\/ink\/build\/reconciler\.js$/, namespace: 'file' }, ({ path }) => {
      const contents = readFileSync(path, 'utf8').replaceAll("process.env['DEV'] === 'true'", () => {
        change(CHANGES.devtools);
        return 'false';
      });
      return { contents, loader: 'js' };
    });
  },
};

/**
 * The layout engine of Ink is compiled while its module is evaluated. In the one file no module waits at its top: what
 * loads a module later waits for the promises in this list.
 */
const noTopLevelAwait = {
  name: 'no-top-level-await',
  setup(b) {
    b.onLoad({ filter: /\/yoga-layout\/dist\/src\/index\.js$/, namespace: 'file' }, ({ path }) => {
      const contents = readFileSync(path, 'utf8').replace(
        'const Yoga = wrapAssembly(await loadYoga());',
        () => {
          change(CHANGES.layout);
          return `const Yoga = {};
            (globalThis[Symbol.for('cilium-toolkit.waiting')] ??= []).push(
              loadYoga().then((made) => void Object.assign(Yoga, wrapAssembly(made))),
            );`;
        },
      );
      return { contents, loader: 'js' };
    });
  },
};

/** commander starts programs for commands that are files of their own, which none of ours is. */
const noChildProcess = {
  name: 'no-child-process',
  setup(b) {
    b.onResolve({ filter: /^node:child_process$/ }, ({ importer }) => {
      if (!importer.includes('/commander/')) return undefined;
      change(CHANGES.children);
      return { path: 'child_process', namespace: 'empty' };
    });
    b.onLoad({ filter: /./, namespace: 'empty' }, () => ({ contents: 'export default {}' }));
  },
};

/**
 * commander sorts names as people do in their language, and takes letters of all languages in a flag's value. Each makes
 * ICU load tables, for three milliseconds of a start. Names of ours are lower-case ASCII, of which the order is the same.
 */
const namesAreAscii = {
  name: 'names-are-ascii',
  setup(b) {
    b.onLoad(
      { filter: /\/commander\/lib\/(?:help|option|suggestSimilar)\.js$/, namespace: 'file' },
      ({ path }) => {
        const contents = readFileSync(path, 'utf8')
          .replaceAll(
            /(\w+(?:[.\w]*\(\w?\))?)\.localeCompare\((\w+(?:[.\w]*\(\w?\))?)\)/g,
            (_, one, other) => {
              change(CHANGES.letters);
              return `(${one} < ${other} ? -1 : 1)`;
            },
          )
          .replaceAll('/\\p{ID_Continue}\\.\\.\\.[>\\]]$/u', () => {
            change(CHANGES.letters);
            return '/\\w\\.\\.\\.[>\\]]$/';
          });
        return { contents, loader: 'js' };
      },
    );
  },
};

/** At each flag that is declared commander looks through all others for one of its name: observe has a hundred. Tests look. */
const noConflicts = {
  name: 'no-conflicts',
  setup(b) {
    b.onLoad({ filter: /\/commander\/lib\/command\.js$/, namespace: 'file' }, ({ path }) => {
      const contents = readFileSync(path, 'utf8').replace(
        /const matchingOption =\s*\(option\.short && [^;]*;/,
        () => {
          change(CHANGES.conflicts);
          return 'const matchingOption = undefined;';
        },
      );
      return { contents, loader: 'js' };
    });
  },
};

/**
 * chalk looks what the terminal can when it is loaded, with node:tty. Ours is always told which level it has; Ink's draws on a
 * terminal that has the sixteen colours, and asks for none where the user wants none.
 */
const noTerminal = {
  name: 'no-terminal',
  setup(b) {
    b.onResolve({ filter: /^#supports-color$/ }, ({ importer }) => {
      if (!importer.includes('/chalk/')) return undefined;
      change(CHANGES.terminal);
      return { path: 'supports-color', namespace: 'terminal' };
    });
    b.onLoad({ filter: /./, namespace: 'terminal' }, () => ({
      contents: 'export default { stdout: { level: 1 }, stderr: { level: 1 } };',
    }));
  },
};

/** OpenTelemetry finds out what machine it is on by programs of five systems. Ours is told what is on its records. */
const noMachineId = {
  name: 'no-machine-id',
  setup(b) {
    b.onResolve({ filter: /\/getMachineId\.mjs$/ }, ({ importer }) => {
      if (!importer.includes('@opentelemetry/resources/')) return undefined;
      change(CHANGES.machine);
      return { path: 'machine-id', namespace: 'machine' };
    });
    b.onLoad({ filter: /./, namespace: 'machine' }, () => ({
      contents: 'export const getMachineId = async () => undefined;',
    }));
  },
};

/** The package's ES modules: of its CommonJS form a late import gets no named exports. */
const yamlAsModules = {
  name: 'yaml-as-modules',
  setup(b) {
    b.onResolve({ filter: /^yaml$/ }, () => {
      change(CHANGES.yaml);
      return { path: `${root}/node_modules/yaml/browser/index.js` };
    });
  },
};

const isForOneFile = process.argv.includes('--for-one-file');
const [outdir = `${root}/dist`, entry] = process.argv.slice(2).filter((word) => !word.startsWith('--'));
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
if (!entry) await buildWeb(`${outdir}/web`);
// What pods of the lab run: small, and of no use to the program itself.
if (!entry)
  await build({
    ...common,
    outdir: `${outdir}/pods`,
    entryPoints: ['serve', 'nslookup', 'dig', 'proxy'].map((name) => `src/lab/pods/programs/${name}.ts`),
    target: 'node24',
  });
const plugins = [
  ...[noTypedClasses, rareWhenUsed, slimUndici],
  ...[noDevtools, noChildProcess, namesAreAscii, noConflicts, noTerminal, builtinsByCall, yamlAsModules],
  noMachineId,
  ...(isForOneFile ? [noTopLevelAwait] : []),
];
const hot = entry ? undefined : await bundleHot({ common, root, plugins });
const others = hot && (await fromHot({ root, hot }));
const { metafile } = await build({
  ...common,
  entryPoints: hot
    ? [...hot.late].sort().map(([name, path]) => ({ in: path, out: `chunks/${name}` }))
    : [{ in: `./${entry}`, out: basename(entry, '.ts') }],
  splitting: true,
  chunkNames: `${hot ? 'chunks/' : ''}[name]-[hash]`,
  target: 'node24',
  jsx: 'automatic',
  metafile: true,
  plugins: [...(others ? [others.plugin] : []), ...plugins],
});
const script = hot && (await hot.write(others.asked));
if (script) {
  const define = { ...common.define, HOT_HASH: JSON.stringify(script.hash) };
  await build({
    ...common,
    entryPoints: [{ in: './src/bin/hot.ts', out: 'program' }],
    target: 'node24',
    define,
    plugins: [builtinsByCall],
  });
  await build({
    ...common,
    entryPoints: ['src/bin/cilium.ts', 'src/bin/hubble.ts'],
    // Node's loader of ES modules costs a start two milliseconds.
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    // Parsed by any Node from 18 on, so that an old one reaches the line that says what it needs.
    target: 'node18',
    define: { ...define, 'import.meta.dirname': '__dirname' },
    plugins: [programIsHot, builtinsByRequire],
  });
  Object.assign(metafile.outputs, script.metafile.outputs);
}
if (outdir !== `${root}/dist` && !entry) writeFileSync(`${outdir}/meta.json`, JSON.stringify(metafile));

/** What is not as this script takes for granted, a sentence each. */
function brokenAssumptions() {
  const broken = [];
  const installed = JSON.parse(readFileSync(`${root}/node_modules/undici/package.json`, 'utf8')).version;
  if (installed !== UNDICI)
    broken.push(`undici is ${installed}, and its files were looked at in ${UNDICI}: check UNUSED_BY_CLIENT`);
  for (const what of [
    ...Object.entries(CHANGES).flatMap(([key, what]) => (key === 'layout' && !isForOneFile ? [] : what)),
    ...Object.keys(UNUSED_BY_CLIENT).map(cut),
    ...Object.keys(RARE).map(rare),
  ])
    if (!made.has(what)) broken.push(`not done, because nothing asks for that file any more: ${what}`);
  for (const { text } of script?.warnings ?? []) broken.push(`hot.js: ${text}`);
  if (script && !script.isAscii)
    broken.push('hot.js is not ASCII, as its reader takes for granted: escape what is not');
  return broken;
}

const broken = brokenAssumptions();
for (const [what, times] of made) console.error(`  ${what}${times > 1 ? ` (${times} times)` : ''}`);
if (broken.length > 0) {
  for (const sentence of broken) console.error(`Error: ${sentence}`);
  rmSync(outdir, { recursive: true, force: true });
  process.exit(1);
}
