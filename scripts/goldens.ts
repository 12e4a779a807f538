// Replays every recording and prints matched/total per file and each file's first difference (all with --all).
import { SUITES } from '../test/goldens/index.ts';

const all = process.argv.includes('--all');
const only = process.argv.slice(2).filter((word) => !word.startsWith('--'));
let missed = 0;
for (const suite of SUITES) {
  if (only.length > 0 && !only.some((word) => suite.file.includes(word))) continue;
  const skipped = suite.skip?.();
  if (skipped !== undefined) {
    console.log(`${suite.file}: skipped (${skipped})`);
    continue;
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
    else differences.push(`${result.name}: ${result.difference}`);
  }
  missed += differences.length;
  console.log(
    `${suite.file}: ${matched}/${total} matched${excused.length ? `, ${excused.length} listed as different` : ''}`,
  );
  for (const line of excused) console.log(`  listed: ${line}`);
  for (const line of all ? differences : differences.slice(0, 1)) console.log(`  differs: ${line}`);
}
process.exitCode = missed > 0 ? 1 : 0;
