// Makes the one file: the runtime with everything that the program is made of inside, behind a launcher that brings the
// libraries that a system may not have. Nothing in it depends on when or where it is made.
//
// node scripts/single.mjs [FILE] [--arch arm64] [--describe FILE.json] [--helper COPY-OF-IT]
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build, transform } from 'esbuild';
import { ownerOf, runtimeFor, runtimeVersion, toolsFor } from './machines.mjs';
import { bundledPackages } from './package/bundled.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    arch: { type: 'string', default: process.arch },
    describe: { type: 'string' },
    helper: { type: 'string' },
  },
});
const [target = join(root, 'build/cilium')] = positionals;
const { gcc, strip, run } = toolsFor(values.arch);
const runtime = join(runtimeFor(values.arch), 'bin/node');
const work = mkdtempSync(join(tmpdir(), 'cilium-single-'));

/** As the launchers in bin/ start it, for their reason. */
const FLAGS = ['--min-semi-space-size=4', '--max-semi-space-size=8'];

/** V8 numbers texts by chance; in the file that is made they are the same each time. */
const SEEDS = ['--random-seed=1'];

/** Runs what is made for the processor of the file, which another program plays where it is not ours. */
function play(command, words, options) {
  const [first, ...rest] = [...run, command, ...words];
  execFileSync(first, rest, options);
}

