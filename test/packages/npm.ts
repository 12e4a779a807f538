import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect } from '@jest/globals';
import { missingForPackages } from './debian.ts';
import { testUnless } from './packages-test.ts';

const NODE = resolve('node_modules/node/bin');

/** The npm package, installed as a user would. */
export function testNpm(out: string): void {
  const why = missingForPackages();
  const folder = mkdtempSync(join(tmpdir(), 'npm-package-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const tarball = () => join(out, globSync('*.tgz', { cwd: out })[0] ?? '');
  // Nothing is fetched, and no compiler is found: only what npm itself starts.
  const env = { HOME: folder, PATH: `${NODE}:/usr/local/bin:/usr/bin:/bin`, CC: '/nonexistent/cc' };
  const run = (command: string, words: string[], more = {}) =>
    spawnSync(command, words, { encoding: 'utf8', cwd: folder, env: { ...env, ...more } });

  testUnless(why, 'npm install -g needs no compiler, no network and no scripts', () => {
    const prefix = join(folder, 'prefix');
    const installed = run('npm', ['install', '-g', '--offline', '--prefix', prefix, tarball()]);
    expect([installed.status, installed.stdout]).toEqual([0, expect.stringContaining('added 1 package')]);
    expect(run(join(prefix, 'bin/cilium'), ['version', '--client']).stdout).toContain('compiled with node v');
    expect(run(join(prefix, 'bin/hubble'), ['version']).stdout).toMatch(/^hubble /);
    expect(globSync('share/man/man1/cilium-policy-import.1', { cwd: prefix })).toHaveLength(1);
    // The helper came with it.
    const lab = ['lab', 'run', '--scenario', 'shop', '--', join(prefix, 'bin/cilium'), 'bpf', 'maps', 'list'];
    expect(run(join(prefix, 'bin/cilium'), lab).stdout).toContain('cilium_ct4_global');
    const manifest = JSON.parse(
      readFileSync(join(prefix, 'lib/node_modules/cilium-toolkit/package.json'), 'utf8'),
    );
    expect(manifest).not.toHaveProperty('scripts');
    expect(manifest).not.toHaveProperty('dependencies');
    expect(manifest).not.toHaveProperty('private');
    expect(manifest.engines).toEqual({ node: '>=24.0.0' });
  });

  testUnless(why, 'an installed program does not name the scripts of a checkout', () => {
    const prefix = join(folder, 'prefix');
    const helper = join(prefix, 'lib/node_modules/cilium-toolkit/build');
    rmSync(helper, { recursive: true });
    const words = [
      '-m',
      'sh',
      '-ec',
      'mount -t bpf none /sys/fs/bpf; exec "$0" bpf maps list',
      join(prefix, 'bin/cilium'),
    ];
    const without = run('unshare', words);
    expect(without.stderr).toContain('the BPF helper of this installation is not built');
    expect(without.stderr).not.toMatch(/npm (?:run|ci)/);
  });

  testUnless(why, 'npx runs it from the file', () => {
    mkdirSync(join(folder, 'elsewhere'));
    const words = ['--yes', '--offline', `--package=${tarball()}`, 'cilium', 'policy', 'validate', '--help'];
    expect(run('npx', words).stdout).toContain('Usage: cilium policy validate');
  });
}
