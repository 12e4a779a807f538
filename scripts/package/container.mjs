// The folder from which an image is built: a root with the one file, the C library that it needs, and nothing else.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { MACHINES, ownerOf, toolsFor } from '../machines.mjs';
import { NAMES, root, version } from './facts.mjs';

const LINKER = { x64: 'lib64/ld-linux-x86-64.so.2', arm64: 'lib/ld-linux-aarch64.so.1' };
/** What the runtime is linked with. From glibc 2.34 on names are looked up without more. */
const LIBRARIES = [
  ...['libc.so.6', 'libm.so.6', 'libdl.so.2', 'libpthread.so.0'],
  ...['libgcc_s.so.1', 'libstdc++.so.6', 'libatomic.so.1'],
];

const FILES = {
  'etc/passwd': 'root:x:0:0:root:/root:/usr/bin/cilium\nnobody:x:65534:65534:nobody:/tmp:/usr/bin/cilium\n',
  'etc/group': 'root:x:0:\nnogroup:x:65534:\n',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
};

const PLATFORM = { x64: 'linux/amd64', arm64: 'linux/arm64' };

/** Writes container-ARCH/ and returns its path with the libraries that it brings, or why it is not made. */
export function writeContainer({ arch, file, licences, out }) {
  const { gcc } = toolsFor(arch);
  const find = (name) => {
    const path = execFileSync(gcc, [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
    return path.startsWith('/') && existsSync(path) ? realpathSync(path) : undefined;
  };
  const linker = LINKER[arch];
  const libraries = [linker, ...LIBRARIES.map((name) => `lib/${MACHINES[arch].triple}/${name}`)].map(
    (path) => ({
      path,
      name: path.slice(path.lastIndexOf('/') + 1),
      from: find(path.slice(path.lastIndexOf('/') + 1)),
    }),
  );
  const missing = libraries.find(({ from }) => from === undefined);
  if (missing) return { why: `${missing.name} is not on this machine` };

  const path = join(out, `container-${arch}`);
  const tree = join(path, 'root');
  const put = (name, write) => {
    mkdirSync(dirname(join(tree, name)), { recursive: true });
    write(join(tree, name));
  };
  for (const { path: name, from } of libraries) put(name, (to) => cpSync(from, to));
  for (const [name, text] of Object.entries(FILES)) put(name, (to) => writeFileSync(to, text));
  put('usr/bin/cilium-toolkit', (to) => linkSync(file, to));
  for (const name of NAMES) put(`usr/bin/${name}`, (to) => symlinkSync('cilium-toolkit', to));
  put('usr/share/licenses/LICENSE', (to) => cpSync(join(root, 'LICENSE'), to));
  put('usr/share/licenses/THIRD-PARTY-LICENSES', (to) => writeFileSync(to, licences));
  mkdirSync(join(tree, 'tmp'));
  chmodSync(join(tree, 'tmp'), 0o1777);
  const text = readFileSync(join(root, 'scripts/package/Containerfile'), 'utf8')
    .replaceAll('@VERSION@', version)
    .replaceAll('@PLATFORM@', PLATFORM[arch]);
  writeFileSync(join(path, 'Containerfile'), text);
  // The runtime's own libraries are told of with the one file.
  const brought = libraries.filter(({ name }) => !/gcc|stdc|atomic/.test(name));
  return {
    path,
    parts: brought.map(({ name, from }) => ({
      name,
      ...ownerOf(from),
      sha256: createHash('sha256').update(readFileSync(from)).digest('hex'),
    })),
  };
}
