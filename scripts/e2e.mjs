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

/**
 * The environment variables that name programs, and what is built where they do not: a package, and the module that pins it.
 * Without an optional one, those tests are skipped that need it.
 */
const PROGRAMS = {
  KUBE_APISERVER: { source: 'k8s.io/kubernetes/cmd/kube-apiserver', module: 'e2e' },
  KWOK: { source: 'sigs.k8s.io/kwok/cmd/kwok', module: 'e2e' },
  HELM3: { source: 'helm.sh/helm/v3/cmd/helm', module: 'e2e/helm3', optional: true },
  HELM4: { source: 'helm.sh/helm/v4/cmd/helm', module: 'e2e/helm4', optional: true },
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
  const paths = {};
  const limitMs = Number(process.env.E2E_BUILD_SECONDS ?? 0) * 1000;
  const began = performance.now();
  for (const [variable, { source, module, optional }] of Object.entries(PROGRAMS)) {
    const cache = cacheOf(module);
    const name = source.slice(source.lastIndexOf('/') + 1);
    const path = process.env[variable] || join(cache, name);
    if (existsSync(path)) {
      paths[variable] = path;
      continue;
    }
    const lack = (why) => {
      if (optional) console.log(`e2e: ${why}: tests that need ${variable} are skipped`);
      return optional ? undefined : { paths, missing: why };
    };
    if (!has('go', 'version')) {
      const end = lack('no go');
      if (end) return end;
      continue;
    }
    console.log(`e2e: building ${name} into ${cache}, once (minutes)`);
    mkdirSync(cache, { recursive: true });
    const built = spawnSync('go', ['build', '-trimpath', '-ldflags', '-s -w', '-o', `${path}.new`, source], {
      cwd: join(root, module),
      stdio: 'inherit',
      env: { ...process.env, GOFLAGS: '-mod=mod' },
      timeout: limitMs > 0 ? Math.max(1, limitMs - Math.round(performance.now() - began)) : undefined,
    });
    if (built.status !== 0) {
      // A gate without the network cannot build; what is wrong with it is above.
      if (limitMs === 0) process.exit(built.status ?? 1);
      const end = lack(
        built.error?.code === 'ETIMEDOUT'
          ? `${name} was not built within ${limitMs / 1000} s`
          : `${name} could not be built`,
      );
      if (end) return end;
      continue;
    }
    console.log(`e2e: built after ${Math.round((performance.now() - began) / 1000)} s`);
    renameSync(`${path}.new`, path);
    paths[variable] = path;
  }
  return { paths, missing: undefined };
}

/** Where the programs of a module are kept: a folder for each state of its go.sum. */
function cacheOf(module) {
  const sums = readFileSync(join(root, module, 'go.sum'));
  return join(
    process.env.XDG_CACHE_HOME || join(homedir(), '.cache'),
    'cilium-toolkit-e2e',
    createHash('sha256').update(sums).digest('hex').slice(0, 16),
  );
}
