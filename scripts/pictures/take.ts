import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { BLOCKS, type Blocks } from './compare.ts';

/** A look at the page that is kept as a picture. */
interface Scene {
  name: string;
  width: number;
  height: number;
  dark: boolean;
  /** What is done before the picture is taken. */
  act?: (page: Page) => Promise<void>;
}

const look = async (page: Page) => {
  await page.locator('.finding').first().click();
  await page.locator('.panel summary').first().click();
};

/** The same, with the reader gone on to the map. */
const lookAtMap = async (page: Page) => {
  await look(page);
  await page.evaluate("document.querySelector('main').scrollIntoView({ block: 'end' })");
};

export const SCENES: readonly Scene[] = [
  { name: 'report-1280', width: 1280, height: 800, dark: false },
  { name: 'report-edge-1280-dark', width: 1280, height: 800, dark: true, act: lookAtMap },
  { name: 'report-390', width: 390, height: 844, dark: false },
  { name: 'report-edge-390-dark', width: 390, height: 844, dark: true, act: look },
];

/** The words of a report that pictures are taken of, in `fixtures/page`. */
export const REPORT = ['incident.jsonl.gz', '--rules', 'incident-rules.json', '--title', 'An incident'];

/** A picture as it was taken. */
export interface Taken {
  name: string;
  png: Buffer;
  words: string[];
}

/** All that is to be read on the page, but for its foot, which has the release and the time. */
const WORDS = `(() => {
  const words = [];
  const walker = document.createTreeWalker(document.getElementById('page'), NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.data.replace(/\\s+/g, ' ').trim();
    const parent = node.parentElement;
    if (text && parent.checkVisibility() && !parent.closest('footer, title')) words.push(text);
  }
  return words;
})()`;

const FONTS = `(() => {
  const pen = document.createElement('canvas').getContext('2d');
  return ['600 14px system-ui', '14px system-ui', '12px monospace'].map((font) => {
    pen.font = font;
    return pen.measureText('orders/web could not reach 53/UDP').width.toFixed(1);
  }).join(' ');
})()`;

/** Takes all pictures of a report. */
export async function takePictures(
  browser: Browser,
  report: string,
): Promise<{ fonts: string; taken: Taken[] }> {
  const taken: Taken[] = [];
  let fonts = '';
  for (const { name, width, height, dark, act } of SCENES) {
    const page = await browser.newPage({
      viewport: { width, height },
      colorScheme: dark ? 'dark' : 'light',
      reducedMotion: 'reduce',
    });
    await page.goto(pathToFileURL(report).href);
    await page.waitForSelector('.node');
    await act?.(page);
    await page.mouse.move(0, 0);
    // Two frames: the map and the chart are drawn in the one after the change.
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
    fonts = await page.evaluate<string>(FONTS);
    taken.push({ name, png: await page.screenshot(), words: await page.evaluate<string[]>(WORDS) });
    await page.close();
  }
  return { fonts, taken };
}

/** The blocks of a picture; the browser decodes and shrinks it. */
export async function blocksOf(browser: Browser, png: Uint8Array): Promise<Blocks> {
  const page = await browser.newPage();
  const { columns, rows } = BLOCKS;
  const pixels = await page.evaluate<number[]>(`(async () => {
    const bytes = Uint8Array.from(atob('${Buffer.from(png).toString('base64')}'), (c) => c.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const [wide, high] = [Math.ceil(image.width / ${columns}), Math.ceil(image.height / ${rows})];
    const pen = new OffscreenCanvas(image.width, image.height).getContext('2d');
    pen.drawImage(image, 0, 0);
    const means = [];
    for (let y = 0; y < ${rows}; y++) for (let x = 0; x < ${columns}; x++) {
      const { data } = pen.getImageData(x * wide, y * high, wide, high);
      const sum = [0, 0, 0];
      for (let i = 0; i < data.length; i++) if (i % 4 < 3) sum[i % 4] += data[i];
      means.push(...sum.map((each) => Math.round(each / (data.length / 4))));
    }
    return means;
  })()`);
  await page.close();
  return pixels;
}
