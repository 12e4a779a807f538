// Compiles the BPF helper when a C compiler is there. Without one everything but the bpf verbs works, and
// those say what is missing. A path given as argument is where it goes, in the place of build/; CC names the compiler.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, 'src/bpf/native');
const [target = join(root, 'build/bpf.node')] = process.argv.slice(2);
const files = existsSync(source) ? readdirSync(source).filter((f) => /\.[ch]$/.test(f)) : [];

function upToDate() {
  if (!existsSync(target)) return false;
  const built = statSync(target).mtimeMs;
  return files.every((f) => statSync(join(source, f)).mtimeMs <= built);
}

if (process.platform === 'linux' && files.length > 0 && !upToDate()) {
  const { include_dir: headers } = await import('node-api-headers').then(
    (m) => m.default,
    () => ({}),
  );
  const compiler = process.env.CC ?? 'cc';
  mkdirSync(dirname(target), { recursive: true });
  const result = headers
    ? spawnSync(
        compiler,
        [
          '-O2',
          '-g',
          '-fPIC',
          '-shared',
          '-std=gnu11',
          '-Wall',
          '-Wextra',
          '-Werror',
          '-fvisibility=hidden',
          '-Wl,--build-id=none',
          '-DNAPI_VERSION=9',
          `-I${headers}`,
          '-o',
          `${target}.tmp`,
          ...files.filter((f) => f.endsWith('.c')).map((f) => join(source, f)),
        ],
        { stdio: ['ignore', 'inherit', 'inherit'] },
      )
    : { error: new Error('the package node-api-headers is not installed') };
  if (result.error || result.status !== 0) {
    console.error(
      `The BPF helper was not built (${result.error?.message ?? `${compiler} failed`}); "cilium bpf" needs it, nothing else does.`,
    );
    console.error(
      'To build it: install gcc or clang with the kernel headers (linux-libc-dev), then run "npm run build" in the checkout.',
    );
  } else {
    const { renameSync } = await import('node:fs');
    renameSync(`${target}.tmp`, target);
  }
}
