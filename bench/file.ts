// The budgets of a large file of flows, beside jq and the reference.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type BenchOptions,
  type Budget,
  cpuInTurns,
  HUBBLE,
  has,
  NO_REFERENCE,
  notMeasured,
  referenceHubble,
  shareOf,
} from './lib-budget.ts';
import { withNewField, withSpaces, writeFlows } from './lib-flows.ts';
import type { Contender } from './lib-measure.ts';

const FLOWS = 200_000;
const CHAPTER = 'hubble';

const OF_JQ = [
  { name: 'compact', goal: 0.1, flags: [] },
  { name: '-o json', goal: 0.08, flags: ['-o', 'json'] },
  { name: '--verdict DROPPED', goal: 0.08, flags: ['--verdict', 'DROPPED'] },
  { name: '--pod default/', goal: 0.08, flags: ['--pod', 'default/'] },
  { name: '--from-label app=frontend', goal: 0.12, flags: ['--from-label', 'app=frontend'] },
];

/** Against the reference with the same flags. */
const OF_REFERENCE = [
  { goal: 0.15, flags: ['--tcp-flags', 'SYN'] },
  { goal: 0.15, flags: ['--from-workload', 'frontend'] },
  { goal: 0.15, flags: ['--http-method', 'get'] },
  { goal: 0.15, flags: ['--node-name', 'lab/node1'] },
  { goal: 0.15, flags: ['--ip', '10.0.0.0/8'] },
  { goal: 0.15, flags: ['-o', 'dict'] },
  { goal: 0.15, flags: ['-o', 'table'] },
  { goal: 0.4, flags: ['--cel-expression', '_flow.verdict == Verdict.DROPPED'] },
];

/** Measures the rows of the table. */
export async function rows({ runs }: BenchOptions): Promise<Budget[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-file-'));
  try {
    const [canonical, newer, spaced] = ['flows', 'newer', 'spaced'].map((name) =>
      join(folder, `${name}.jsonl`),
    );
    if (!canonical || !newer || !spaced) throw new Error('no files');
    writeFlows(canonical, FLOWS);
    writeFlows(newer, FLOWS, withNewField);
    writeFlows(spaced, FLOWS, withSpaces);
    return [...(await ofJq(canonical, { newer, spaced }, runs)), ...(await ofReference(canonical, runs))];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function observe(command: string, file: string, flags: readonly string[] = []): Contender {
  const args = ['observe', '--input-file', file, ...flags];
  return { name: [command, ...args].join(' '), command, args };
}

async function ofJq(
  file: string,
  others: { newer: string; spaced: string },
  runs: number,
): Promise<Budget[]> {
  const jq = { name: 'jq', command: 'jq', args: ['-r', '.flow.verdict', file] };
  const [newer = 0, spaced = 0, ...rest] = await cpuInTurns(
    [
      observe(HUBBLE, others.newer),
      observe(HUBBLE, others.spaced),
      ...OF_JQ.map(({ flags }) => observe(HUBBLE, file, flags)),
      ...(has('jq') ? [jq] : []),
    ],
    { runs },
  );
  const [compact = 1] = rest;
  const other = rest[OF_JQ.length];
  return [
    ...OF_JQ.map(({ name, goal }, i) =>
      other === undefined
        ? notMeasured(`file, ${name}`, goal, 'jq is not installed')
        : shareOf(`file, ${name}`, goal, [rest[i] ?? 0, other], 'jq', CHAPTER),
    ),
    shareOf('file, an unknown field in every line', 1.3, [newer, compact], 'canonical', CHAPTER),
    shareOf('file, spaces in every line', 1.3, [spaced, compact], 'canonical', CHAPTER),
  ];
}

async function ofReference(file: string, runs: number): Promise<Budget[]> {
  const reference = referenceHubble();
  const named = OF_REFERENCE.map((row) => ({ ...row, work: `file, ${row.flags.join(' ')}` }));
  if (reference === undefined) return named.map(({ work, goal }) => notMeasured(work, goal, NO_REFERENCE));
  const measured: Budget[] = [];
  for (const { work, goal, flags } of named) {
    const [ours = 0, other = 1] = await cpuInTurns(
      [observe(HUBBLE, file, flags), observe(reference, file, flags)],
      {
        runs,
      },
    );
    measured.push(shareOf(work, goal, [ours, other], 'the reference', CHAPTER));
  }
  return measured;
}
