// The bundle has this in the place of program.ts, within its entries and as program.js, where files that are loaded late ask
// for what is in the script: it runs dist/hot.js, once, in which is what a start runs. V8 gets back what it
// compiled for an earlier start of the same verb. Node's own compile cache is made before a module runs, and so lacks all
// functions that are compiled when they are first called: a quarter of a start.
import {
  constants as access,
  accessSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { constants, Script } from 'node:vm';

/** Of the script: V8 compares only its length with that of the cache. */
declare const HOT_HASH: string;

type Program = typeof import('./program.ts') & { modules: Record<string, () => unknown> };

/**
 * One of so many starts looks whether more was compiled than the cache of its verb holds, which takes five milliseconds:
 * often until a look finds nothing, seldom after that.
 */
const STARTS_TO_A_LOOK = { growing: 4, settled: 32 };

/** Half a megabyte each. */
const MOST_FILES = 100;

/** Node's own cache is there too, and may have made it. */
const FOLDER = `${import.meta.dirname}/.cache`;
const OTHERS_WRITE = 0o022;

const filename = `${import.meta.dirname}/hot.js`;
const KEY = Symbol.for('cilium-toolkit.program');
const shared = globalThis as { [KEY]?: Program };
shared[KEY] ??= run();
const { main, leave, systemContext, modules } = shared[KEY];

/** A module of the script, for those that are not part of it. */
export function hot(path: string): unknown {
  return modules[path]?.();
}

export { leave, main, systemContext };

function run(): Program {
  const cacheFile = cacheOf(process.argv.slice(2));
  const isSafe = isOurs();
  const cachedData = isSafe ? readIfThere(cacheFile) : undefined;
  const source = `(function(module){${readFileSync(filename, 'latin1')}\n})`;
  const script = new Script(source, {
    filename,
    ...(cachedData && { cachedData }),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  const isUsed = cachedData !== undefined && script.cachedDataRejected === false;
  if (isSafe && (!isUsed || isTimeToLook(cacheFile)))
    process.on('exit', () => keep(cacheFile, script, isUsed ? cachedData.length : 0));
  const module: { exports?: Program } = {};
  script.runInThisContext()(module);
  return module.exports as Program;
}

function cacheOf(words: readonly string[]): string {
  const verb = words.find((word) => /^[a-z][a-z-]{0,30}$/.test(word)) ?? '';
  const program = /(\w+)\.cjs$/.exec(process.argv[1] ?? '')?.[1] ?? '';
  const parts = [HOT_HASH, process.version, process.getuid?.() ?? '', program, verb];
  return `${FOLDER}/${parts.join('-')}`;
}

/** V8 runs what it gets: nobody else may have written it. */
function isOurs(): boolean {
  const stats = statSync(FOLDER, { throwIfNoEntry: false });
  return stats === undefined || (stats.uid === process.getuid?.() && (stats.mode & OTHERS_WRITE) === 0);
}

/** It is kept twice, since V8 does not look for bytes that are wrong, and ends the process at some. */
function readIfThere(file: string): Buffer | undefined {
  try {
    const both = readFileSync(file);
    const data = both.subarray(0, both.length / 2);
    return data.equals(both.subarray(data.length)) ? data : undefined;
  } catch {
    return undefined;
  }
}

/** The time of a cache's file is zero once a look found nothing that it lacks. */
function isTimeToLook(file: string): boolean {
  const isSettled = statSync(file, { throwIfNoEntry: false })?.mtimeMs === 0;
  return Math.random() * (isSettled ? STARTS_TO_A_LOOK.settled : STARTS_TO_A_LOOK.growing) < 1;
}

function keep(file: string, script: Script, before: number): void {
  try {
    mkdirSync(FOLDER, { recursive: true, mode: 0o755 });
    accessSync(FOLDER, access.W_OK);
    const data = script.createCachedData();
    if (data.length < before * 1.01) {
      utimesSync(file, 0, 0);
      return;
    }
    // Misspelled verbs have one as well.
    if (readdirSync(FOLDER).length >= MOST_FILES) return;
    const partial = `${file}.${process.pid}`;
    // One of that number was killed here, or runs in another container: both are not to write one file.
    rmSync(partial, { force: true });
    writeFileSync(partial, Buffer.concat([data, data]), { mode: 0o600, flag: 'wx', flush: true });
    renameSync(partial, file);
  } catch {
    // Where dist/ cannot be written, each start compiles anew.
  }
}
