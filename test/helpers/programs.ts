import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for PATH whose programs are shell scripts; each call is noted. */
export interface FakePrograms extends Disposable {
  path: string;
  /** Command lines that ran, in order. */
  calls(): string[];
}

/** Writes programs; the script of each sees its arguments as `$*`. */
export function fakePrograms(scripts: Readonly<Record<string, string>>): FakePrograms {
  const path = mkdtempSync(join(tmpdir(), 'programs-'));
  const log = join(path, '.calls');
  writeFileSync(log, '');
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(path, name), `#!/bin/sh\necho "${name} $*" >> ${log}\n${script}\n`);
    chmodSync(join(path, name), 0o755);
  }
  return {
    path,
    calls: () => readFileSync(log, 'utf8').split('\n').filter(Boolean),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}
