import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { makeFolder } from '../../src/lib/make-folder.ts';

test('folders are made with those above them, and an error comes where none can be', () => {
  const folder = mkdtempSync(join(tmpdir(), 'make-folder-'));
  try {
    const deep = join(folder, 'a/b/c');
    makeFolder(deep, 0o700);
    makeFolder(deep, 0o700);
    expect(statSync(join(folder, 'a')).mode & 0o777).toBe(0o700);
    writeFileSync(join(folder, 'file'), '');
    expect(() => makeFolder(join(folder, 'file'))).toThrow('EEXIST');
    expect(() => makeFolder(join(folder, 'file/a/b'))).toThrow('ENOTDIR');
    // Node's own mkdir never returns from this one.
    expect(() => makeFolder('/proc/nope/a/b')).toThrow('ENOENT');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
