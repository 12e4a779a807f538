import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { fixturePath } from '../helpers/recordings.ts';
import { run } from '../helpers/run.ts';
import { until } from '../helpers/until.ts';
import { inBrowser, launch, openFile, widthOf } from './browser.ts';

let folder: string;
let report: string;
let browser: Browser | undefined;
let page: Page;
let faults: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'first-screen-'));
  report = join(folder, 'incident.html');
  const words = [fixturePath('page/incident.jsonl.gz'), '--rules', fixturePath('page/incident-rules.json')];
  const { code } = await run(['hubble', 'report', ...words, '-o', report]);
  expect(code).toBe(0);
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true });
});
afterEach(async () => {
  await page?.close();
});

async function open(width: number, height: number): Promise<void> {
  if (!browser) throw new Error('there is no browser');
  ({ page, faults } = await openFile(browser, report, { width, height }));
  await page.waitForSelector('.node');
}

const findings = () => page.locator('.findings li');

const SIZES = [
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
];

describe('the first screen of a report', () => {
  inBrowser.each(SIZES)(
    'of $width pixels says which policy broke what, with the fix one click away',
    async ({ width, height }) => {
      await open(width, height);
      const first = findings().first();
      expect(await first.textContent()).toMatch(
        /^orders\/web could not reach kube-system\/coredns on 53\/UDP \(DNS\)Egress of orders\/web-0 is closed by policy orders\/web-egress, and no rule opens it/,
      );
      const box = await first.boundingBox();
      expect((box?.y ?? height) + (box?.height ?? 0)).toBeLessThanOrEqual(height);
      expect(await first.locator('pre').isVisible()).toBe(false);
      await first.locator('summary').click();
      const yaml = await first.locator('pre').textContent();
      expect(yaml).toContain('kind: CiliumNetworkPolicy');
      expect(yaml).toContain('port: "53"');
      expect(await first.locator('details').textContent()).toContain(
        'It is added beside the policies that are there',
      );
      expect(await first.locator('details').textContent()).toContain('The dns rule lets the agent learn');
      const [shown, whole] = await page.evaluate<[number, number][]>(
        "(({ clientWidth: w, scrollWidth: sw, clientHeight: h, scrollHeight: sh }) => [[w, h], [sw, sh]])(document.querySelector('.findings pre'))",
      );
      expect(shown).toEqual(whole);
      expect(await first.locator('pre').isVisible()).toBe(true);
      expect(await widthOf(page)).toBeLessThanOrEqual(width);
      expect(faults).toEqual([]);
    },
  );

  inBrowser.each(SIZES)('of $width pixels leads to the connection, and back', async ({ width, height }) => {
    await open(width, height);
    await page.getByRole('button', { name: 'orders/web could not reach kube-system/coredns' }).press('Enter');
    const panel = page.getByRole('complementary', { name: 'Details' });
    // The details come to the reader, not the reader to them.
    expect(await page.evaluate('scrollY')).toBe(0);
    expect(await panel.textContent()).toContain('orders/web → kube-system/coredns');
    expect(await panel.textContent()).toContain('FORWARDED does not say that it arrived');
    const box = await panel.boundingBox();
    expect(box?.y ?? -1).toBeGreaterThanOrEqual(0);
    expect(box?.y ?? height).toBeLessThan(height - 200);
    const focus = () => page.evaluate<string>('document.activeElement.textContent');
    expect(await focus()).toContain('orders/web → kube-system/coredns');
    expect(await page.locator('.edge.chosen').getAttribute('aria-label')).toContain(
      'orders/web to kube-system/coredns',
    );
    await page.keyboard.press('Escape');
    expect(await panel.count()).toBe(0);
    expect(await focus()).toBe('orders/web could not reach kube-system/coredns on 53/UDP (DNS)');
  });

  inBrowser('says how long the capture is, what its counts are of, and whose traffic it is', async () => {
    await open(1280, 800);
    const head = await page.locator('header').textContent();
    expect(head).toContain('Traffic of cluster prod');
    expect(head).toContain('incident.jsonl.gz');
    expect(head).toContain('1200 flows, 295 dropped, in 30 s, 06:10:42 to 06:11:12 UTC');
    expect(head).toContain('A flow is no packet');
    expect(await findings().first().textContent()).toContain(
      'already so when the capture begins (06:10:42 UTC), and still at its end',
    );
    const whats = await page.locator('.finding').allTextContents();
    expect(whats.slice(0, 3).every((what) => what.includes('orders/web'))).toBe(true);
    await page.getByRole('slider', { name: 'from' }).press('ArrowRight');
    await until(async () =>
      (await findings().first().textContent())?.includes('through all of the part shown'),
    );
  });

  inBrowser('shows what is ranked lower when asked, and nothing where a filter leaves nothing', async () => {
    await open(1280, 800);
    expect(await findings().count()).toBe(3);
    await page.getByRole('button', { name: 'Show all 6' }).click();
    expect(await findings().count()).toBe(6);
    const last = await findings().last().textContent();
    expect(last).toContain('Denied by a rule with the label name=scraper-inside, which has no policy name');
    expect(last).toContain('If that is meant, nothing is wrong.');
    await page.getByRole('searchbox').fill('dst.name = db');
    await until(async () => (await findings().count()) === 0);
    expect(await page.locator('.findings').textContent()).toContain('Nothing in what is shown');
  });

  inBrowser.each([
    ['orders/web', 'orders/web could not reach kube-system/coredns'],
    ['orders/web-0', 'orders/web could not reach kube-system/coredns'],
    ['kube-system/coredns', 'orders/web could not reach kube-system/coredns'],
    ['orders/web-egress', 'orders/web could not reach kube-system/coredns'],
    ['53/UDP', 'orders/web could not reach kube-system/coredns'],
    ['53', 'orders/web could not reach kube-system/coredns'],
    ['name = orders/web', 'orders/web could not reach kube-system/coredns'],
    ['name=scraper-inside', 'batch/scraper could not reach 192.0.2.80'],
    [
      'orders/web could not reach kube-system/coredns on 53/UDP (DNS)',
      'orders/web could not reach kube-system/coredns',
    ],
    ['80/TCP', 'could not reach'],
    ['batch/scraper → 192.0.2.80', 'batch/scraper could not reach 192.0.2.80'],
  ])('finds "%s" as it is printed', async (text, what) => {
    await open(1280, 800);
    const all = await page.locator('.edge').count();
    await page.getByRole('searchbox').fill(text);
    await until(async () => (await page.locator('.edge').count()) < all);
    expect(await findings().first().textContent()).toContain(what);
    expect(await page.locator('header').textContent()).toMatch(/[1-9]\d* flows, [1-9]\d* dropped/);
    expect(await page.locator('.timeline').textContent()).toContain('of what the filter matches');
    expect(faults).toEqual([]);
  });

  inBrowser('never calls a filter that matches nothing, or cannot be read, an all-clear', async () => {
    await open(1280, 800);
    const clear = /was dropped|Nothing,|Nothing in what/;
    const chart = () => page.evaluate<string>("document.querySelector('canvas').toDataURL()");
    const before = await chart();
    await page.getByRole('searchbox').fill('shop/nobody');
    await until(async () => (await page.locator('.edge').count()) === 0);
    expect(await page.locator('header').textContent()).toContain('Nothing matches this filter.');
    expect(await page.locator('.findings').textContent()).toContain('Nothing matches this filter.');
    expect(await page.locator('#page').textContent()).not.toMatch(clear);
    await until(async () => (await chart()) !== before);
    await page.getByRole('searchbox').fill('nmae = orders/web');
    await page.locator('.problem').waitFor();
    expect(await page.locator('.problem').textContent()).toContain(
      'This filter cannot be read, so all is shown.',
    );
    expect(await findings().count()).toBe(3);
    expect(await page.locator('#page').textContent()).not.toMatch(clear);
    expect(faults).toEqual([]);
  });
});

