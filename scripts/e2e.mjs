// Runs the tests of e2e/ against a real Kubernetes API server, which is built once by Go into a cache outside of the checkout.
// Where Go or etcd is missing it says so and ends with 0: nothing was tried. Arguments go to jest.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const has = (program, ...words) => spawnSync(program, words, { stdio: 'ignore' }).status === 0;

for (const [program, words] of [
  ['go', ['version']],
  ['etcd', ['--version']],
  ['openssl', ['version']],
])
  if (!has(program, ...words)) {
    console.log(`e2e: no ${program}: skipped`);
    process.exit(0);
  }

const sums = readFileSync(join(root, 'e2e', 'go.sum'));
const cache = join(
  process.env.XDG_CACHE_HOME || join(homedir(), '.cache'),
  'cilium-toolkit-e2e',
  createHash('sha256').update(sums).digest('hex').slice(0, 16),
);
const server = process.env.KUBE_APISERVER || join(cache, 'kube-apiserver');
if (!existsSync(server)) {
  console.log(`e2e: building kube-apiserver into ${cache} (ten minutes or more, once)`);
  mkdirSync(cache, { recursive: true });
  const build = ['build', '-trimpath', '-ldflags', '-s -w', '-o', `${server}.new`];
  execFileSync('go', [...build, 'k8s.io/kubernetes/cmd/kube-apiserver'], {
    cwd: join(root, 'e2e'),
    stdio: 'inherit',
    env: { ...process.env, GOFLAGS: '-mod=mod' },
  });
  renameSync(`${server}.new`, server);
}

const jest = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
];
const { status } = spawnSync(
  join(root, 'node_modules/node/bin/node'),
  [...jest, '--config', 'e2e/jest.config.js', '--maxWorkers=1', ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit', env: { ...process.env, KUBE_APISERVER: server } },
);
process.exit(status ?? 1);
