// The budgets of policy verbs that read flows: replay beside JSON.parse of the same file, suggest of a million flows.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchOptions, type Budget, CILIUM, cpuInTurns, script, shareOf } from './lib-budget.ts';
import { writeFlows } from './lib-flows.ts';

const REPLAYED = 200_000;
const SUGGESTED = 1_000_000;
const CHAPTER = 'policy';
const RULES = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: api
  namespace: default
spec:
  endpointSelector:
    matchLabels:
      app: api
  ingress:
    - fromEndpoints:
        - matchLabels:
            app: frontend
`;

/** Measures the rows of the table. */
export async function rows({ runs }: BenchOptions): Promise<Budget[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-policies-'));
  try {
    const [flows, many, rules] = ['flows.jsonl', 'many.jsonl', 'rules.yaml'].map((name) =>
      join(folder, name),
    );
    if (!flows || !many || !rules) throw new Error('no files');
    writeFlows(flows, REPLAYED);
    writeFileSync(rules, RULES);
    const parse = { name: 'JSON.parse', command: process.execPath, args: [script('json-parse.mjs'), flows] };
    const replay = ['policy', 'replay', '--candidate', rules, '--flows', flows];
    const [ours = 0, other = 1] = await cpuInTurns(
      [{ name: 'policy replay', command: CILIUM, args: replay }, parse],
      { runs },
    );
    writeFlows(many, SUGGESTED);
    const suggest = ['policy', 'suggest', '--flows', many];
    const [seconds = 0] = await cpuInTurns([{ name: 'policy suggest', command: CILIUM, args: suggest }], {
      runs: Math.max(1, runs - 1),
    });
    return [
      shareOf('policy replay', 1.2, [ours, other], 'JSON.parse of the file', CHAPTER),
      {
        work: 'policy suggest',
        value: seconds,
        unit: 's',
        goal: 5,
        figures: `${SUGGESTED} flows`,
        explained: CHAPTER,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}
