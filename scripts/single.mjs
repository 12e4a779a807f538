// Makes the one file: the runtime with everything that the program is made of inside, behind a launcher that brings the
// libraries that a system may not have. Nothing in it depends on when or where it is made.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const runtime = join(root, 'node_modules/node/bin/node');
const [target = join(root, 'build/cilium')] = process.argv.slice(2);
const work = mkdtempSync(join(tmpdir(), 'cilium-single-'));

/** As the launchers in bin/ start it, for their reason. */
const FLAGS = ['--min-semi-space-size=4', '--max-semi-space-size=8'];

/** V8 numbers texts by chance; in the file that is made they are the same each time. */
const SEEDS = ['--random-seed=1'];

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
  execFileSync(runtime, [...SEEDS, '--build-sea', file], {
    cwd: work,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** Libraries of the C++ compiler that the runtime needs, and that a small system does not have. */
const LIBRARIES = ['libgcc_s.so.1', 'libstdc++.so.6', 'libatomic.so.1'];
const PAGE = 4096;
/** As src/bin/launcher.c declares its table. */
const TABLE = { magic: 'cilium-toolkit:1', part: 64, name: 48 };

/** The launcher, and behind it the runtime, the kernel helper and the libraries, with a table of where they are. */
function withLauncher(program) {
  const launcher = join(work, 'launcher');
  execFileSync('gcc', [
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
  execFileSync('strip', [launcher]);
  const parts = [
    { name: 'runtime', bytes: readFileSync(program) },
    { name: 'bpf.node', bytes: readFileSync(join(root, 'build/bpf.node')) },
    ...LIBRARIES.map((name) => ({ name, bytes: library(name) })),
  ];
  const chunks = [readFileSync(launcher)];
  const table = chunks[0].indexOf(TABLE.magic) + TABLE.magic.length;
  let end = chunks[0].length;
  for (const [i, { name, bytes }] of parts.entries()) {
    const offset = Math.ceil(end / PAGE) * PAGE;
    chunks.push(Buffer.alloc(offset - end), bytes);
    end = offset + bytes.length;
    const at = table + i * TABLE.part;
    chunks[0].writeBigUInt64LE(BigInt(offset), at);
    chunks[0].writeBigUInt64LE(BigInt(bytes.length), at + 8);
    chunks[0].write(name, at + 16, TABLE.name - 1, 'latin1');
  }
  return Buffer.concat(chunks);
}

/** A library of this system, without what only debuggers read. */
function library(name) {
  const path = execFileSync('gcc', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
  const copy = join(work, name);
  copyFileSync(path, copy);
  execFileSync('strip', [copy]);
  return readFileSync(copy);
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
    if (!name.endsWith('.js') || ['cilium.js', 'hubble.js', 'program.js'].includes(name)) continue;
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
  const stripped = join(work, 'node');
  copyFileSync(runtime, stripped);
  execFileSync('strip', [stripped]);
  const first = join(work, 'first');
  inject(stripped, main, assets, first, [...FLAGS, ...SEEDS]);
  const code = join(work, 'code');
  mkdirSync(code);
  execFileSync(first, [], { env: { CILIUM_TOOLKIT_KEEP_CODE: code }, stdio: 'inherit' });
  for (const name of Object.keys(assets)) {
    const path = join(code, `${name.replaceAll('/', '_')}.code`);
    if (existsSync(path)) add(`${name}.code`, path);
  }
  const second = join(work, 'second');
  inject(stripped, main, assets, second);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, withLauncher(second), { mode: 0o755 });
  chmodSync(target, 0o755);
  console.log(
    `${target} ${(statSync(target).size / 1e6).toFixed(1)} MB`,
    Object.keys(assets).length,
    basename(code),
  );
} finally {
  if (!process.env.KEEP) rmSync(work, { recursive: true, force: true });
}
