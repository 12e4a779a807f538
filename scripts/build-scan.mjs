// Compiles the C of src/hubble/scan to WebAssembly and writes src/hubble/scan/module.gen.ts, which is part of the repository:
// nobody who installs the program needs a compiler. `--check` compares instead of writing. Exit code 2: the compiler is not on
// this machine.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOM = fileURLToPath(new URL('../src/hubble/scan', import.meta.url));
const TARGET = join(ROOM, 'module.gen.ts');
/** The same source gives the same bytes with the same compiler alone. */
const CLANG_MAJOR = 14;
const COMPILE = '--target=wasm32 -Os -msimd128 -mbulk-memory -nostdlib -Wall -Wextra -Werror -c'.split(' ');
const LINK = ['--no-entry', '--strip-all', '--export=at', '-z', 'stack-size=65536'];

const runs = (name) => spawnSync(name, ['--version'], { encoding: 'utf8' });

/** The compiler whose bytes are in the repository, and its linker; undefined when this machine lacks one of them. */
function findClang() {
  const clang = [`clang-${CLANG_MAJOR}`, 'clang'].find((name) =>
    runs(name).stdout?.includes(`clang version ${CLANG_MAJOR}.`),
  );
  const linker = [`wasm-ld-${CLANG_MAJOR}`, 'wasm-ld'].find((name) =>
    runs(name).stdout?.includes(`LLD ${CLANG_MAJOR}.`),
  );
  return clang && linker && { clang, linker };
}

/** The text of the generated file. */
function compile({ clang, linker }) {
  const folder = mkdtempSync(join(tmpdir(), 'scan-'));
  try {
    const out = join(folder, 'scan.wasm');
    const object = join(folder, 'scan.o');
    execFileSync(clang, [...COMPILE, '-o', object, 'scan.c'], { cwd: ROOM, stdio: 'inherit' });
    execFileSync(linker, [...LINK, '-o', out, object], { stdio: 'inherit' });
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

const tools = findClang();
if (!tools) {
  console.error(
    `clang ${CLANG_MAJOR} with wasm-ld is needed: apt-get install clang-${CLANG_MAJOR} lld-${CLANG_MAJOR}`,
  );
  process.exit(2);
}
const text = compile(tools);
if (!process.argv.includes('--check')) writeFileSync(TARGET, text);
else if (text !== readFileSync(TARGET, 'utf8')) {
  console.error(
    'src/hubble/scan/module.gen.ts is not what scan.c compiles to: run node scripts/build-scan.mjs',
  );
  process.exit(1);
}
