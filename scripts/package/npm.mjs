// The npm package: the bundle with all packages in it, helpers that are compiled already, and no script to run when it is
// installed. It is not the checkout's package.json: that one is for developing, and private.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundledPackages } from './bundled.mjs';
import { date, manifest, root } from './facts.mjs';
import { licencesOfPackages } from './licences.mjs';

/** Writes the package and returns its path, and what is in it. */
export function writeNpm({ texts, helpers, work, out }) {
  const folder = join(work, 'npm');
  mkdirSync(folder, { recursive: true });
  execFileSync(process.execPath, [join(root, 'scripts/build.mjs'), join(folder, 'dist')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const meta = join(folder, 'dist/meta.json');
  const packages = bundledPackages(JSON.parse(readFileSync(meta, 'utf8')));
  rmSync(meta);
  for (const name of ['bin', 'schemas', 'scenarios', 'LICENSE', 'README.md', 'CHANGELOG.md'])
    cpSync(join(root, name), join(folder, name), { recursive: true });
  cpSync(join(texts.pages, 'man1'), join(folder, 'dist/man/man1'), { recursive: true });
  for (const { arch, path } of helpers) {
    const target = join(folder, `build/linux-${arch}`);
    mkdirSync(target, { recursive: true });
    cpSync(path, join(target, 'bpf.node'));
  }
  writeFileSync(join(folder, 'THIRD-PARTY-LICENSES'), licencesOfPackages(packages));
  const { name, version, description, license, type, engines, bin } = manifest;
  const published = {
    ...{ name, version, description, license, type, engines, bin },
    // The launchers are for a shell.
    os: ['linux', 'darwin'],
    man: readdirSync(join(folder, 'dist/man/man1'))
      .sort()
      .map((page) => `dist/man/man1/${page}`),
    files: ['bin', 'build', 'dist', 'schemas', 'scenarios', 'CHANGELOG.md', 'THIRD-PARTY-LICENSES'],
  };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(published, null, 2)}\n`);
  execFileSync('npm', ['pack', '--silent', '--pack-destination', out], {
    cwd: folder,
    env: { ...process.env, SOURCE_DATE_EPOCH: String(date.getTime() / 1000) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return {
    path: join(out, `${name}-${version}.tgz`),
    description: {
      packages,
      helpers: helpers.map(({ arch, path }) => ({
        arch,
        sha256: createHash('sha256').update(readFileSync(path)).digest('hex'),
      })),
    },
  };
}
