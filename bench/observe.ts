// How fast `hubble observe` reads a large file and a stream, beside jq, a bare drain and the reference when present.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HUBBLE, has, referenceHubble, script } from './lib-budget.ts';
import { serveFlows } from './lib-flow-server.ts';
import { writeFlows } from './lib-flows.ts';
import { measureRun, table } from './lib-measure.ts';

const FLOWS = 200_000;
const MANY_FLOWS = 2_000_000;
const STREAMED = 65_500;

interface Row {
  work: string;
  ms: number;
  peakMb: number;
  /** What it is measured against, and how much of that it may take. */
  against?: { name: string; ms: number; budget: number };
}

/** Prints the figures; returns whether every budget is met. */
export async function run(): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'observe-bench-'));
  try {
    const rows = [...(await fileRows(folder)), ...(await streamRows())];
    console.log(
      table(
        ['work', 'ms', 'peak MB', 'against', 'share', 'budget'],
        rows.map(({ work, ms, peakMb, against }) => [
          work,
          ms.toFixed(0),
          peakMb.toFixed(0),
          against ? `${against.name} ${against.ms.toFixed(0)} ms` : '',
          against ? (ms / against.ms).toFixed(2) : '',
          against && Number.isFinite(against.budget) ? against.budget.toFixed(2) : '',
        ]),
      ),
    );
    return rows.every(({ ms, against }) => !against || ms <= against.ms * against.budget);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function fileRows(folder: string): Promise<Row[]> {
  const file = join(folder, 'flows.jsonl');
  writeFlows(file, FLOWS);
  console.log(`${FLOWS} flows, ${(statSync(file).size / 1e6).toFixed(0)} MB`);
  const rows: Row[] = [];
  const add = async (work: string, command: string, args: string[], budget?: number) => {
    const { medianMs, peakMb } = await measureRun(command, args, { runs: 3 });
    const jq = rows.find((row) => row.work.startsWith('jq'));
    rows.push({
      work,
      ms: medianMs,
      peakMb,
      ...(budget !== undefined && jq && { against: { name: 'jq', ms: jq.ms, budget } }),
    });
  };
  if (has('jq')) await add('jq -r .flow.verdict', 'jq', ['-r', '.flow.verdict', file]);
  const observe = ['observe', '--input-file', file];
  await add('observe, compact', HUBBLE, observe, 0.5);
  await add('observe -o json', HUBBLE, [...observe, '-o', 'json'], 0.35);
  await add('observe --verdict DROPPED', HUBBLE, [...observe, '--verdict', 'DROPPED'], 0.3);
  await add('observe --http-method get', HUBBLE, [...observe, '--http-method', 'get'], 0.3);
  const reference = referenceHubble();
  if (reference !== undefined) {
    await add('reference, compact', reference, observe);
    await add('reference -o json', reference, [...observe, '-o', 'json']);
  }
  const large = join(folder, 'many.jsonl');
  writeFlows(large, MANY_FLOWS);
  rmSync(file);
  await add(`observe ${MANY_FLOWS} flows`, HUBBLE, ['observe', '--input-file', large]);
  rmSync(large);
  return rows;
}

/** A real agent sends about so many flows a second; a server of recorded bytes is far faster. */
const AGENT_RATE = 55_000;

async function streamRows(): Promise<Row[]> {
  return [...(await streamAt(AGENT_RATE)), ...(await streamAt(0))];
}

async function streamAt(rate: number): Promise<Row[]> {
  await using server = await serveFlows({ count: STREAMED, perSecond: rate });
  const pace = rate > 0 ? `${STREAMED} flows at an agent's pace` : `${STREAMED} flows at full speed`;
  const drain = await measureRun(process.execPath, [script('drain.mjs'), server.socket], { runs: 5 });
  const observe = ['observe', '--all', '--server', server.address];
  const compact = await measureRun(HUBBLE, observe, { runs: 5 });
  const json = await measureRun(HUBBLE, [...observe, '-o', 'json'], { runs: 5 });
  const against = { name: 'drain', ms: drain.medianMs, budget: rate > 0 ? 2 : Number.POSITIVE_INFINITY };
  return [
    { work: `${pace}, a bare drain`, ms: drain.medianMs, peakMb: drain.peakMb },
    { work: `${pace}, compact`, ms: compact.medianMs, peakMb: compact.peakMb, against },
    { work: `${pace}, -o json`, ms: json.medianMs, peakMb: json.peakMb, against },
  ];
}
