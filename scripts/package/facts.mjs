// What is said of the product in every package.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
export const { version } = manifest;

export const SUMMARY = 'The cilium and hubble command lines in one program';
export const DESCRIPTION = `The cilium and hubble commands for agents from 1.9 to 1.20, on a node, at a terminal, in CI and
against a cluster: the same flags and output, with policies that are checked,
tested and replayed, a live screen of flows, and a lab that needs no cluster.`;

/** Every name by which the one file can be started. */
export const NAMES = Object.keys(manifest.bin);

function seconds() {
  if (process.env.SOURCE_DATE_EPOCH) return Number(process.env.SOURCE_DATE_EPOCH);
  try {
    const options = { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
    return Number(execFileSync('git', ['log', '-1', '--format=%ct'], options));
  } catch {
    // The first moment that a zip can name.
    return 315_532_800;
  }
}

/** The moment that everything is dated with: that of the commit, or SOURCE_DATE_EPOCH. */
export const date = new Date(seconds() * 1000);
