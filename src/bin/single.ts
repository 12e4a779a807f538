// The one file: everything that the program is made of lies in it as assets. Scripts are functions in the form of CommonJS
// with V8's code of them beside, so that a start neither compiles nor asks the file system. See scripts/single.mjs.
import { basename } from 'node:path';
import sea from 'node:sea';
import { Script } from 'node:vm';
import { AS_CILIUM, AS_PROGRAM, setInside } from '../lib/inside.ts';

type Require = (id: string) => unknown;
interface Part {
  exports: Record<string, unknown>;
}

/** What the launcher says to us: the helper's descriptor, and the user's own LD_PRELOAD. */
const FROM_LAUNCHER = 'CILIUM_TOOLKIT_LAUNCHED';
/** A folder for the code of every script: how the file is made. */
const KEEP_CODE = process.env.CILIUM_TOOLKIT_KEEP_CODE;

/** In front of a script that has more than ASCII in it; others need no decoding. */
const SPACE = 32;

const parts = new Map<string, Part>();
const compiled = new Map<string, Script>();
const waiting: Promise<void>[] = [];
Object.assign(globalThis, { [Symbol.for('cilium-toolkit.waiting')]: waiting });

function asset(name: string): Buffer | undefined {
  try {
    return Buffer.from(sea.getRawAsset(name) as ArrayBuffer);
  } catch {
    return undefined;
  }
}

function compile(name: string): Script {
  const source = asset(name);
  if (!source) throw new Error(`the program is incomplete: ${name} is missing`);
  const cachedData = KEEP_CODE === undefined ? asset(`${name}.code`) : undefined;
  const text = source.toString(source[0] === SPACE ? 'utf8' : 'latin1');
  const script = new Script(text, { filename: name, ...(cachedData && { cachedData }) });
  if (KEEP_CODE !== undefined) compiled.set(name, script);
  return script;
}

/** A part of the program, evaluated once. */
function part(name: string): Record<string, unknown> {
  const known = parts.get(name);
  if (known) return known.exports;
  const made: Part = { exports: {} };
  parts.set(name, made);
  const folder = name.slice(0, name.lastIndexOf('/') + 1);
  const nameOf = (id: string) => new URL(id, `file:///${folder}`).pathname.slice(1);
  const require: Require = (id) => (id.startsWith('.') ? part(nameOf(id)) : process.getBuiltinModule(id));
  const later = async (id: string) => {
    if (!id.startsWith('.')) return import(id);
    const exports = part(nameOf(id));
    await Promise.all(waiting.splice(0));
    return exports;
  };
  const run = compile(name).runInThisContext() as (...args: unknown[]) => void;
  run(made.exports, require, made, later);
  return made.exports;
}

type Program = typeof import('./program.ts') & { modules: Record<string, () => unknown> };

/** The script that every start runs, under the name by which the parts beside it ask for what is in it. */
function program(): Program {
  const all = part('dist/hot.js') as Program;
  parts.set('dist/program.js', { exports: { ...all, hot: (path: string) => all.modules[path]?.() } });
  return all;
}

/** What is said by the launcher is for us alone: programs that we start have the user's environment. */
function launched(): { helper: string | undefined } {
  const [helper = '', ...preload] = (process.env[FROM_LAUNCHER] ?? '').split(' ');
  if (process.env[FROM_LAUNCHER] !== undefined) {
    delete process.env[FROM_LAUNCHER];
    if (preload.length > 0) process.env.LD_PRELOAD = preload.join(' ');
    else delete process.env.LD_PRELOAD;
  }
  return { helper: helper === '' ? undefined : helper };
}

const { helper } = launched();
setInside({
  file: process.execPath,
  names: () => sea.getAssetKeys(),
  read: asset,
  helper() {
    if (helper === undefined) throw new Error('the launcher could not offer it');
    const module = { exports: {} };
    process.dlopen(module, helper);
    return module.exports;
  },
});
process.removeAllListeners('warning');

/** By which name it was started, and with which words. */
function started(): { name: string; words: string[] } {
  const [, path = '', first = '', ...rest] = process.argv;
  return first === AS_CILIUM
    ? { name: 'cilium', words: rest }
    : { name: basename(path), words: process.argv.slice(2) };
}

async function start(): Promise<void> {
  const [, , first = ''] = process.argv;
  if (first.startsWith(AS_PROGRAM)) {
    process.argv.splice(1, 2, first);
    return void part(`dist/pods/${first.slice(AS_PROGRAM.length)}.js`);
  }
  const { name, words } = started();
  if (name.startsWith('kubectl_complete-')) return completeForKubectl(name, words);
  if (name.startsWith('kubectl-')) {
    process.env.CILIUM_CALLED_BY = 'kubectl';
    if (name === 'kubectl-cilium') process.env.CILIUM_TARGET ??= 'cluster';
  }
  const { leave, main, systemContext } = program();
  const ctx = systemContext();
  const code = await main(/hubble$/.test(name) ? ['hubble', ...words] : words, ctx);
  await leave(ctx, code);
}

/** Candidates, which are in kubectl's form, as bin/kubectl_complete-cilium prints them. */
async function completeForKubectl(name: string, words: readonly string[]): Promise<void> {
  const { leave, main, systemContext } = program();
  const ctx = systemContext();
  const line = ['__complete', '--', ...(name.endsWith('hubble') ? ['hubble'] : []), ...words];
  if ((await main(line, { ...ctx, err: QUIET })) !== 0) await ctx.out.write(':0\n');
  await leave(ctx, 0);
}

const QUIET = { write: async () => {}, pass: async () => {}, isTTY: false, columns: undefined };

/** Command lines whose functions are kept compiled: what nearly every start runs. */
const USUAL = [
  'version --client',
  'status --help',
  'status',
  'endpoint list',
  'hubble version',
  'hubble status',
  'hubble observe',
];

/** Writes what V8 has compiled of each part, after the usual command lines have run. */
async function keepCode(folder: string): Promise<void> {
  const { main, systemContext } = program();
  for (const line of USUAL) {
    const env = { CILIUM_SOCK: '/nonexistent/agent.sock', HUBBLE_SERVER: 'unix:///nonexistent/hubble.sock' };
    await main(line.split(' '), { ...systemContext(), env, out: QUIET, err: QUIET });
  }
  for (const name of sea.getAssetKeys().filter((one) => /^dist\/.*\.js$/.test(one)))
    if (!compiled.has(name)) compile(name);
  const { writeFileSync } = process.getBuiltinModule('node:fs');
  for (const [name, script] of compiled)
    writeFileSync(`${folder}/${name.replaceAll('/', '_')}.code`, script.createCachedData());
  process.exit(0);
}

void (KEEP_CODE === undefined ? start() : keepCode(KEEP_CODE));
