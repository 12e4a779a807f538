// Runs the tests of e2e/ against a real Kubernetes API server and kwok's kubelets, which Go builds once into a cache outside of
// the checkout. Where a program is missing it says so, and counts all tests as skipped. Arguments go to jest.
// E2E_BUILD_SECONDS: so long the build may take; tests without what was not built, in time or at all, are skipped too.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The environment variables that name programs, and what is built where they do not. */
const PROGRAMS = {
  KUBE_APISERVER: 'k8s.io/kubernetes/cmd/kube-apiserver',
  KWOK: 'sigs.k8s.io/kwok/cmd/kwok',
};

const { paths, missing } = prepare();
if (missing !== undefined) console.log(`e2e: ${missing}: skipped`);
const { status } = spawnSync(
  join(root, 'node_modules/node/bin/node'),
  [
    ...[
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      'node_modules/jest/bin/jest.js',
    ],
    ...['--config', 'e2e/jest.config.js', '--maxWorkers=1'],
    // No test has this name, so that each is skipped.
    ...(missing === undefined ? [] : ['--testNamePattern', '^(?!)']),
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: 'inherit', env: { ...process.env, ...paths } },
);
process.exit(status ?? 1);

/** The programs' paths, built where they are not there yet, or why there are none. */
function prepare() {
  const has = (program, ...words) => spawnSync(program, words, { stdio: 'ignore' }).status === 0;
  for (const [program, word] of [
    ['etcd', '--version'],
    ['openssl', 'version'],
    ['perl', '--version'],
  ])
    if (!has(program, word)) return { paths: {}, missing: `no ${program}` };
  const sums = readFileSync(join(root, 'e2e', 'go.sum'));
  const cache = join(
    process.env.XDG_CACHE_HOME || join(homedir(), '.cache'),
    'cilium-toolkit-e2e',
    createHash('sha256').update(sums).digest('hex').slice(0, 16),
  );
  const paths = {};
  const limitMs = Number(process.env.E2E_BUILD_SECONDS ?? 0) * 1000;
  const began = performance.now();
  for (const [variable, source] of Object.entries(PROGRAMS)) {
    const name = source.slice(source.lastIndexOf('/') + 1);
    paths[variable] = process.env[variable] || join(cache, name);
    if (existsSync(paths[variable])) continue;
    if (!has('go', 'version')) return { paths, missing: 'no go' };
    console.log(`e2e: building ${name} into ${cache}, once (minutes)`);
    mkdirSync(cache, { recursive: true });
    const built = spawnSync(
      'go',
      ['build', '-trimpath', '-ldflags', '-s -w', '-o', `${paths[variable]}.new`, source],
      {
        cwd: join(root, 'e2e'),
        stdio: 'inherit',
        env: { ...process.env, GOFLAGS: '-mod=mod' },
        timeout: limitMs > 0 ? Math.max(1, limitMs - Math.round(performance.now() - began)) : undefined,
      },
    );
    if (built.error?.code === 'ETIMEDOUT')
      return { paths, missing: `${name} was not built within ${limitMs / 1000} s` };
    // A gate without the network cannot build; what is wrong with it is above.
    if (built.status !== 0 && limitMs > 0) return { paths, missing: `${name} could not be built` };
    if (built.status !== 0) process.exit(built.status ?? 1);
    console.log(`e2e: built after ${Math.round((performance.now() - began) / 1000)} s`);
    renameSync(`${paths[variable]}.new`, paths[variable]);
  }
  return { paths, missing: undefined };
}
