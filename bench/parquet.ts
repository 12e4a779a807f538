// A large capture as report, as tables, and asked by DuckDB and by --top: what each takes of memory, and whether they say the same.
// --flows 10000000 is a capture of 10 GB, and takes the better part of an hour.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QUESTIONS, type Question } from '../test/helpers/questions.ts';
import { type BenchOptions, type Budget, HUBBLE } from './lib-budget.ts';
import { writeMesh } from './lib-flows.ts';
import { measureRun } from './lib-measure.ts';

const WORKLOADS = 300;
const EXPLAINED = 'Maps, reports and the page';
const REPORT_MB = 200;
const RECORD_MB = 250;
/** DuckDB may take half a gigabyte, beside what it holds for itself. */
const QUERY_MB = 700;

/** Measures the rows of the table. */
export async function rows({ flows: count }: BenchOptions): Promise<Budget[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-parquet-'));
  try {
    const [flows, tables] = [join(folder, 'flows.jsonl'), join(folder, 'tables')];
    writeMesh(flows, count, WORKLOADS);
    const measured = [
      await memory('report', REPORT_MB, count, ['report', flows, '-o', join(folder, 'report.html')]),
      await memory('record --format parquet', RECORD_MB, count, [
        ...['record', tables, '--format', 'parquet', '--input-file', flows],
      ]),
      await memory('query', QUERY_MB, count, ['query', QUESTIONS[0]?.sql ?? '', '--input-file', tables]),
    ];
    for (const question of QUESTIONS) measured.push(await compare(question, flows, tables));
    return measured;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function memory(work: string, goal: number, count: number, args: string[]): Promise<Budget> {
  const { peakMb, medianMs, exitCode } = await measureRun(HUBBLE, args, { runs: 1, warm: true });
  if (exitCode !== 0) throw new Error(`hubble ${args.join(' ')} ended with ${exitCode}`);
  return {
    ...{ work: `memory, ${work} of ${count} flows`, value: peakMb, unit: 'MB', goal },
    ...{ figures: `the most, in ${(medianMs / 1000).toFixed(0)} s`, explained: EXPLAINED },
  };
}

interface Ranking {
  rows: Record<string, string | number>[];
}

/** The share of the rows of --top that DuckDB answers with another number. Beyond 10,000 keys --top says how far it may be off. */
async function compare({ keys, sql }: Question, flows: string, tables: string): Promise<Budget> {
  const names = keys.split(',');
  const { rows: top } = JSON.parse(
    await said(['observe', '--input-file', flows, '--top', keys, '--top-rows', '1000', '-o', 'json']),
  ) as Ranking;
  const answers = await said(['query', sql, '--input-file', tables, '-o', 'json']);
  const counts = new Map<string, number>();
  for (const line of answers.trim().split('\n')) {
    const values = Object.values(JSON.parse(line) as Record<string, string>);
    counts.set(values.slice(0, -1).join('\t'), Number(values.at(-1)));
  }
  const others = top.filter((row) => {
    const found = counts.get(names.map((name) => row[name]).join('\t')) ?? 0;
    const [count, error] = [Number(row.count), Number(row.count_error ?? 0)];
    return found > count || found < count - error;
  });
  const exact = top.filter(({ count_error: error }) => error === undefined).length;
  return {
    ...{ work: `DuckDB beside --top ${keys}`, value: others.length / top.length, unit: 'share', goal: 0 },
    figures: `rows that differ, of ${top.length} (${exact} of them exact; DuckDB has ${counts.size})`,
    explained: EXPLAINED,
  };
}

async function said(args: string[]): Promise<string> {
  const child = spawn(HUBBLE, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const part of child.stdout) text += String(part);
  return text;
}
