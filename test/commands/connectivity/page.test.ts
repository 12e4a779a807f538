import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ActionResult, RunResult } from '../../../src/cluster/connectivity/results.ts';
import { connectivityDocument } from '../../../src/render/cluster/connectivity-page.ts';
import { renderDocument } from '../../../src/render/html/document.ts';
import { HOSTILE_NAMES } from '../../helpers/hostile-names.ts';
import { pageText } from '../../helpers/page-text.ts';
import { healthy, type PlayedPods, startPlayedPods } from '../../helpers/played-pods.ts';

let cluster: PlayedPods;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'connectivity-page-'));
  cluster = await startPlayedPods({ answer: healthy });
});
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const connectivity = (...more: string[]) =>
  cluster.run(['connectivity', 'test', '--flow-validation', 'disabled', ...more], { cwd: folder });
const textOf = (file: string) => pageText(join(folder, file));

describe('connectivity test --html', () => {
  test('shows what passed, and what was not run with why', async () => {
    cluster.world.answer = healthy;
    const { stdout, stderr, code } = await connectivity('--test', 'dns,world', '--html', 'good.html');
    expect([code, stderr]).toEqual([0, 'Page: good.html\n']);
    expect(stdout).toContain('All 1 tests');
    const page = textOf('good.html');
    expect(page).toContain('<dt>tests</dt><dd><b class="good">✓ all 1 passed</b></dd>');
    expect(page).toContain('<td>dns</td><td><b class="good">✓ passed</b></td>');
    expect(page).toContain('<td>world</td><td>skipped</td>');
    expect(page).toContain('no external target: --external-target');
    expect(page).toContain('Nothing failed.');
  });

  test('shows failures with what they point to, and fails as before', async () => {
    cluster.world.answer = (asked) =>
      asked.argv[0] === 'nslookup'
        ? { code: 1, stderr: ';; connection timed out; no servers could be reached\n' }
        : healthy(asked);
    const { stdout, stderr, code } = await connectivity('--test', 'dns', '--html', 'bad.html');
    expect(code).toBe(1);
    expect(stdout).toContain('1/1 tests failed');
    expect(stderr).toContain('1 tests failed');
    const page = textOf('bad.html');
    expect(page).toContain('<b class="bad">✕ 1 of 1 failed</b>');
    expect(page).toContain('DNS: names do not resolve');
    expect(page).toContain('suspects, what others rest on first');
  });

  test.each([
    ['--cleanup', 'has none'],
    ['--dry-run', 'has none'],
  ])('is refused with %s', async (flag, message) => {
    const { stdout, stderr, code } = await connectivity(flag, '--html', 'none.html');
    expect([stdout, code]).toEqual(['', 1]);
    expect(stderr).toContain(message);
  });

  test('is refused before anything is deployed where it cannot be written', async () => {
    cluster.asked.length = 0;
    const { stderr, code } = await connectivity('--html', 'nowhere/page.html');
    expect([code, cluster.asked]).toEqual([1, []]);
    expect(stderr).toContain('no such file or directory');
  });

  test('what a cluster answers stays text', () => {
    const actions = HOSTILE_NAMES.map(
      (name): ActionResult => ({
        ...{ name, path: name, command: name, expected: name, failure: name, warnings: [name] },
        ok: false,
        evidence: { flows: [], flowsTrouble: name, decidedTrouble: name },
        suspect: { area: 'unknown', sentence: name, because: [name] },
        ms: 1,
      }),
    );
    const run: RunResult = {
      ...{ namespace: 'n', startedAt: '', ms: 1 },
      tests: [
        { name: 'a', status: 'failed', actions, left: [], ms: 1 },
        { name: 'b', status: 'not-run', reason: HOSTILE_NAMES[0] ?? '', actions: [], left: [], ms: 1 },
      ],
    };
    const parts = { script: '', style: '', hashes: { script: '', style: '' } };
    const page = renderDocument(connectivityDocument(run, { made: '', version: '' }), parts);
    expect(page).not.toMatch(/<(?:script|img|svg)|\u202e|\u0000/);
    expect(page).toContain('&#60;/script&#62;&#60;script&#62;alert(1)');
    expect(page).toContain('flows could not be read: ');
    expect(page).toContain('<b class="unknown">? not run</b>');
    expect(page).toContain('Cilium of a version that is not known');
  });
});
