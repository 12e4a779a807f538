// Makes what a node without Node.js needs: the one file, and its checksum.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const file = join(root, `build/cilium-toolkit-${version}-${process.platform}-${process.arch}`);
execFileSync(process.execPath, [join(root, 'scripts/single.mjs'), file], { stdio: 'inherit' });
const digest = createHash('sha256').update(readFileSync(file)).digest('hex');
writeFileSync(`${file}.sha256`, `${digest}  ${basename(file)}\n`);
console.log(`${file}.sha256`);
