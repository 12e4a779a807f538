// The machines that packages are made for, and what it takes to make them here: a compiler, the runtime, and for a
// processor that is not ours a program that plays it.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** By Node's name of the processor: its names elsewhere. */
export const MACHINES = {
  x64: {
    debian: 'amd64',
    go: 'amd64',
    rpm: 'x86_64',
    triple: 'x86_64-linux-gnu',
    qemu: 'qemu-x86_64-static',
  },
  arm64: {
    debian: 'arm64',
    go: 'arm64',
    rpm: 'aarch64',
    triple: 'aarch64-linux-gnu',
    qemu: 'qemu-aarch64-static',
  },
};

/** What Debian calls the packages that a foreign processor needs. */
const CROSS = {
  arm64:
    'gcc-aarch64-linux-gnu libc6-dev-arm64-cross libstdc++6-arm64-cross libatomic1-arm64-cross qemu-user-static',
  x64: 'gcc-x86-64-linux-gnu libc6-dev-amd64-cross libstdc++6-amd64-cross libatomic1-amd64-cross qemu-user-static',
};

const isThere = (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;

/** The programs that make something for a processor on this machine. `run` goes in front of what is made. */
export function toolsFor(arch) {
  if (arch === process.arch) return { gcc: 'gcc', strip: 'strip', run: [] };
  const { triple, qemu } = MACHINES[arch];
  return { gcc: `${triple}-gcc`, strip: `${triple}-strip`, run: [qemu, '-L', `/usr/${triple}`] };
}

/** Why nothing can be made for a processor here; undefined where it can. */
export function missingFor(arch) {
  if (process.platform !== 'linux') return 'it is made on Linux only';
  const { gcc, strip, run } = toolsFor(arch);
  const missing = [gcc, strip, ...run.slice(0, 1)].filter((command) => !isThere(command));
  if (missing.length === 0) return undefined;
  const packages = arch === process.arch ? 'gcc binutils' : CROSS[arch];
  return `${missing.join(', ')} not found (Debian: apt-get install ${packages})`;
}

/** The release of the runtime, the same for each processor. */
export const runtimeVersion = JSON.parse(
  readFileSync(join(root, 'node_modules/node/package.json'), 'utf8'),
).version;

/** The folder of the runtime's package: that of this checkout, or the same release for another processor, kept in a cache. */
export function runtimeFor(arch) {
  const name = `node-linux-${arch}`;
  const own = join(root, 'node_modules/node/node_modules', name);
  if (existsSync(join(own, 'bin/node'))) return own;
  const kept = join(
    process.env.XDG_CACHE_HOME || join(homedir(), '.cache'),
    'cilium-toolkit',
    `${name}-${runtimeVersion}`,
  );
  if (!existsSync(kept)) {
    mkdirSync(dirname(kept), { recursive: true });
    const work = mkdtempSync(`${kept}.`);
    try {
      // npm checks what comes against the sum that the registry gives.
      const file = execFileSync('npm', ['pack', '--silent', `${name}@${runtimeVersion}`], {
        cwd: work,
        encoding: 'utf8',
      });
      execFileSync('tar', ['-xzf', file.trim()], { cwd: work });
      renameSync(join(work, 'package'), kept);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  return kept;
}

/** For dpkg-query: the $-signs are its own. */
const FIELDS = `-f=\${Package} \${Version}`;

/** The package of Debian that a file of this system is of, as { package, version }; {} where that is not known. */
export function ownerOf(path) {
  // Where /lib is a link, a package may still know the path without /usr.
  const asked = spawnSync('dpkg-query', ['-S', path, path.replace(/^\/usr/, '')], { encoding: 'utf8' });
  const [, owner] = /^(\S+): /m.exec(asked.stdout ?? '') ?? [];
  if (owner === undefined) return {};
  const [name, version] = execFileSync('dpkg-query', ['-W', FIELDS, owner], { encoding: 'utf8' }).split(' ');
  return { package: name, version };
}
