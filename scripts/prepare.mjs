// Makes a checkout ready: packages, the BPF helper, the bundle; with --packages only the packages. Runs on any Node
// that npm runs on, says what it does while it takes long, and does nothing when nothing changed.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stamp = join(root, 'node_modules/.toolkit-lock');
const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');

function run(what, command, args) {
  console.error(`> ${what}`);
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    console.error(`Error: ${what} failed${error ? `: ${error.message}` : ''}`);
    process.exit(1);
  }
}

function newest(folder) {
  let latest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile())
      latest = Math.max(latest, statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs);
  }
  return latest;
}

function installed() {
  return (
    existsSync(stamp) &&
    readFileSync(stamp, 'utf8') === lock &&
    existsSync(join(root, 'node_modules/node/bin/node'))
  );
}

// npm runs the script "prepare" when it has installed: then there is nothing to install.
if (process.argv.includes('--installed')) writeFileSync(stamp, lock);
if (!installed()) {
  run('installing packages (npm ci, a minute on a slow line)', 'npm', [
    'ci',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]);
  writeFileSync(stamp, lock);
}
const bundle = join(root, 'dist/cilium.cjs');
if (
  !process.argv.includes('--packages') &&
  (!existsSync(bundle) ||
    statSync(bundle).mtimeMs <
      Math.max(
        newest(join(root, 'src')),
        newest(join(root, 'schemas')),
        ...['build.mjs', 'build-web.mjs', 'bundle-builtins.mjs', 'bundle-core.ts', 'bundle-hot.mjs'].map(
          (name) => statSync(join(root, 'scripts', name)).mtimeMs,
        ),
      ))
) {
  run('building the bundle and the BPF helper', process.execPath, [join(root, 'scripts/build-native.mjs')]);
  run('bundling', process.execPath, [join(root, 'scripts/build.mjs')]);
}
