// Kills cleanup and undo at random moments on a node of its own, and compares the node with the one before.
// usage: npm run cleanup-kills -- [ROUNDS]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const matrix = join(root, 'test/node/cleanup/matrix');
const rounds = Number(process.argv[2] ?? 200);
if (!Number.isInteger(rounds) || rounds < 1) {
  console.error('usage: npm run cleanup-kills -- [ROUNDS]');
  process.exit(2);
}
const scratch = mkdtempSync(join(tmpdir(), 'matrix-'));
const script = `cd ${matrix} && ./build.sh >/run/build.log 2>&1 || { cat /run/build.log; exit 1; }
./kills.sh ${rounds} ${join(root, 'bin/cilium')}`;
const { status } = spawnSync(join(matrix, 'enter.sh'), [scratch, 'bash', '-c', script], { stdio: 'inherit' });
rmSync(scratch, { recursive: true, force: true });
process.exit(status ?? 1);
