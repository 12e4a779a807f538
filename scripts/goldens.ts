// Replays recordings of the reference tools and compares; see HELP.
import { parseArgs } from 'node:util';
import { SUITES, UNFINISHED } from '../test/goldens/index.ts';
import { firstDifference, type GoldenSuite, wholeDifference } from '../test/goldens/suite.ts';

const HELP = `Replays the recordings of the reference tools and compares standard output and exit codes.

Usage: npm run goldens -- [options] [file...]

  file           Only recordings whose name contains this, such as hubble or agent-1.20
  --all          Print the first difference of every case that does not match, not of one per recording
  --case <name>  Run one case and print its whole diff (- recorded, + ours); the name is its command line
  --list         Print the names of the cases
  -h, --help     Print this help

Examples:
  npm run goldens
  npm run goldens -- --case "status --verbose"
  npm run goldens -- --list bpf
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    all: { type: 'boolean' },
    case: { type: 'string' },
    list: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
});
const suites = [...SUITES, ...UNFINISHED].filter(
  ({ file }) => positionals.length === 0 || positionals.some((word) => file.includes(word)),
);

/** Prints a line of counts per recording; returns how many cases do not match. */
async function runSuite(suite: GoldenSuite): Promise<number> {
  const skipped = suite.skip?.();
  if (skipped !== undefined) {
    console.log(`${suite.file}: skipped (${skipped})`);
    return 0;
  }
  let matched = 0;
  let total = 0;
  const differences: string[] = [];
  const excused: string[] = [];
  for await (const result of suite.run()) {
    total++;
    const reason = suite.exceptions?.[result.name];
    if (result.matched) matched++;
    else if (reason) excused.push(`${result.name}: ${reason}`);
    else differences.push(`${result.name}: ${firstDifference(result)}`);
  }
  const listed = excused.length > 0 ? `, ${excused.length} listed as different` : '';
  console.log(`${suite.file}: ${matched}/${total} matched${listed}`);
  for (const line of excused) console.log(`  listed: ${line}`);
  for (const line of values.all ? differences : differences.slice(0, 1)) console.log(`  differs: ${line}`);
  return differences.length;
}

/** Prints the diff of the cases of a name, in every recording that has it; returns how many do not match. */
async function runCase(name: string): Promise<number> {
  let missed = 0;
  let found = 0;
  for (const suite of suites.filter((each) => each.names().includes(name))) {
    found++;
    const skipped = suite.skip?.();
    if (skipped !== undefined) console.log(`${suite.file}: skipped (${skipped})`);
    else
      for await (const result of suite.run(name)) {
        const reason = suite.exceptions?.[name];
        console.log(`${suite.file}: ${name}: ${result.matched ? 'matches' : (reason ?? 'differs')}`);
        if (!result.matched) console.log(wholeDifference(result));
        if (!result.matched && !reason) missed++;
      }
  }
  if (found > 0) return missed;
  const near = suites.flatMap((each) => each.names()).filter((other) => other.includes(name));
  console.error(`No case is named "${name}".`);
  for (const other of new Set(near)) console.error(`  ${other}`);
  return 1;
}

let missed = 0;
if (values.help) process.stdout.write(HELP);
else if (values.list)
  for (const suite of suites) for (const name of suite.names()) console.log(`${suite.file}: ${name}`);
else if (values.case !== undefined) missed = await runCase(values.case);
else for (const suite of suites) missed += await runSuite(suite);
process.exitCode = missed > 0 ? 1 : 0;
