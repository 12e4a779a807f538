// Completions and manual pages, as they lie in a system.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { date, root } from './facts.mjs';

const node = join(root, 'node_modules/node/bin/node');
const options = {
  cwd: root,
  encoding: 'utf8',
  env: { ...process.env, SOURCE_DATE_EPOCH: String(date.getTime() / 1000) },
  stdio: ['ignore', 'pipe', 'inherit'],
};

/** Where each shell looks for the completion of a program; zsh looks elsewhere on Debian than on others. */
const COMPLETIONS = {
  bash: (name) => `bash-completion/completions/${name}`,
  zsh: (name) => `zsh/site-functions/_${name}`,
  fish: (name) => `fish/vendor_completions.d/${name}.fish`,
};

/** Writes them below a folder that stands for /usr/share. Returns the paths in it. */
export function writeTexts(folder) {
  const paths = [];
  const add = (path, content) => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), content);
    paths.push(path);
  };
  for (const [shell, path] of Object.entries(COMPLETIONS)) {
    const script = execFileSync(node, ['--import', 'tsx', 'src/bin/cilium.ts', 'completion', shell], options);
    // One script is for both names. zsh reads off its first line what it is for; the others look for a file by name.
    for (const name of shell === 'zsh' ? ['cilium'] : ['cilium', 'hubble']) add(path(name), script);
  }
  const pages = join(folder, 'pages');
  execFileSync(node, ['--import', 'tsx', 'scripts/build-man.ts', pages], options);
  for (const page of readdirSync(join(pages, 'man1')).sort())
    add(`man/man1/${page}.gz`, gzipSync(readFileSync(join(pages, 'man1', page)), { level: 9 }));
  return { folder, paths, pages };
}
