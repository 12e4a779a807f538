// An archive of the one file with its completions, manual pages and licences: what krew and Homebrew fetch.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { date, root, version } from './facts.mjs';

/** tar of GNU, told what would otherwise depend on who packs, when, and in which order. */
export function pack(folder, target) {
  execFileSync('tar', [
    ...['--sort=name', '--format=ustar', `--mtime=@${date.getTime() / 1000}`],
    ...['--owner=0', '--group=0', '--numeric-owner', '--mode=u=rwX,go=rX'],
    ...['-I', 'gzip -n', '-C', folder, '-cf', target, '.'],
  ]);
}

/** Writes the archive and returns its path. */
export function writeArchive({ arch, file, texts, licences, work, out }) {
  const folder = join(work, `archive-${arch}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const path of texts.paths) cpSync(join(texts.folder, path), join(folder, 'share', path));
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  writeFileSync(join(folder, 'THIRD-PARTY-LICENSES'), licences);
  cpSync(file, join(folder, 'cilium-toolkit'));
  const target = join(out, `cilium-toolkit-${version}-linux-${arch}.tar.gz`);
  pack(folder, target);
  return target;
}
