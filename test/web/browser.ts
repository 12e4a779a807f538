import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from '@jest/globals';
import { type Browser, chromium, type Page } from 'playwright-core';
import { run } from '../helpers/run.ts';

const CHROMIUM = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser'].find(
  (path) => path !== undefined && existsSync(path),
);
/** A test that is skipped where there is no Chromium. */
export const inBrowser = CHROMIUM === undefined ? test.skip : test;
/** Of what never comes: no machine is so slow. */
const LIMIT_MS = 120_000;
/** A folder that pictures are left in. */
const { SCREENSHOTS } = process.env;

/** Starts Chromium; undefined where there is none. */
export async function launch(): Promise<Browser | undefined> {
  return CHROMIUM
    ? await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'], timeout: LIMIT_MS })
    : undefined;
}

/** A tab, and what went wrong in it: errors, and dialogs that something opened. */
export async function openTab(
  browser: Browser,
  { width = 1280, height = 900, dark = false }: { width?: number; height?: number; dark?: boolean } = {},
): Promise<{ page: Page; faults: string[] }> {
  const faults: string[] = [];
  const page = await browser.newPage({
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
  });
  page.setDefaultTimeout(LIMIT_MS);
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  page.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return { page, faults };
}

/** A tab with a file, and what went wrong in it: errors, dialogs, and all that it asked the network for. */
export async function openFile(
  browser: Browser,
  file: string,
  options: Parameters<typeof openTab>[1] = {},
): Promise<{ page: Page; faults: string[] }> {
  const { page, faults } = await openTab(browser, options);
  page.on('request', (request) => {
    if (!request.url().startsWith('file:')) faults.push(`asked for ${request.url()}`);
  });
  await page.goto(pathToFileURL(file).href);
  return { page, faults };
}

/** How wide the page is. */
export async function widthOf(page: Page): Promise<number> {
  return await page.evaluate<number>('document.documentElement.scrollWidth');
}

/** Leaves a picture where somebody asked for it. */
export async function picture(page: Page, name: string): Promise<void> {
  if (SCREENSHOTS) await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
}

/** Runs `hubble ui` with these words while the page at its address is used, and ends it; returns its exit code. */
export async function withUi(words: readonly string[], use: (url: string) => Promise<void>): Promise<number> {
  const stop = new AbortController();
  const used = Promise.withResolvers<void>();
  const done = run(['hubble', 'ui', ...words, '--open-browser=false'], {
    signal: stop.signal,
    realTime: true,
    onStdout: (text) => {
      const url = /http\S+/.exec(text)?.[0];
      if (url)
        use(url)
          .then(used.resolve, used.reject)
          .finally(() => stop.abort());
    },
  });
  const { code, stderr } = await done;
  if (!stop.signal.aborted) throw new Error(`hubble ui ended: ${stderr}`);
  await used.promise;
  return code;
}
