import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Where Debian has it, or where CHROMIUM says. */
const PROGRAM = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser'].find(
  (path) => path !== undefined && existsSync(path),
);

export const NO_BROWSER = 'no chromium: install it or name it in CHROMIUM';

/** Starts a browser without a window; undefined where there is none. */
export async function openBrowser(): Promise<Browser | undefined> {
  if (!PROGRAM) return undefined;
  return chromium.launch({
    executablePath: PROGRAM,
    args: ['--no-sandbox', '--enable-precise-memory-info', '--js-flags=--expose-gc'],
  });
}
