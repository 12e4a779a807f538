import { test } from '@jest/globals';

/** A test that is skipped by name, with the reason, where something is missing. */
export function testUnless(why: string | undefined, title: string, body: () => unknown): void {
  if (why === undefined) test(title, async () => void (await body()));
  else test.skip(`${title} (skipped: ${why})`, () => {});
}
