// Compiles src/hubble/scan/scan.c to WebAssembly and writes src/hubble/scan/module.gen.ts, which is part of the repository:
// nobody who installs the program needs a compiler. `--check` compares
// instead of writing. Exit code 2: the compiler is not on this machine.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOM = fileURLToPath(new URL('../src/hubble/scan', import.meta.url));
const TARGET = join(ROOM, 'module.gen.ts');
/** The same source gives the same bytes with the same compiler alone. */
const CLANG_MAJOR = 14;
const FLAGS = [
  ...['--target=wasm32', '-O3', '-msimd128', '-mbulk-memory', '-nostdlib', '-Wall', '-Wextra', '-Werror'],
  ...['-Wl,--no-entry', '-Wl,--strip-all', '-Wl,-z,stack-size=65536'],
];

/** The compiler whose bytes are in the repository; undefined when this machine has none, or no linker for it. */
function findClang() {
  return [`clang-${CLANG_MAJOR}`, 'clang'].find((name) => {
    const { status, stdout } = spawnSync(name, ['--version'], { encoding: 'utf8' });
    if (status !== 0 || !stdout.includes(`clang version ${CLANG_MAJOR}.`)) return false;
    const linker = spawnSync(name, ['--target=wasm32', '-print-prog-name=wasm-ld'], {
      encoding: 'utf8',
    }).stdout.trim();
    return spawnSync(linker, ['--version']).status === 0;
  });
}

/** The text of the generated file. */
function compile(clang) {
  const folder = mkdtempSync(join(tmpdir(), 'scan-'));
  try {
    const out = join(folder, 'scan.wasm');
    execFileSync(clang, [...FLAGS, '-o', out, 'scan.c', 'wire.c'], { cwd: ROOM, stdio: 'inherit' });
    const lines =
      readFileSync(out)
        .toString('base64')
        .match(/.{1,110}/g) ?? [];
    return `// Made by scripts/build-scan.mjs from scan.c with clang ${CLANG_MAJOR}. Not to be edited.

/** The WebAssembly module, in base64. */
export const SCAN_MODULE =
${lines.map((line) => `  '${line}'`).join(' +\n')};
`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const clang = findClang();
if (!clang) {
  console.error(
    `clang ${CLANG_MAJOR} with wasm-ld is needed: apt-get install clang-${CLANG_MAJOR} lld-${CLANG_MAJOR}`,
  );
  process.exit(2);
}
const text = compile(clang);
if (!process.argv.includes('--check')) writeFileSync(TARGET, text);
else if (text !== readFileSync(TARGET, 'utf8')) {
  console.error(
    'src/hubble/scan/module.gen.ts is not what scan.c compiles to: run node scripts/build-scan.mjs',
  );
  process.exit(1);
}
