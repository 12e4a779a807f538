import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { hostileCapture } from '../helpers/hostile-names.ts';
import { fixturePath } from '../helpers/recordings.ts';
import { run } from '../helpers/run.ts';
import { until } from '../helpers/until.ts';
import { inBrowser, launch, openFile, picture, widthOf } from './browser.ts';

const FLOWS = fixturePath('recordings/flows-1.20.jsonl');
const API = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: api, namespace: default}
spec:
  endpointSelector: {matchLabels: {app: api}}
  ingress:
    - fromEntities: [host]
`;

let browser: Browser | undefined;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trial-'));
  await writeFile(join(folder, 'api.yaml'), API);
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true });
});

async function open(flows: string, look: { width?: number; dark?: boolean } = {}) {
  const argv = ['policy', 'replay', '-f', flows, '-c', 'api.yaml', '--html', 'page.html'];
  expect((await run(argv, { cwd: folder })).code).toBe(0);
  if (!browser) throw new Error('there is no browser');
  const opened = await openFile(browser, join(folder, 'page.html'), look);
  await opened.page.waitForSelector('.node');
  return opened;
}

describe('the page of policy replay', () => {
  inBrowser('marks what changes on the map, in tables and in the details of a line', async () => {
    const { page, faults } = await open(FLOWS);
    expect(await page.locator('.edge.denied').count()).toBeGreaterThan(0);
    expect(await page.locator('.edge.allowed').count()).toBeGreaterThan(0);
    expect(await page.locator('.edge.open').count()).toBeGreaterThan(0);
    expect(await page.locator('header').textContent()).toContain('29 not decided');
    const denied = page.locator('section', { has: page.getByRole('heading', { name: 'Newly denied' }) });
    expect(await denied.textContent()).toContain('CiliumNetworkPolicy default/api (api.yaml:4:1)');
    await denied.getByRole('button').first().press('Enter');
    const panel = page.getByRole('complementary', { name: 'Details' });
    expect(await panel.textContent()).toContain('newly denied ingress 8080/TCP');
    const all = await page.locator('.edge').count();
    await page.getByRole('searchbox', { name: 'Filter' }).fill('change = newly-allowed');
    await until(async () => (await page.locator('.edge').count()) < all);
    expect(await page.locator('.edge:not(.allowed)').count()).toBe(0);
    expect(faults).toEqual([]);
    await page.close();
  });

  inBrowser.each([
    { width: 390, dark: true },
    { width: 1280, dark: false },
  ])('fits $width pixels', async ({ width, dark }) => {
    const { page, faults } = await open(FLOWS, { width, dark });
    await page.locator('.edge.denied').first().press('Enter');
    expect(await widthOf(page)).toBeLessThanOrEqual(width);
    await picture(page, `replay-${width}`);
    expect(faults).toEqual([]);
    await page.close();
  });

  inBrowser('runs nothing that a name holds', async () => {
    await writeFile(join(folder, 'hostile.jsonl'), hostileCapture());
    const { page, faults } = await open(join(folder, 'hostile.jsonl'), { width: 390 });
    for (const edge of (await page.locator('.edge').all()).slice(0, 4)) await edge.press('Enter');
    expect(await page.locator('img, .map script, .panel script, [onerror], [onload]').count()).toBe(0);
    expect(await widthOf(page)).toBeLessThanOrEqual(390);
    expect(faults).toEqual([]);
    await page.close();
  });
});
