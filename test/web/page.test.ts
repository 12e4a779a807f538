import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { startTestLab } from '../helpers/lab.ts';
import { fixturePath } from '../helpers/recordings.ts';
import { run } from '../helpers/run.ts';
import { until } from '../helpers/until.ts';
import { inBrowser, launch, openTab, picture, widthOf, withUi } from './browser.ts';

const FLOWS = fixturePath('recordings/flows-1.20.jsonl');

let browser: Browser | undefined;
let folder: string;
let page: Page;
let faults: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'page-'));
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true });
});

beforeEach(async () => {
  if (browser) ({ page, faults } = await openTab(browser));
});
afterEach(async () => {
  await page?.close();
});

/** Writes a report and opens it as a file. */
async function openReport(...words: string[]): Promise<void> {
  const { code, stderr } = await run(['hubble', 'report', ...words, '-o', 'report.html'], { cwd: folder });
  expect([code, stderr]).toEqual([0, expect.stringContaining('report.html')]);
  await page.goto(pathToFileURL(join(folder, 'report.html')).href);
  await page.waitForSelector('.node');
}

/** Passes connections to a socket on to another one, until it is closed with all of them. */
async function relay(path: string, to: string): Promise<{ close: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(to);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    near.pipe(far).pipe(near);
  });
  server.listen(path);
  await once(server, 'listening');
  return {
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

const flowsShown = () => page.locator('header b').first().textContent().then(Number);
const filter = () => page.getByRole('searchbox', { name: 'Filter' });
const edges = () => page.locator('.edge').count();

describe('a report in a browser', () => {
  inBrowser('shows the map, and an edge with why its flows were dropped', async () => {
    await openReport(FLOWS);
    expect(await page.locator('header').textContent()).toContain('456 flows, 96 dropped');
    expect(await edges()).toBe(44);
    await page.locator('.edge.bad[aria-label^="default/frontend-7d9 to default/api-5c6"]').press('Enter');
    const panel = page.getByRole('complementary', { name: 'Details' });
    expect(await panel.textContent()).toContain('POLICY_DENIED (no rule allows it) ingress ICMPv6: 2 flows');
    await panel.getByText('What would allow it').first().click();
    expect(await panel.locator('pre').first().textContent()).toContain('kind: CiliumNetworkPolicy');
    await picture(page, 'report');
    await page.keyboard.press('Escape');
    expect(await panel.count()).toBe(0);
    expect(faults).toEqual([]);
  });

  inBrowser('filters by a name and by an expression, and says what is wrong with one', async () => {
    await openReport(FLOWS);
    await page.keyboard.press('/');
    await page.keyboard.type('coredns');
    await until(async () => (await edges()) < 44);
    const found = await page.locator('.edge').all();
    const named = await Promise.all(found.map((each) => each.getAttribute('aria-label')));
    expect(named.length).toBeGreaterThan(0);
    for (const name of named) expect(name).toContain('coredns');
    await filter().fill('reason = POLICY_DENIED and dst.namespace = default');
    await until(async () => (await page.locator('.edge:not(.bad)').count()) === 0);
    await filter().fill('resaon = X');
    expect(await page.locator('.problem').textContent()).toContain('there is no field "resaon"');
    expect(faults).toEqual([]);
  });

  inBrowser('moves the map as a whole, by pixels, and draws nothing of it anew', async () => {
    await openReport(FLOWS);
    await page.evaluate(`{
      window.changes = new Set();
      const note = ({ type, target, attributeName: name }) => changes.add([type, target.tagName, name].join(' '));
      new MutationObserver((list) => list.forEach(note)).observe(document.querySelector('.map'), {
        attributes: true, childList: true, characterData: true, subtree: true,
      });
    }`);
    const node = page.locator('.node').first();
    const before = await node.boundingBox();
    const box = await page.locator('.map').boundingBox();
    if (!before || !box) throw new Error('there is no map');
    const [x, y] = [box.x + box.width - 5, box.y + 5];
    await page.mouse.move(x, y);
    await page.mouse.down();
    for (let i = 1; i <= 10; i++) await page.mouse.move(x - 3 * i, y + 2 * i);
    await page.mouse.up();
    const after = await node.boundingBox();
    expect([after?.x, after?.y]).toEqual([
      expect.closeTo(before.x - 30, 0),
      expect.closeTo(before.y + 20, 0),
    ]);
    expect(await page.evaluate('[...changes]')).toEqual(['attributes svg style', 'attributes DIV class']);
    expect(await page.locator('.map svg').getAttribute('style')).toMatch(
      /translate3d\(-?\d+px, -?\d+px, 0(px)?\) scale\(/,
    );
    // What has the focus and is out of sight is not scrolled to: that would move the map away from where it is thought to be.
    await node.focus();
    expect(await page.evaluate("document.querySelector('.view').scrollTop")).toBe(0);
  });

  inBrowser('shows a part of the time alone', async () => {
    await openReport(FLOWS);
    expect(await flowsShown()).toBe(456);
    const from = page.getByRole('slider', { name: 'from' });
    await from.focus();
    for (let i = 0; i < 30; i++) await page.keyboard.press('ArrowRight');
    const late = await flowsShown();
    expect(late).toBeLessThan(456);
    expect(late).toBeGreaterThan(0);
    await page.getByRole('button', { name: 'all of it' }).click();
    expect(await flowsShown()).toBe(456);
    const chart = await page.locator('.u-over').boundingBox();
    if (!chart) throw new Error('there is no chart');
    const at = (share: number) => [chart.x + share * chart.width, chart.y + chart.height / 2] as const;
    await page.mouse.move(...at(0.2));
    await page.mouse.down();
    await page.mouse.move(...at(0.6), { steps: 5 });
    await page.mouse.up();
    const part = await flowsShown();
    expect(part).toBeLessThan(456);
    expect(part).toBeGreaterThan(0);
    // What the sliders say is marked on the chart, too.
    await page.getByRole('slider', { name: 'from' }).press('ArrowRight');
    const mark = await page.locator('.u-select').boundingBox();
    expect(mark?.width).toBeGreaterThan(0.3 * chart.width);
    expect(mark?.width).toBeLessThan(0.5 * chart.width);
    expect(faults).toEqual([]);
  });

  inBrowser(
    'has the errors and drops of the part of the time that is shown, and says what is of the whole',
    async () => {
      const end = (name: string) => ({ namespace: 'shop', pod_name: name, identity: 1000 });
      const lines = Array.from({ length: 60 }, (_, i) => {
        const time = new Date(Date.parse('2026-01-31T15:00:00Z') + 1000 * i).toISOString();
        const base = { time, IP: { source: '10.0.0.1', destination: '10.0.0.2' } };
        const l4 = (from: number, to: number) => ({ TCP: { source_port: from, destination_port: to } });
        const answer = {
          ...{ ...base, verdict: 'FORWARDED', is_reply: true, source: end('api'), destination: end('web') },
          l4: l4(80, 40_000),
          l7: { type: 'RESPONSE', latency_ns: '1000000', http: { code: i < 10 ? 503 : 200 } },
        };
        const drop = {
          ...{ ...base, verdict: 'DROPPED', is_reply: false, source: end('web'), destination: end('api') },
          drop_reason_desc: i < 20 ? 'POLICY_DENIED' : 'CT_MAP_INSERTION_FAILED',
          ...{ traffic_direction: 'EGRESS', l4: l4(40_000, 81) },
        };
        return [answer, drop].map((flow) => JSON.stringify({ flow })).join('\n');
      });
      await writeFile(join(folder, 'errors.jsonl'), `${lines.join('\n')}\n`);
      await openReport('errors.jsonl');
      const told = async () => (await page.locator('.findings').textContent()) ?? '';
      expect(await told()).toContain('10 of 60 answers');
      expect(await told()).toContain('20 flows dropped (POLICY_DENIED');
      const from = page.getByRole('slider', { name: 'from' });
      await from.focus();
      for (let i = 0; i < 40; i++) await page.keyboard.press('ArrowRight');
      await until(async () => !(await told()).includes('POLICY_DENIED'));
      expect(await told()).not.toContain('HTTP 503');
      const dropped = await page.locator('header b').nth(1).textContent();
      expect(await told()).toContain(`${dropped} flows dropped (CT_MAP_INSERTION_FAILED)`);
      // The times that are told are those that --since and --until would take.
      const times = ((await page.locator('.timeline output').textContent()) ?? '').split(' – ');
      const [sinceMs = 0, untilMs = 0] = times.map((time) => Date.parse(time));
      const seconds = Array.from({ length: 60 }, (_, i) => Date.parse('2026-01-31T15:00:00Z') + 1000 * i);
      expect(Number(dropped)).toBe(seconds.filter((ms) => ms >= sinceMs && ms < untilMs).length);
      expect(await page.locator('#page').textContent()).toContain('p50 and p99 are of the whole time.');
      await page.locator('.finding').first().click();
      const panel = page.getByRole('complementary', { name: 'Details' });
      expect(await panel.textContent()).toContain('Latency in the whole time');
      expect(await panel.textContent()).not.toMatch(/POLICY_DENIED|503|of them answers/);
      expect(faults).toEqual([]);
    },
  );

  inBrowser('shows a line that is clicked with a mouse', async () => {
    await openReport(FLOWS);
    await page.evaluate("document.querySelector('.map').scrollIntoView({ block: 'center' })");
    // The middle of a line is no place of its box, and other lines may lie over a part of it.
    const [x, y] = await page.evaluate<[number, number]>(`(() => {
      const edge = document.querySelector('.edge.bad[aria-label^="default/frontend-7d9 to default/api-5c6"]');
      const line = edge.querySelector('.target');
      for (let share = 0.1; share < 1; share += 0.05) {
        const { x, y } = line.getPointAtLength(line.getTotalLength() * share);
        const point = new DOMPoint(x, y).matrixTransform(line.getScreenCTM());
        if (edge.contains(document.elementFromPoint(point.x, point.y))) return [point.x, point.y];
      }
      return [0, 0];
    })()`);
    await page.mouse.click(x, y);
    const panel = page.getByRole('complementary', { name: 'Details' });
    expect(await panel.locator('h2').textContent()).toBe('default/frontend-7d9 → default/api-5c6');
    await panel.getByRole('button', { name: 'Close' }).click();
    expect(await panel.count()).toBe(0);
    expect(faults).toEqual([]);
  });

  inBrowser.each([
    { width: 390, height: 844 },
    { width: 1280, height: 900 },
  ])('fits $width pixels', async ({ width, height }) => {
    await page.setViewportSize({ width, height });
    await openReport(FLOWS);
    const wide = await widthOf(page);
    expect(wide).toBeLessThanOrEqual(width);
    await page.locator('.node').first().press('Enter');
    await picture(page, `report-${width}`);
    expect(await widthOf(page)).toBeLessThanOrEqual(width);
  });
});

describe('the page of hubble ui', () => {
  inBrowser('follows a server, and says when its own program is gone', async () => {
    await using lab = await startTestLab({ scenario: 'incident' });
    const words = ['--server', `unix://${lab.lab.info.sockets.hubble}`];
    let port = '';
    const code = await withUi(words, async (url) => {
      port = new URL(url).port;
      await page.goto(url);
      await page.waitForSelector('.node');
      expect(await page.locator('.state').textContent()).toContain('live');
      const before = await flowsShown();
      await until(async () => (await flowsShown()) > before);
      await picture(page, 'live');
    });
    expect(code).toBe(0);
    await page.waitForSelector('.state.bad');
    expect(await page.locator('.state').textContent()).toContain('connection lost');
    expect(await page.locator('.node').count()).toBeGreaterThan(0);
    await withUi([...words, '--local-port', port], async () => {
      await page.getByText('Open the address that the new one printed').waitFor();
    });
  });

  inBrowser('says when the server of flows is gone, and goes on when it is back', async () => {
    await using lab = await startTestLab({ scenario: 'incident' });
    const path = join(folder, 'between.sock');
    let between = await relay(path, lab.lab.info.sockets.hubble);
    const code = await withUi(['--server', `unix://${path}`], async (url) => {
      await page.goto(url);
      await page.waitForSelector('.state.good');
      await between.close();
      await page.waitForSelector('.state.bad');
      expect(await page.locator('.state').textContent()).toContain('The server is gone');
      between = await relay(path, lab.lab.info.sockets.hubble);
      await page.waitForSelector('.state.good');
      const before = await flowsShown();
      await until(async () => (await flowsShown()) > before);
    });
    expect(code).toBe(0);
    await between.close();
  });

  inBrowser(
    'moves a part of the time with the stream when it touches the newest end, and holds it still otherwise',
    async () => {
      await using lab = await startTestLab({ scenario: 'incident' });
      await withUi(['--server', `unix://${lab.lab.info.sockets.hubble}`], async (url) => {
        await page.goto(url);
        await page.waitForSelector('.node');
        const words = page.locator('.timeline output');
        const numbers = async (name: string) => {
          const slider = page.getByRole('slider', { name });
          return { at: Number(await slider.inputValue()), max: Number(await slider.getAttribute('max')) };
        };
        /** Waits until so many pieces of time were added. */
        const grow = async (pieces: number) => {
          const { max } = await numbers('to');
          await until(async () => {
            const now = (await numbers('to')).max;
            // Half as many, and twice as long each, once there are too many.
            return now < max || now >= max + pieces;
          });
        };
        expect(await words.textContent()).toContain('all of it, as it comes');

        await page.getByRole('slider', { name: 'from' }).focus();
        await page.keyboard.press('End');
        for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowLeft');
        expect(await words.textContent()).toMatch(/the last [\d.]+ m?s, moving with the stream$/);
        const begun = (await words.textContent())?.slice(0, 21) ?? '';
        const part = await flowsShown();
        await grow(3);
        const { at, max } = await numbers('to');
        expect(at).toBe(max);
        expect(((await words.textContent()) ?? '').slice(0, 21) > begun).toBe(true);
        expect(await flowsShown()).toBeLessThan(4 * part);

        await page.getByRole('button', { name: 'hold still' }).click();
        expect(await words.textContent()).toContain('held still while the stream goes on');
        // The newest piece of time fills until the next one begins.
        await grow(1);
        const held = await flowsShown();
        const told = await words.textContent();
        const before = (await numbers('to')).max;
        await grow(2);
        const later = await numbers('to');
        if (later.max > before) {
          expect(await words.textContent()).toBe(told);
          expect(await flowsShown()).toBe(held);
        }
        expect(later.at).toBeLessThan(later.max);

        await page.getByRole('button', { name: 'go with the stream' }).click();
        expect(await words.textContent()).toContain('moving with the stream');
        await page.getByRole('button', { name: 'all of it' }).click();
        expect(await words.textContent()).toContain('all of it, as it comes');
        expect(faults).toEqual([]);
      });
    },
  );

  inBrowser('asks nothing of any other host', async () => {
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).host));
    await withUi(['--input-file', FLOWS], async (url) => {
      await page.goto(url);
      await page.waitForSelector('.node');
    });
    expect(new Set(asked).size).toBe(1);
    expect(asked[0]).toMatch(/^127\.0\.0\.1:/);
  });
});
