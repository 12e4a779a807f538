import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { obstacle } from './cleanup/obstacle.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MATRIX = join(ROOT, 'test/node/cleanup/matrix');
const scratch = mkdtempSync(join(tmpdir(), 'matrix-'));
const why = obstacle();
const onKernel = why ? test.skip : test;

/** Rounds of kills; `npm run cleanup-kills` asks for more. */
const ROUNDS = process.env.CLEANUP_KILLS ?? '1';

beforeAll(() => {
  // Does nothing when the bundle is as new as the sources.
  if (!why) spawnSync(process.execPath, [join(ROOT, 'scripts/prepare.mjs')], { stdio: 'ignore' });
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Builds a node with Cilium beside 49 things of others, and runs a script there. */
function onNode(script: string, losable: 0 | 1, timeout: number): { stdout: string; stderr: string } {
  const text = `cd ${MATRIX}
LOSABLE=${losable} ./build.sh >/run/build.log 2>&1 || { cat /run/build.log; exit 1; }
snapshot() { ./snapshot.sh 2>/dev/null; }
cilium() { ${ROOT}/bin/cilium "$@"; }
${script}`;
  const { stdout, stderr } = spawnSync(join(MATRIX, 'enter.sh'), [scratch, 'bash', '-c', text], {
    encoding: 'utf8',
    timeout,
  });
  return { stdout, stderr };
}

describe(`a node beside many that look like it${why ? ` (skipped: ${why})` : ''}`, () => {
  onKernel('is cleaned, and comes back byte for byte but for what the record calls lost', () => {
    const { stdout, stderr } = onNode(
      `snapshot >/run/before
cilium cleanup --force --undo-file /run/u.json >/run/cleanup.out 2>/run/cleanup.err || cat /run/cleanup.out /run/cleanup.err
cilium cleanup --dry-run | grep -v '^Left alone'
snapshot | grep -E 'cilium_(host|net|vxlan)[ :@]|CILIUM_(INPUT|POST)|lxc0123456789|2005$|/cilium/' | grep -v 'cil_\\|x -j\\|x_-j'
cilium cleanup undo --force /run/u.json >/run/undo.out 2>/run/undo.err || cat /run/undo.out /run/undo.err
cat /run/undo.err
sleep 0.2; snapshot >/run/after; diff /run/before /run/after | grep '^[<>]'`,
      1,
      180_000,
    );
    const lines = stdout.split('\n').filter((line) => !LOST.some((pattern) => pattern.test(line)));
    expect({ lines, stderr }).toEqual({
      lines: [
        'Nothing of Cilium was found on matrix-node.',
        '17 things cannot be brought back (programs, maps, links of pods): a new agent makes them.',
        '',
      ],
      stderr: '',
    });
  });

  onKernel(
    `and so does one where cleanup and undo are killed in ${ROUNDS} rounds and run again`,
    () => {
      const { stdout } = onNode(
        `./kills.sh ${ROUNDS} ${ROOT}/bin/cilium`,
        0,
        Number(ROUNDS) * 60_000 + 180_000,
      );
      expect(stdout).toMatch(/^rounds \d+: .*, wrong 0, leftovers 0\n$/);
    },
    Number(ROUNDS) * 60_000 + 210_000,
  );
});

/** Lines of a snapshot that do not come back: programs and pins, links of pods, the namespace of the health endpoint. */
const LOST: readonly RegExp[] = [
  /^< .*lxc(?:0123456789|_health)/,
  /^< .*(?:cil_from_netdev|cil_to_host|cil_sock4_conne)/,
  /^< (?:eth0|p_eth2) ingress filter protocol all pref 1 /,
  /^< qdisc clsact ffff: dev p_eth2 /,
  /^< .*cilium-health/,
  /^< \/sys\/fs\/bpf\/(?:cilium[/ ]|cilium_rootmap |tc\/globals\/cilium_(?:lxc|policy_v2_01244) )/,
];
