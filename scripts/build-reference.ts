// Writes docs/reference from the declarations of the commands.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { referencePages } from './reference/markdown.ts';
import { readPages } from './reference/pages.ts';

const folder = fileURLToPath(new URL('../docs/reference', import.meta.url));
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const files = referencePages(await readPages());
for (const [name, text] of files) writeFileSync(join(folder, name), text);
console.log(`${folder}: ${files.size} pages`);
