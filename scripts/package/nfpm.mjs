// .deb and .rpm, by nfpm.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { MACHINES } from '../machines.mjs';
import { DESCRIPTION, date, manifest, NAMES, root, SUMMARY, version } from './facts.mjs';

/** The release whose modules are all there; the one after asks for a module that the module proxy does not serve. */
const NFPM = 'v2.43.4';

/** The program: that of NFPM, one of our own in the cache, or one that Go builds there (a minute, once). Says why there is none. */
export function findNfpm() {
  if (process.env.NFPM) return { path: process.env.NFPM };
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const folder = join(cache, `cilium-toolkit/nfpm-${NFPM}`);
  const path = join(folder, 'nfpm');
  if (existsSync(path)) return { path };
  if (spawnSync('go', ['version']).status !== 0)
    return {
      why: 'they are made by nfpm, which Go builds, and go is not on PATH (NFPM names a program that is there)',
    };
  console.error(`> building nfpm ${NFPM} (a minute, once)`);
  mkdirSync(folder, { recursive: true });
  const { status, stderr } = spawnSync('go', ['install', `github.com/goreleaser/nfpm/v2/cmd/nfpm@${NFPM}`], {
    encoding: 'utf8',
    env: { ...process.env, GOBIN: folder, CGO_ENABLED: '0' },
  });
  if (status === 0) return { path };
  return { why: `nfpm ${NFPM} could not be built: ${stderr.trim().split('\n').at(-1)}` };
}

/** In Debian's form of a copyright file, with all that is inside. */
function copyright(licences) {
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: ${manifest.name}

Files: *
Copyright: the authors of ${manifest.name}
License: Apache-2.0
 On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.
Comment: What other authors wrote of it is listed here, with its licences.
${licences
  .trimEnd()
  .split('\n')
  .map((line) => (line.trim() === '' ? ' .' : ` ${line}`))
  .join('\n')}
`;
}

/** What is in the package: where it lies, and what it is. */
function contents({ file, texts, licences, work, format }) {
  const written = (name, content) => {
    const path = join(work, `${format}-${name}`);
    writeFileSync(path, content);
    return path;
  };
  const mtime = date.toISOString();
  const plain = (src, dst) => ({ src, dst, file_info: { mode: 0o644, mtime } });
  const place = (path) =>
    format === 'deb' ? path.replace('zsh/site-functions/', 'zsh/vendor-completions/') : path;
  const changes = gzipSync(readFileSync(join(root, 'CHANGELOG.md')), { level: 9 });
  const documents =
    format === 'deb'
      ? [
          plain(written('copyright', copyright(licences)), '/usr/share/doc/cilium-toolkit/copyright'),
          plain(written('changelog.gz', changes), '/usr/share/doc/cilium-toolkit/changelog.gz'),
        ]
      : [
          plain(join(root, 'LICENSE'), '/usr/share/licenses/cilium-toolkit/LICENSE'),
          plain(written('third', licences), '/usr/share/licenses/cilium-toolkit/THIRD-PARTY-LICENSES'),
          plain(written('changelog.gz', changes), '/usr/share/doc/cilium-toolkit/changelog.gz'),
        ];
  return [
    { src: file, dst: '/usr/bin/cilium-toolkit', file_info: { mode: 0o755, mtime } },
    ...NAMES.map((name) => ({
      src: 'cilium-toolkit',
      dst: `/usr/bin/${name}`,
      type: 'symlink',
      file_info: { mtime },
    })),
    ...texts.paths.map((path) => plain(join(texts.folder, path), `/usr/share/${place(path)}`)),
    ...documents,
  ];
}

/** Writes the package in a format, and returns its path. */
export function writeSystemPackage(one) {
  const { arch, format, nfpm, work, out, maintainer } = one;
  // Other programs of the same names.
  const others = ['cilium-cli', 'hubble-cli', 'hubble'];
  const config = {
    name: manifest.name,
    arch: MACHINES[arch].go,
    platform: 'linux',
    version,
    version_schema: 'semver',
    release: '1',
    mtime: date.toISOString(),
    maintainer,
    description: `${SUMMARY}\n${DESCRIPTION}`,
    license: manifest.license,
    section: 'admin',
    priority: 'optional',
    contents: contents(one),
    conflicts: others,
    // A Replaces of Debian only lets the other package be taken out; in an rpm it would be an Obsoletes, which takes it out unasked.
    ...(format === 'deb' && { replaces: others, provides: ['cilium-cli'] }),
    depends: [format === 'deb' ? 'libc6 (>= 2.28)' : 'glibc >= 2.28'],
    deb: { compression: 'zstd' },
    rpm: { compression: 'zstd', summary: SUMMARY, buildhost: 'localhost' },
  };
  const path = join(work, `${format}-${arch}.json`);
  writeFileSync(path, JSON.stringify(config, null, 2));
  const name =
    format === 'deb'
      ? `${manifest.name}_${version}_${MACHINES[arch].debian}.deb`
      : `${manifest.name}-${version}-1.${MACHINES[arch].rpm}.rpm`;
  const target = join(out, name);
  execFileSync(nfpm, ['package', '--config', path, '--packager', format, '--target', target], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(date.getTime() / 1000) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return target;
}
