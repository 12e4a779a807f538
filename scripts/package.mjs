// Packs what a node without Node.js needs into one archive: the launchers, the bundle, the BPF helper, the runtime.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const name = `cilium-toolkit-${version}-${process.platform}-${process.arch}`;
const parts = [
  'bin',
  'dist',
  'schemas',
  'scenarios',
  'build/bpf.node',
  'node_modules/node/bin/node',
  'package.json',
  'README.md',
].filter((part) => existsSync(join(root, part)));
const target = join(root, `build/${name}.tar.gz`);
const { status } = spawnSync(
  'tar',
  ['-C', root, '--exclude=dist/.cache', `--transform=s,^,${name}/,`, '-czf', target, ...parts],
  { stdio: 'inherit' },
);
if (status !== 0) process.exit(1);
console.log(target);
