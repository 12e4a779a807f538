// Gives all tests one temporary folder, so that what they leave behind goes with it.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export default function setUp() {
  process.env.TMPDIR = mkdtempSync(join(tmpdir(), 'toolkit-test-'));
}
