// Prints the table of budgets, measured in this run. With names it runs those parts; some have figures beside their budgets.
// --runs N: runs of each program (default 3); --follow SECONDS: for how long a stream is followed (default 60); --flows N: flows of
// the capture that becomes tables (default 200000).
import { readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type BenchOptions, type Budget, budgetTable } from './lib-budget.ts';

/** A part has rows of the table, figures of its own, or both. */
interface Part {
  rows?: (options: BenchOptions) => Promise<Budget[]>;
  run?: () => Promise<unknown>;
}

const folder = new URL('.', import.meta.url);
/** In the order of the table; the others follow by name. */
const FIRST = [
  'file',
  'stream',
  'start',
  'memory',
  'bpf-ct',
  'flow-policies',
  'policy-validate',
  'endpoint-list',
  'map',
  'pan',
  'ui',
  'parquet',
];
const others = readdirSync(folder)
  .filter((file) => file.endsWith('.ts') && file !== 'index.ts' && !file.startsWith('lib'))
  .map((file) => file.slice(0, -3))
  .filter((name) => !FIRST.includes(name));
const names = [...FIRST, ...others];

const { values, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '3' },
    follow: { type: 'string', default: '60' },
    flows: { type: 'string', default: '200000' },
  },
});
const options = { runs: atLeastOne('runs'), followSeconds: atLeastOne('follow'), flows: atLeastOne('flows') };

function atLeastOne(name: 'runs' | 'follow' | 'flows'): number {
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`--${name} ${values[name]}: expected a whole number from 1`);
  return value;
}

for (const name of wanted)
  if (!names.includes(name)) throw new Error(`no benchmark "${name}"; there are: ${names.join(', ')}`);
const table: Budget[] = [];
for (const name of wanted.length > 0 ? wanted : names) {
  const { rows, run } = (await import(new URL(`${name}.ts`, folder).href)) as Part;
  if (rows) {
    console.error(`> ${name}`);
    table.push(...(await rows(options)));
  }
  if (!run || wanted.length === 0) continue;
  console.log(`\n# ${name}`);
  await run();
}
if (table.length > 0) console.log(`\n${budgetTable(table)}`);
