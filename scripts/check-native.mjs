// Runs the BPF helper under valgrind and the sanitizers: its kernel part in a plain program, and the whole of it in
// Node with the tests of test/bpf. Needs root, a kernel with BPF, valgrind and gcc; says what it leaves out.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const native = join(root, 'src/bpf/native');
const folder = mkdtempSync(join(tmpdir(), 'check-native-'));
const FLAGS = ['-g', '-std=gnu11', '-Wall', '-Wextra', '-Werror'];
const SANITIZE = [
  '-O1',
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=all',
  '-fno-omit-frame-pointer',
];
const KERNEL_PART = ['kernel.c', 'walk.c', 'events.c'].map((file) => join(native, file));
let failed = 0;

function run(what, command, args, options = {}) {
  const { status, error, stderr } = spawnSync(command, args, {
    stdio: ['ignore', 'inherit', 'pipe'],
    encoding: 'utf8',
    ...options,
  });
  // Valgrind passes on what it does not know of bpf(), and says so each time.
  process.stderr.write((stderr ?? '').replace(/^.*WARNING: unhandled eBPF command.*\n/gm, ''));
  const good = status === 0;
  console.log(`${good ? 'ok' : 'FAILED'}: ${what}${error ? ` (${error.message})` : ''}`);
  if (!good) failed++;
  return good;
}

const has = (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
const compile = (output, flags, sources) =>
  run(`compile ${output}`, 'gcc', [...FLAGS, ...flags, '-o', join(folder, output), ...sources]);

try {
  const harness = join(root, 'test/bpf/native/harness.c');
  if (compile('plain', ['-O1'], [harness, ...KERNEL_PART])) {
    if (has('valgrind'))
      run('kernel part under valgrind', 'valgrind', [
        '-q',
        '--error-exitcode=9',
        '--leak-check=full',
        '--show-leak-kinds=all',
        `--suppressions=${join(root, 'test/bpf/native/valgrind.supp')}`,
        join(folder, 'plain'),
        '--no-events',
      ]);
    else console.log('left out: valgrind is not installed');
  }
  if (compile('sanitized', SANITIZE, [harness, ...KERNEL_PART]))
    run('kernel part under the sanitizers', join(folder, 'sanitized'), []);

  const asan = spawnSync('gcc', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).stdout.trim();
  if (!existsSync(asan)) console.log('left out: the address sanitizer for Node (libasan is not installed)');
  else {
    const { include_dir: headers } = (await import('node-api-headers')).default;
    const sources = readdirSync(native)
      .filter((file) => file.endsWith('.c'))
      .map((file) => join(native, file));
    const flags = [
      '-O1',
      '-fsanitize=address',
      '-fno-omit-frame-pointer',
      '-fPIC',
      '-shared',
      '-DNAPI_VERSION=9',
      `-I${headers}`,
    ];
    const built = join(root, 'build/bpf.node');
    const kept = join(root, 'build/bpf.node.kept');
    if (compile('bpf.node', flags, sources)) {
      renameSync(built, kept);
      try {
        run('install the sanitized helper', 'cp', [join(folder, 'bpf.node'), built]);
        // Node itself keeps memory until it ends: only what is used wrongly is looked for here.
        run(
          'tests with the sanitized helper',
          join(root, 'node_modules/node/bin/node'),
          [
            '--experimental-vm-modules',
            '--disable-warning=ExperimentalWarning',
            join(root, 'node_modules/jest/bin/jest.js'),
            '--runInBand',
            'test/bpf/(walk|native|events)',
          ],
          { cwd: root, env: { ...process.env, LD_PRELOAD: asan, ASAN_OPTIONS: 'detect_leaks=0' } },
        );
      } finally {
        renameSync(kept, built);
      }
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed > 0 ? 1 : 0;