describe('the page', () => {
  inBrowser('can be gone through with the keyboard alone', async () => {
    await open(1280, 800);
    const names: string[] = [];
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press('Tab');
      names.push(
        await page.evaluate<string>(
          "(document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent ?? '').trim() || document.activeElement.closest('label')?.textContent.trim() || document.activeElement.tagName",
        ),
      );
    }
    const order = [
      /^Filter/,
      /^orders\/web could not reach/,
      /^What would allow it/,
      /^Show all/,
      /^from/,
      /^to/,
      /^orders\/web to kube-system\/coredns, /,
      /^orders\/web$/,
      /^Zoom in/,
      /^Show all$/,
    ].map((name) => names.findIndex((each) => name.test(each)));
    expect(order.every((at) => at >= 0)).toBe(true);
    // "Show all" is also how the findings are unfolded.
    expect(order.slice(0, -1)).toEqual(order.slice(0, -1).toSorted((a, b) => a - b));
    const outline = await page.evaluate<string>('getComputedStyle(document.activeElement).outlineStyle');
    expect(outline).not.toBe('none');
  });

  inBrowser.each([1280, 1600])(
    'of %i pixels stays where it is when something is looked at, and when that is closed',
    async (width) => {
      await open(width, 800);
      const places = () =>
        page.evaluate<string[]>(
          "[...document.querySelectorAll('h1, .findings li, .filter, canvas, .map, .tables h2')].map((e) => { const { x, y, width, height } = e.getBoundingClientRect(); return [e.tagName, x, y, width, height].join(' '); })",
        );
      const before = await places();
      await findings().nth(1).locator('.finding').click();
      const panel = page.getByRole('complementary', { name: 'Details' });
      await panel.waitFor();
      expect(await places()).toEqual(before);
      await panel.getByRole('button', { name: 'Close' }).click();
      expect(await places()).toEqual(before);
      // Who has gone on reading meanwhile is not taken back.
      await findings().first().locator('.finding').click();
      await page.evaluate('scrollTo(0, 600)');
      await page.keyboard.press('Escape');
      expect(await panel.count()).toBe(0);
      expect(await page.evaluate('scrollY')).toBe(600);
    },
  );

  inBrowser('moves the map from under the details of what is chosen, and back', async () => {
    await open(1280, 800);
    await page.evaluate("document.querySelector('.map').scrollIntoView()");
    const node = page.locator('.node[aria-label="kube-system/coredns"]');
    const before = await node.boundingBox();
    await node.press('Enter');
    const panel = await page.getByRole('complementary', { name: 'Details' }).boundingBox();
    await until(async () => {
      const box = await node.boundingBox();
      return (box?.x ?? 0) + (box?.width ?? 0) <= (panel?.x ?? 0);
    });
    await page.keyboard.press('Escape');
    await until(async () => (await node.boundingBox())?.x === before?.x);
    // Both ends of a connection that is wider than the room beside its details.
    await findings().first().locator('.finding').press('Enter');
    await until(async () => {
      const boxes = await Promise.all(
        ['orders/web', 'kube-system/coredns'].map((name) =>
          page.locator(`.node[aria-label="${name}"]`).boundingBox(),
        ),
      );
      return boxes.every((box) => box && box.x > 0 && box.x + box.width < (panel?.x ?? 0));
    });
  });

  inBrowser('keeps the filter under the hands of who types in it', async () => {
    await open(1280, 800);
    const filter = page.getByRole('searchbox');
    const before = await filter.boundingBox();
    for (const [text, edges] of [
      ['shop/nobody', 0],
      ['nmae = x', 10],
      ['dropped > 0', 6],
    ] as const) {
      await filter.fill(text);
      await until(async () => (await page.locator('.edge').count()) === edges);
      expect(await filter.boundingBox()).toEqual(before);
    }
    expect(await page.locator('header').textContent()).toContain(
      'all flows of the 6 connections that the filter matches',
    );
    await filter.fill('src.label = "app=web"');
    await page.locator('.problem').waitFor();
    expect(await page.locator('.problem').textContent()).toContain(
      'Flows have it, and connections do not: choose flows by it with --where when they are read.',
    );
  });

  inBrowser('keeps the time under the hands of who chooses a part of it, and marks the part', async () => {
    await open(1280, 800);
    const to = page.getByRole('slider', { name: 'to' });
    const before = await to.boundingBox();
    await to.focus();
    for (let i = 0; i < 12; i++) {
      for (let j = 0; j < 5; j++) await page.keyboard.press('ArrowLeft');
      expect(Math.abs(((await to.boundingBox())?.y ?? 0) - (before?.y ?? 0))).toBeLessThan(1);
    }
    const [mark, chart] = [
      await page.locator('.u-select').boundingBox(),
      await page.locator('.u-over').boundingBox(),
    ];
    expect(mark?.width).toBeGreaterThan(1);
    expect(mark?.width).toBeLessThan((chart?.width ?? 0) / 2);
    await page.getByRole('button', { name: 'all of it' }).click();
    await until(async () => (await page.locator('.u-select').boundingBox())?.width === 0);
  });

  inBrowser.each(SIZES)(
    'of $width pixels has no label upon another, or upon an end',
    async ({ width, height }) => {
      await open(width, height);
      const covered = await page.evaluate<string[]>(`(() => {
      const boxes = [...document.querySelectorAll('.label, .node rect')].map((e) => ({ e, b: e.getBoundingClientRect() }));
      const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2;
      return boxes.flatMap(({ e, b }, i) => boxes.slice(i + 1).filter((other) => meet(b, other.b)).map((other) => [e, other.e].map((each) => each.textContent || each.parentElement.textContent).join(' | ')));
    })()`);
      expect(covered).toEqual([]);
    },
  );

  inBrowser('tells drops from the rest without colours', async () => {
    await open(1280, 800);
    const dashes = (selector: string) =>
      page.evaluate<string[]>(
        `[...document.querySelectorAll('${selector}')].map((line) => getComputedStyle(line).strokeDasharray)`,
      );
    const [bad, good] = [await dashes('.edge.bad .line'), await dashes('.edge:not(.bad) .line')];
    expect(bad.length).toBeGreaterThan(3);
    expect(good.length).toBeGreaterThan(3);
    expect(new Set(bad)).not.toContain('none');
    expect([...new Set(good)]).toEqual(['none']);
    const texts = await page.locator('.label.bad').allTextContents();
    expect(texts.length).toBe(bad.length);
    expect(texts.every((text) => text.includes('✕'))).toBe(true);
  });

  inBrowser('follows the reader from light to dark, its chart too', async () => {
    await open(1280, 800);
    const chart = () => page.evaluate<string>("document.querySelector('canvas').toDataURL()");
    const light = await chart();
    await page.emulateMedia({ colorScheme: 'dark' });
    const dark = await until(async () => {
      const now = await chart();
      return now !== light && now;
    });
    await page.emulateMedia({ colorScheme: 'light' });
    await until(async () => (await chart()) === light);
    expect(dark.length).toBeGreaterThan(1000);
  });

  inBrowser('moves nothing by itself, for those who asked for that too', async () => {
    await open(1280, 800);
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await findings().first().locator('.finding').click();
    await page.getByRole('button', { name: 'Zoom in' }).click();
    expect(await page.evaluate('document.getAnimations().length')).toBe(0);
    const moving =
      "[...document.querySelectorAll('*')].filter((e) => { const s = getComputedStyle(e); return s.scrollBehavior === 'smooth' || s.animationName !== 'none' || s.transitionDuration !== '0s'; }).length";
    expect(await page.evaluate(moving)).toBe(0);
  });

  inBrowser('of a telephone has names that can be read, and buttons for fingers', async () => {
    await open(390, 844);
    const scale = await page.locator('.map svg').getAttribute('style');
    expect(12 * Number(/scale\(([\d.]+)\)/.exec(scale ?? '')?.[1])).toBeGreaterThanOrEqual(8);
    const aside = await page.evaluate<string[]>(
      "[...document.querySelectorAll('.node')].filter((e) => { const b = e.getBoundingClientRect(); return b.left < 0 || b.right > innerWidth; }).map((e) => e.textContent)",
    );
    expect(aside).toEqual([]);
    const small = await page.evaluate<string[]>(
      "[...document.querySelectorAll('button:not(.link), summary, input')].filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 37).map((e) => e.outerHTML.slice(0, 80))",
    );
    expect(small).toEqual([]);
    const cut = await page.evaluate<string[]>(
      "[...document.querySelectorAll('.cards td, .findings p')].filter((e) => { const b = e.getBoundingClientRect(); return b.width > 0 && (b.right > innerWidth + 1 || b.left < 0); }).map((e) => e.textContent)",
    );
    expect(cut).toEqual([]);
  });
});
