import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunOptions, run } from './run.ts';

/** Runs `hubble export otlp`. */
export const exportOtlp = (words: readonly string[], options: RunOptions = {}) =>
  run(['hubble', 'export', 'otlp', ...words], options);

/** A folder of captures, for as long as a file of tests runs. */
export class CaptureFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'otlp-'));
  #count = 0;

  /** A capture of these records, one a line. */
  capture(...records: readonly object[]): string {
    const path = join(this.path, `${this.#count++}.jsonl`);
    writeFileSync(path, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
    return path;
  }

  /** A capture of so many flows, with their numbers as ids. */
  flows(count: number): string {
    const numbered = (_: unknown, i: number) => ({ flow: { uuid: String(i), verdict: 'FORWARDED' } });
    return this.capture(...Array.from({ length: count }, numbered));
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