/** Files of a folder and those below, by their paths in it. */
function files(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** Writes a module of the bundle as a function (exports, require, module, later). */
async function asFunction(from, to) {
  const source = readFileSync(from, 'utf8');
  const { code } = await transform(source.replace(/(?<![\w$.])import\((?=["'.`a-z])/g, '__later('), {
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    minifySyntax: true,
    minifyWhitespace: true,
    define: { 'import.meta.url': '"file:///dist/one-file.js"', 'import.meta.dirname': '"/dist"' },
  });
  mkdirSync(dirname(to), { recursive: true });
  // A space in front says that there is more than ASCII in it.
  const mark = /[^\x00-\x7f]/.test(code) ? ' ' : '';
  writeFileSync(to, `${mark}(function(exports,require,module,__later){${code}\n})`);
}

/** Puts a program and assets into a copy of the runtime. */
function inject(executable, main, assets, output, flags = FLAGS) {
  const config = {
    // The path of the program is written into the file.
    main: basename(main),
    output,
    executable,
    assets,
    disableExperimentalSEAWarning: true,
    useCodeCache: true,
    execArgv: flags,
    execArgvExtension: 'none',
  };
  const file = join(work, 'sea.json');
  writeFileSync(file, JSON.stringify(config));
  play(runtime, [...SEEDS, '--build-sea', file], { cwd: work, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Libraries of the C++ compiler that the runtime needs, and that a small system does not have. */
const LIBRARIES = ['libgcc_s.so.1', 'libstdc++.so.6', 'libatomic.so.1'];
const PAGE = 4096;
/** As src/bin/launcher.c declares its table. */
const TABLE = { magic: 'cilium-toolkit:1', part: 64, name: 44 };

/** The N of the newest version GLIBC_2.N that a file needs. */
function neededGlibc(path) {
  const versions = execFileSync('readelf', ['-W', '--version-info', path], { encoding: 'utf8' });
  return Math.max(0, ...Array.from(versions.matchAll(/GLIBC_2\.(\d+)/g), ([, minor]) => Number(minor)));
}

/** The launcher, and behind it the other parts with a table of where they are. */
function withLauncher(parts) {
  const launcher = join(work, 'launcher');
  execFileSync(gcc, [
    ...[
      '-Os',
      '-Wall',
      '-Wextra',
      '-Werror',
      '-static',
      '-nostdlib',
      '-ffreestanding',
      '-fno-stack-protector',
    ],
    ...['-fpie', '-no-pie', '-fno-asynchronous-unwind-tables', '-Wl,-Ttext-segment=0x200000000'],
    ...['-Wl,--build-id=none', '-Wl,-z,noseparate-code', '-o', launcher, join(root, 'src/bin/launcher.c')],
  ]);
  execFileSync(strip, [launcher]);
  const chunks = [readFileSync(launcher)];
  const table = chunks[0].indexOf(TABLE.magic) + TABLE.magic.length;
  let end = chunks[0].length;
  for (const [i, { name, path }] of parts.entries()) {
    const bytes = readFileSync(path);
    const offset = Math.ceil(end / PAGE) * PAGE;
    chunks.push(Buffer.alloc(offset - end), bytes);
    end = offset + bytes.length;
    const at = table + i * TABLE.part;
    chunks[0].writeBigUInt64LE(BigInt(offset), at);
    chunks[0].writeBigUInt64LE(BigInt(bytes.length), at + 8);
    chunks[0].writeUInt32LE(neededGlibc(path), at + 16);
    chunks[0].write(name, at + 20, TABLE.name - 1, 'latin1');
  }
  return Buffer.concat(chunks);
}

/** A copy of a program or library, without what only debuggers read. */
function stripped(path, name) {
  const copy = join(work, name);
  copyFileSync(path, copy);
  execFileSync(strip, [copy]);
  return copy;
}

/** The kernel helper, compiled for the file. */
function helper() {
  const path = join(work, 'helper/bpf.node');
  execFileSync(process.execPath, [join(root, 'scripts/build-native.mjs'), path], {
    env: { ...process.env, CC: gcc },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (!existsSync(path)) throw new Error('the kernel helper was not built');
  return stripped(path, 'bpf.node');
}

/** Where the compiler has a library, and of which package of the system it is. */
function library(name) {
  const path = realpathSync(execFileSync(gcc, [`-print-file-name=${name}`], { encoding: 'utf8' }).trim());
  return { name, path: stripped(path, name), ...ownerOf(path) };
}

const sha256 = (path) => createHash('sha256').update(readFileSync(path)).digest('hex');

/** What the file is made of, for its bill of materials: parts with their sums, and packages that the bundle took code from. */
function description(meta, parts) {
  const versions = [...run, runtime];
  const asked = execFileSync(versions[0], [...versions.slice(1), '-p', 'JSON.stringify(process.versions)'], {
    encoding: 'utf8',
  });
  return {
    arch: values.arch,
    runtime: { version: runtimeVersion, libraries: JSON.parse(asked) },
    parts: parts.map(({ path, ...part }) => ({
      ...part,
      sha256: sha256(path),
      glibc: `2.${neededGlibc(path)}`,
    })),
    packages: bundledPackages(meta),
  };
}

try {
  const dist = join(work, 'dist');
  execFileSync(process.execPath, [join(root, 'scripts/build.mjs'), dist, '--for-one-file'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const assets = {};
  const add = (name, path) => {
    assets[name] = path;
  };
  for (const name of files(dist)) {
    if (name.startsWith('web/')) {
      add(`dist/${name}`, join(dist, name));
      continue;
    }
    if (!name.endsWith('.js') || name === 'program.js') continue;
    const path = join(work, 'parts/dist', name);
    await asFunction(join(dist, name), path);
    add(`dist/${name}`, path);
  }
  for (const folder of ['schemas', 'scenarios'])
    for (const name of readdirSync(join(root, folder)).sort())
      if (statSync(join(root, folder, name)).isFile()) add(`${folder}/${name}`, join(root, folder, name));

  const main = join(work, 'single.cjs');
  await build({
    absWorkingDir: root,
    entryPoints: ['src/bin/single.ts'],
    outfile: main,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    minifySyntax: true,
    minifyWhitespace: true,
    logLevel: 'warning',
  });
  const small = stripped(runtime, 'node');
  const first = join(work, 'first');
  inject(small, main, assets, first, [...FLAGS, ...SEEDS]);
  const code = join(work, 'code');
  mkdirSync(code);
  play(first, [], { env: { PATH: process.env.PATH, CILIUM_TOOLKIT_KEEP_CODE: code }, stdio: 'inherit' });
  for (const name of Object.keys(assets)) {
    const path = join(code, `${name.replaceAll('/', '_')}.code`);
    if (existsSync(path)) add(`${name}.code`, path);
  }
  const second = join(work, 'second');
  inject(small, main, assets, second);
  const parts = [
    { name: 'runtime', path: second },
    { name: 'bpf.node', path: helper() },
    ...LIBRARIES.map(library),
  ];
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, withLauncher(parts), { mode: 0o755 });
  chmodSync(target, 0o755);
  if (values.helper) copyFileSync(join(work, 'bpf.node'), values.helper);
  if (values.describe) {
    const meta = JSON.parse(readFileSync(join(dist, 'meta.json'), 'utf8'));
    writeFileSync(values.describe, JSON.stringify(description(meta, parts), null, 2));
  }
  console.log(`${target} ${(statSync(target).size / 1e6).toFixed(1)} MB`);
} finally {
  if (!process.env.KEEP) rmSync(work, { recursive: true, force: true });
}
