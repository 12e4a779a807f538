// Moves the map of a report with 300 ends in a browser, and counts frames. REPORT names another report.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { NO_BROWSER, openBrowser } from './lib-browser.ts';
import { type BenchOptions, type Budget, HUBBLE, notMeasured } from './lib-budget.ts';
import { writeMesh } from './lib-flows.ts';

const ENDS = 300;
const FLOWS = 100_000;
const FRAMES = 180;
/** A busy machine has no 60 frames where nothing moves either. */
const GOAL = 1.15;
const WORK = `a frame of moving the map of ${ENDS} ends, ÷ one where nothing moves`;

/** Measures the row of the table. */
export async function rows({ runs }: BenchOptions): Promise<Budget[]> {
  const browser = await openBrowser();
  if (!browser) return [notMeasured(WORK, GOAL, NO_BROWSER)];
  const folder = mkdtempSync(join(tmpdir(), 'bench-pan-'));
  try {
    const report = process.env.REPORT ?? join(folder, 'report.html');
    if (!process.env.REPORT) {
      const flows = join(folder, 'flows.jsonl');
      writeMesh(flows, FLOWS, ENDS);
      const { status, stderr } = spawnSync(HUBBLE, ['report', flows, '-o', report], { encoding: 'utf8' });
      if (status !== 0) throw new Error(`hubble report: ${stderr}`);
    }
    const idle: number[] = [];
    const moving: number[] = [];
    for (let i = 0; i < runs; i++) {
      const { nothing, pan } = await measure(browser, report);
      idle.push(nothing);
      moving.push(pan);
    }
    const [ms, none] = [moving, idle].map((list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)]);
    if (ms === undefined || none === undefined) throw new Error('no runs');
    const figures = `${(1000 / ms).toFixed(0)} frames a second; where nothing moves ${(1000 / none).toFixed(0)}`;
    const explained = 'Maps, reports and the page';
    return [{ work: WORK, value: ms / none, unit: 'share', goal: GOAL, figures, explained }];
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true });
  }
}

/** Milliseconds of a frame while nothing happens, and while the map is moved in each of them. */
async function measure(browser: Browser, report: string): Promise<{ nothing: number; pan: number }> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  try {
    await page.goto(pathToFileURL(report).href);
    await page.getByRole('button', { name: 'Draw all' }).click();
    await page.waitForFunction(`document.querySelectorAll('.node').length >= ${ENDS}`);
    await page.waitForTimeout(1500);
    const frames = (move: boolean) => page.evaluate<number>(`(${inPage})(${move}, ${FRAMES})`);
    return { nothing: await frames(false), pan: await frames(true) };
  } finally {
    await page.close();
  }
}

/** Runs in the page, where nothing of here is known. */
const inPage = `async (move, count) => {
  const box = document.querySelector('.map').getBoundingClientRect();
  const target = document.querySelector('.map svg');
  const fire = (type, on, x, y) =>
    on.dispatchEvent(new MouseEvent(type, { bubbles: true, view: window, clientX: x, clientY: y, button: 0, buttons: 1 }));
  const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
  const next = () => new Promise(requestAnimationFrame);
  if (move) fire('mousedown', target, x, y);
  await next();
  const start = performance.now();
  for (let i = 1; i <= count; i++) {
    if (move) fire('mousemove', window, x + 200 * Math.sin(i / 20), y + 150 * Math.sin(i / 13));
    await next();
  }
  const ms = (performance.now() - start) / count;
  if (move) fire('mouseup', window, x, y);
  return ms;
}`;
