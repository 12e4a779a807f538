import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'single-'));
const file = join(folder, 'cilium');
const root = join(folder, 'root');
/** What is there of a system in a root with the GNU C library alone. */
const GLIBC = ['libc.so.6', 'libm.so.6', 'libdl.so.2', 'libpthread.so.0'];
const LINKER = '/lib64/ld-linux-x86-64.so.2';

function make(target: string): void {
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts/single.mjs'), target], {
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
}

const why =
  process.platform !== 'linux' || process.arch !== 'x64'
    ? 'not linux on x64'
    : process.getuid?.() !== 0
      ? 'not root'
      : spawnSync('unshare', ['-m', 'true']).status !== 0
        ? 'no mount namespace can be made'
        : undefined;
/** Skipped, with the reason in its name, where such a root cannot be made. */
function fileTest(title: string, body: () => void): void {
  if (why === undefined) test(title, body);
  else test.skip(`${title} (skipped: ${why})`, body);
}

beforeAll(() => {
  if (why !== undefined) return;
  make(file);
  for (const path of ['lib64', 'lib/x86_64-linux-gnu', 'proc', 'sys', 'dev', 'usr/bin', 'tmp'])
    mkdirSync(join(root, path), { recursive: true });
  copyFileSync(LINKER, join(root, LINKER));
  for (const name of GLIBC)
    copyFileSync(join('/lib/x86_64-linux-gnu', name), join(root, 'lib/x86_64-linux-gnu', name));
  copyFileSync(file, join(root, 'usr/bin/cilium'));
  chmodSync(join(root, 'usr/bin/cilium'), 0o755);
  for (const name of ['hubble', 'kubectl-cilium', 'kubectl_complete-cilium', 'kubectl_complete-hubble'])
    symlinkSync('cilium', join(root, 'usr/bin', name));
  writeFileSync(join(root, 'dev/null'), '');
  writeFileSync(
    join(root, 'policy.yaml'),
    'apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a, namespace: b}\nspec: {endpointSelector: {}, ingress: [{}]}\n',
  );
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a command line in that root, and another one behind it. Where it is not writable nothing of it can be written. */
function there(words: readonly string[], { writable = true, after = [] as readonly string[] } = {}) {
  const script = [
    `mount --bind ${root} ${root}`,
    `mount -t proc proc ${root}/proc`,
    `mount --rbind /sys ${root}/sys`,
    `mount --bind /dev/null ${root}/dev/null`,
    writable ? `mount -t tmpfs none ${root}/tmp` : `mount -o remount,ro,bind ${root}`,
    `chroot ${root} "$@"`,
    ...(after.length > 0 ? [`chroot ${root} ${after.join(' ')}`] : []),
  ];
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    ['-m', 'sh', '-ec', script.join('\n'), 'sh', ...words],
    {
      encoding: 'utf8',
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    },
  );
  return { code: status, stdout, stderr };
}

fileTest('nothing but the GNU C library is needed', () => {
  expect(there(['/usr/bin/cilium', 'version', '--client']).stdout).toContain('linux/amd64');
  expect(there(['/usr/bin/cilium', 'status'])).toEqual({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('no such socket'),
  });
  const valid = there(['/usr/bin/cilium', 'policy', 'validate', '/policy.yaml']);
  expect([valid.code, valid.stderr]).toEqual([0, '']);
});

fileTest('it plays a lab, reads it, and loads its helper', () => {
  const lab = (...words: string[]) =>
    there(['/usr/bin/cilium', 'lab', 'run', '--scenario', 'shop', '--', ...words]);
  expect(lab('/usr/bin/cilium', 'endpoint', 'list', '-o', 'json').stdout).toContain(
    '"k8s:io.kubernetes.pod.namespace=shop"',
  );
  expect(lab('/usr/bin/cilium', 'status', '--brief').stdout).toBe('OK\n');
  expect(
    lab('/usr/bin/hubble', 'observe', '--last', '2', '-o', 'jsonpb').stdout.match(/"flow":/g)?.length,
  ).toBe(2);
  expect(lab('/usr/bin/cilium', 'bpf', 'maps', 'list').stdout).toContain('cilium_ct4_global');
  const started = there(['/usr/bin/cilium', 'lab', 'start'], { after: ['/usr/bin/cilium', 'lab', 'stop'] });
  expect([started.code, started.stdout]).toEqual([0, expect.stringContaining('export CILIUM_SOCK=/')]);
  expect(started.stderr).toContain('Lab default has stopped.');
});

fileTest('its names are its programs', () => {
  expect(there(['/usr/bin/hubble', 'version']).stdout).toMatch(/^hubble /);
  expect(there(['/usr/bin/kubectl-cilium', 'status', '--help']).stdout).toContain(
    'Usage: kubectl cilium status',
  );
  expect(there(['/usr/bin/kubectl_complete-hubble', 'obs']).stdout).toMatch(/^observe\t.*\n:4\n$/);
  expect(there(['/usr/bin/kubectl_complete-cilium', 'no', 'such', '']).stdout).toBe(':4\n');
});

fileTest('it writes nothing where nothing can be written', () => {
  const { code, stderr } = there(['/usr/bin/cilium', 'policy', 'validate', '/policy.yaml'], {
    writable: false,
  });
  expect([code, stderr]).toEqual([0, '']);
});

fileTest('a system without the GNU C library is told so', () => {
  const elsewhere = join(root, 'lib64/elsewhere');
  spawnSync('mv', [join(root, LINKER), elsewhere]);
  const { code, stderr } = there(['/usr/bin/cilium', 'version']);
  spawnSync('mv', [elsewhere, join(root, LINKER)]);
  expect([code, stderr]).toEqual([127, expect.stringContaining(`no GNU C library (${LINKER} is missing)`)]);
});

fileTest('a system whose GNU C library is too old is told both releases', () => {
  const libc = join(root, 'lib/x86_64-linux-gnu/libc.so.6');
  const whole = readFileSync(libc);
  // A library that defines no version from 2.20 on.
  writeFileSync(
    libc,
    whole.toString('latin1').replace(/GLIBC_2\.(2\d|3\d|4\d)(?=\0)/g, 'GLIBC_1.$1'),
    'latin1',
  );
  const old = there(['/usr/bin/cilium', 'version']);
  writeFileSync(libc, whole.toString('latin1').replace(/GLIBC_2\.(3\d|4\d)(?=\0)/g, 'GLIBC_1.$1'), 'latin1');
  const lent = there(['/usr/bin/cilium', 'version']);
  writeFileSync(libc, whole);
  expect([old.code, old.stderr]).toEqual([
    127,
    "cilium: this system's GNU C library is 2.18, and 2.28 or newer is needed\n",
  ]);
  expect([lent.code, lent.stderr]).toEqual([
    127,
    expect.stringMatching(
      /library is 2\.2\d, and lib\S+, which this system does not have, would need 2\.3\d: install that library\n$/,
    ),
  ]);
});

fileTest('what it starts has the environment that it was started with', () => {
  const env = { PATH: '/usr/bin:/bin', LD_PRELOAD: '/lib/x86_64-linux-gnu/libm.so.6', OWN: 'x' };
  const { stdout } = spawnSync(file, ['lab', 'run', '--', 'env'], { encoding: 'utf8', env });
  const seen = Object.fromEntries(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split(/=(.*)/s)),
  );
  expect(seen).toMatchObject({ LD_PRELOAD: env.LD_PRELOAD, OWN: 'x' });
  expect(Object.keys(seen).filter((name) => name.includes('LAUNCHED'))).toEqual([]);
});
