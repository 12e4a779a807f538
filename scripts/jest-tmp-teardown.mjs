// Removes the tests' temporary folder; one that cannot be removed (a mount, a process that lives on) is named.
import { rmSync } from 'node:fs';

export default function tearDown() {
  try {
    rmSync(process.env.TMPDIR, { recursive: true, force: true, maxRetries: 3 });
  } catch (error) {
    console.warn(`${process.env.TMPDIR} stays: ${error.message}`);
  }
}
