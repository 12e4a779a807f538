// The budgets of maps, reports and their page: time beside jq and JSON.parse, memory where nothing is like another, the size of the
// page, and how soon it shows its first map.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { NO_BROWSER, openBrowser } from './lib-browser.ts';
import {
  type BenchOptions,
  type Budget,
  cpuInTurns,
  HUBBLE,
  has,
  notMeasured,
  script,
  shareOf,
} from './lib-budget.ts';
import { writeAddresses, writeFlows, writeMesh } from './lib-flows.ts';
import { measureRun } from './lib-measure.ts';

const FLOWS = 200_000;
const OF_PAGE = 100_000;
const WORKLOADS = 300;
const ADDRESSES = 120_000;
const EXPLAINED = 'Maps, reports and the page';
const GOALS = { jq: 0.25, parse: 1, memoryMb: 200, pageKb: 400, firstMapSeconds: 2 };

/** Measures the rows of the table. */
export async function rows({ runs }: BenchOptions): Promise<Budget[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-map-'));
  try {
    const [flows, mesh, page, addresses] = ['flows', 'mesh', 'page', 'addresses'].map((name) =>
      join(folder, `${name}.jsonl`),
    );
    if (!flows || !mesh || !page || !addresses) throw new Error('no files');
    writeFlows(flows, FLOWS);
    writeMesh(mesh, FLOWS, WORKLOADS);
    writeMesh(page, OF_PAGE, WORKLOADS);
    writeAddresses(addresses, ADDRESSES);
    const report = join(folder, 'report.html');
    return [
      ...(await times(flows, mesh, report, runs)),
      await memory(`map of ${FLOWS} flows`, ['map', '--input-file', flows]),
      await memory(`report of ${FLOWS} flows of ${WORKLOADS} workloads`, ['report', mesh, '-o', report]),
      await memory(`report of ${ADDRESSES} addresses`, ['report', addresses, '-o', report]),
      pageSize(),
      await firstMap(page, report, runs),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function times(flows: string, mesh: string, report: string, runs: number): Promise<Budget[]> {
  const hubble = (args: string[]) => ({ name: args.join(' '), command: HUBBLE, args });
  const [map = 0, made = 0, parsed = 1, jq = 1] = await cpuInTurns(
    [
      hubble(['map', '--input-file', flows]),
      hubble(['report', mesh, '-o', report]),
      { name: 'JSON.parse', command: process.execPath, args: [script('json-parse.mjs'), mesh] },
      ...(has('jq') ? [{ name: 'jq', command: 'jq', args: ['-r', '.flow.verdict', flows] }] : []),
    ],
    { runs },
  );
  const work = `map of ${FLOWS} flows`;
  return [
    has('jq')
      ? shareOf(work, GOALS.jq, [map, jq], 'jq', EXPLAINED)
      : notMeasured(work, GOALS.jq, 'jq is not installed'),
    shareOf(
      `report of ${FLOWS} flows of ${WORKLOADS} workloads`,
      GOALS.parse,
      [made, parsed],
      'JSON.parse',
      EXPLAINED,
    ),
  ];
}

async function memory(work: string, args: string[]): Promise<Budget> {
  const { peakMb, exitCode } = await measureRun(HUBBLE, args, { runs: 2 });
  if (exitCode !== 0) throw new Error(`hubble ${args.join(' ')} ended with ${exitCode}`);
  return {
    ...{ work: `memory, ${work}`, value: peakMb, unit: 'MB', goal: GOALS.memoryMb },
    ...{ figures: 'the most that it takes', explained: EXPLAINED },
  };
}

/** What a browser fetches of "hubble ui", packed. */
function pageSize(): Budget {
  const files = ['page.js', 'page.css'].map((name) =>
    readFileSync(new URL(`../dist/web/${name}`, import.meta.url)),
  );
  return {
    ...{ work: 'the page, compressed', unit: 'kB', goal: GOALS.pageKb, explained: EXPLAINED },
    value: files.reduce((sum, file) => sum + gzipSync(file).length, 0) / 1000,
    figures: `${files.reduce((sum, file) => sum + file.length, 0) / 1000} kB as they are`,
  };
}

/** From flows in a file to a map on the screen: CPU of the program, and what the page keeps its thread busy for. */
async function firstMap(flows: string, report: string, runs: number): Promise<Budget> {
  const work = `first map of ${OF_PAGE} flows`;
  const browser = await openBrowser();
  if (!browser) return notMeasured(work, GOALS.firstMapSeconds, NO_BROWSER, 's');
  try {
    const args = ['report', flows, '-o', report];
    const [made = 0] = await cpuInTurns([{ name: 'hubble report', command: HUBBLE, args }], { runs });
    const shown: { busy: number; clock: number }[] = [];
    for (let i = 0; i < runs; i++) {
      const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
      const cdp = await page.context().newCDPSession(page);
      await cdp.send('Performance.enable');
      const start = performance.now();
      await page.goto(pathToFileURL(report).href);
      await page.waitForSelector('.node');
      const clock = (performance.now() - start) / 1000;
      const { metrics } = await cdp.send('Performance.getMetrics');
      shown.push({ busy: metrics.find(({ name }) => name === 'TaskDuration')?.value ?? clock, clock });
      await page.close();
    }
    const { busy, clock } = shown.sort((a, b) => a.busy - b.busy)[Math.floor(runs / 2)] ?? {
      busy: 0,
      clock: 0,
    };
    return {
      ...{ work, value: made + busy, unit: 's', goal: GOALS.firstMapSeconds, explained: EXPLAINED },
      figures: `hubble report ${made.toFixed(2)} s, the page ${busy.toFixed(2)} s (${clock.toFixed(2)} s by the clock)`,
    };
  } finally {
    await browser.close();
  }
}
