// Runs every benchmark, or those whose names are given, and prints ratios measured in this run.
import { readdirSync } from 'node:fs';

const folder = new URL('.', import.meta.url);
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.ts') && file !== 'index.ts' && !file.startsWith('lib'))
  .map((file) => file.slice(0, -3));
const wanted = process.argv.slice(2);
for (const name of wanted.length > 0 ? wanted : names) {
  if (!names.includes(name)) throw new Error(`no benchmark "${name}"; there are: ${names.join(', ')}`);
  console.log(`\n# ${name}`);
  const { run } = (await import(new URL(`${name}.ts`, folder).href)) as { run: () => Promise<void> };
  await run();
}
