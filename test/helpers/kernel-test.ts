import { test } from '@jest/globals';
import { missingKernel } from './bpf.ts';

const missing = missingKernel();

/** A test that needs root and a kernel with BPF; elsewhere it is skipped and its title says why. */
export function kernelTest(title: string, body: () => Promise<void> | void): void {
  if (missing === undefined) test(title, body);
  else test.skip(`${title} (skipped: ${missing})`, body);
}
