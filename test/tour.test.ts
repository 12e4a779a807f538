import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { builtCommand } from './helpers/lab-process.ts';
import { unmountWithin } from './helpers/mounts.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const NOBODY = 65_534;

/** The lines of the tour, without what they say of themselves. */
function tour(): string[] {
  const section =
    readFileSync(join(ROOT, 'README.md'), 'utf8').split('\n## A tour\n')[1]?.split('\n## ')[0] ?? '';
  const blocks = Array.from(section.matchAll(/```console\n([\s\S]*?)```/g), ([, block = '']) => block);
  return blocks.flatMap((block) => block.trim().split('\n'));
}

/** Runs lines one after the other in one shell, as a user, in a home that is theirs; the exit code and output of each. */
function walk(lines: readonly string[], uid: number) {
  builtCommand();
  // In the folder of the tests nobody else may look.
  const home = mkdtempSync('/tmp/tour-');
  try {
    chownSync(home, uid, uid);
    symlinkSync(join(ROOT, 'bin'), join(home, 'bin'));
    mkdirSync(join(home, 'sbin'));
    // What sudo does by default: nothing of the environment but the terminal, and a PATH of its own.
    writeFileSync(
      join(home, 'sbin/sudo'),
      '#!/bin/sh\nexec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root USER=root LOGNAME=root TERM="$TERM" "$@"\n',
    );
    chmodSync(join(home, 'sbin/sudo'), 0o755);
    const script = `exec 2>&1\n${lines.map((line) => `echo "=="\n${line}\necho "code $?"\n`).join('')}`;
    const { stdout } = spawnSync('bash', ['-c', script], {
      cwd: home,
      uid,
      gid: uid,
      env: { PATH: `${join(home, 'bin')}:${join(home, 'sbin')}:${process.env.PATH}`, HOME: home },
      encoding: 'utf8',
    });
    const steps = stdout.split('==\n').slice(1);
    return lines.map((line, i) => ({
      line,
      output: steps[i] ?? '',
      code: /code (\d+)\n$/.exec(steps[i] ?? '')?.[1],
    }));
  } finally {
    unmountWithin(home);
    rmSync(home, { recursive: true, force: true });
  }
}

const isRoot = process.getuid?.() === 0;
const asOthers =
  isRoot && spawnSync('test', ['-r', join(ROOT, 'dist/cilium.cjs')], { uid: NOBODY }).status === 0;

describe('the tour of the README works as it is written', () => {
  const judge = (steps: ReturnType<typeof walk>) =>
    expect(
      steps.map(({ line, output, code }) => (code === '0' ? line : `${line}: code ${code}: ${output}`)),
    ).toEqual(steps.map(({ line }) => line));

  test('it has both of its parts', () => {
    expect(tour().filter((line) => line.startsWith('sudo ')).length).toBe(2);
    expect(tour().length).toBeGreaterThan(11);
  });

  (isRoot ? test : test.skip)(`for root, and through sudo${isRoot ? '' : ' (skipped: needs root)'}`, () =>
    judge(walk(tour(), 0)),
  );

  (asOthers || !isRoot ? test : test.skip)(
    `for a user without root${asOthers || !isRoot ? '' : ' (skipped: others may not read this checkout)'}`,
    () => {
      const lines = tour().filter((line) => !line.startsWith('sudo '));
      judge(walk(lines, isRoot ? NOBODY : (process.getuid?.() ?? NOBODY)));
    },
  );
});
