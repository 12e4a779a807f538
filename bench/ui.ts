// The page of "hubble ui" in a browser, at 10,000 flows a second: what memory the program and the page take, and that nobody who
// reads slowly holds up the flows. --follow 600 is for ten minutes.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { NO_BROWSER, openBrowser } from './lib-browser.ts';
import { type BenchOptions, type Budget, HUBBLE, notMeasured } from './lib-budget.ts';
import { serveFlows } from './lib-flow-server.ts';

const PER_SECOND = 10_000;
const WORKLOADS = 300;
const EVERY_MS = 5000;
const EXPLAINED = 'Maps, reports and the page';
/** What it may take once it runs, and grow by from the first third to the last. */
const GOAL_MB = 200;
const FLAT_MB = 10;
/** Of the flows that were sent. */
const MOST_MISSING = 0.01;

interface Sample {
  /** Resident memory of hubble ui and of the browser's process for the page. */
  program: number;
  renderer: number;
  /** What lives in the page, after garbage was collected. */
  heap: number;
  elements: number;
}

/** Measures the rows of the table. */
export async function rows({ followSeconds }: BenchOptions): Promise<Budget[]> {
  const browser = await openBrowser();
  if (!browser) return [notMeasured('ui', GOAL_MB, NO_BROWSER, 'MB')];
  await using server = await serveFlows({
    count: Number.MAX_SAFE_INTEGER,
    perSecond: PER_SECOND,
    workloads: WORKLOADS,
  });
  const program = spawn(HUBBLE, ['ui', '--server', server.address, '--open-browser=false', '--last', '1'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => program.once('exit', resolve));
  try {
    const { samples, missing } = await watch(
      browser,
      await addressOf(program.stdout),
      program.pid,
      followSeconds,
    );
    return rowsOf(samples, missing, followSeconds);
  } finally {
    program.kill();
    await ended;
    await browser.close();
  }
}

async function addressOf(stdout: NodeJS.ReadableStream): Promise<string> {
  let said = '';
  for await (const part of stdout) {
    said += String(part);
    const url = /http\S+/.exec(said)?.[0];
    if (url) return url;
  }
  throw new Error('hubble ui ended early');
}

/** Looks at the page for so many seconds, beside a reader that never takes what it asked for. */
async function watch(
  browser: Browser,
  url: string,
  pid: number | undefined,
  seconds: number,
): Promise<{ samples: Sample[]; missing: number }> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(url);
  await page.waitForSelector('.node');
  await listenSlowly(page);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Performance.enable');
  const renderer = await rendererOf(browser);
  const [first, start] = [await flowsShown(page), performance.now()];
  const samples: Sample[] = [];
  while (performance.now() - start < seconds * 1000) {
    await sleep(EVERY_MS);
    samples.push({ program: residentMb(pid), renderer: residentMb(renderer), ...(await pageSample(cdp)) });
    if (process.env.VERBOSE) console.error(Math.round((performance.now() - start) / 1000), samples.at(-1));
  }
  const sent = ((performance.now() - start) / 1000) * PER_SECOND;
  return { samples, missing: 1 - ((await flowsShown(page)) - first) / sent };
}

async function flowsShown(page: Page): Promise<number> {
  return Number(await page.locator('header b').first().textContent());
}

/** Asks for the states of the page as it does, and reads none of them. */
async function listenSlowly(page: Page): Promise<void> {
  const { hostname, port } = new URL(page.url());
  const cookies = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  socket.pause();
  socket.write(`GET /events HTTP/1.1\r\nHost: ${hostname}:${port}\r\nCookie: ${cookies}\r\n\r\n`);
}

async function rendererOf(browser: Browser): Promise<number | undefined> {
  const cdp = await browser.newBrowserCDPSession();
  const { processInfo } = await cdp.send('SystemInfo.getProcessInfo');
  await cdp.detach();
  // The one that has worked the most is that of the page.
  return processInfo.filter(({ type }) => type === 'renderer').sort((a, b) => b.cpuTime - a.cpuTime)[0]?.id;
}

async function pageSample(cdp: CDPSession): Promise<Pick<Sample, 'heap' | 'elements'>> {
  await cdp.send('HeapProfiler.collectGarbage');
  const { metrics } = await cdp.send('Performance.getMetrics');
  const of = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? 0;
  return { heap: of('JSHeapUsedSize') / 1e6, elements: of('Nodes') };
}

function residentMb(pid: number | undefined): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

function rowsOf(samples: readonly Sample[], missing: number, seconds: number): Budget[] {
  const third = Math.ceil(samples.length / 3);
  const most = (of: keyof Sample, part: readonly Sample[]) => Math.max(...part.map((sample) => sample[of]));
  const pair = (of: keyof Sample): [early: number, late: number] => [
    most(of, samples.slice(0, third)),
    most(of, samples.slice(-third)),
  ];
  const what = `${seconds} s at ${PER_SECOND} flows/s${seconds < 600 ? ' (--follow 600 for ten minutes)' : ''}`;
  const growth = (work: string, of: keyof Sample): Budget => {
    const [early, late] = pair(of);
    const figures = `${early.toFixed(0)} MB in its first third, ${late.toFixed(0)} in its last`;
    return {
      work,
      value: Math.max(0, late - early),
      unit: 'MB',
      goal: FLAT_MB,
      figures,
      explained: EXPLAINED,
    };
  };
  const [nodesEarly, nodesLate] = pair('elements');
  return [
    {
      ...{ work: 'ui, memory of the program', unit: 'MB', goal: GOAL_MB, explained: EXPLAINED },
      value: most('program', samples),
      figures: `the most in ${what}`,
    },
    growth('ui, growth of the program', 'program'),
    growth('ui, growth of what lives in the page', 'heap'),
    growth("ui, growth of the page's process", 'renderer'),
    {
      ...{
        work: 'ui, flows not shown beside a reader that reads nothing',
        unit: 'share',
        explained: EXPLAINED,
      },
      ...{ value: Math.max(0, missing), goal: MOST_MISSING },
      figures: `of those sent in ${what}; nodes of the page: ${nodesEarly}, ${nodesLate}`,
    },
  ];
}
