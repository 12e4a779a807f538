import { globSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { missingKernel } from './helpers/bpf.ts';
import { privateFolder } from './helpers/lab-process.ts';
import { headingsOf, installSources, runSession, type Step, sessionOf } from './helpers/session.ts';

/** Numbers, times and the width of columns change from run to run; the rest must not. */
function steady(text: string): string {
  return text
    .replaceAll(/\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b/g, 'Mon')
    .replaceAll(/\d+/g, '#')
    .replaceAll(/ +/g, ' ')
    .replaceAll(/ +\n/g, '\n')
    .trim();
}

/** Runs commands from the sources in a folder of their own. */
async function outputsOf(commands: readonly string[]): Promise<string[]> {
  using folder = privateFolder();
  const bin = join(folder.path, 'bin');
  const work = join(folder.path, 'work');
  for (const path of [bin, work]) mkdirSync(path);
  installSources(bin);
  const env = { HOME: folder.path, XDG_RUNTIME_DIR: folder.path, TZ: 'UTC' };
  return await runSession(commands, { cwd: work, env: { ...env, PATH: `${bin}:${process.env.PATH}` } });
}

function shown(steps: readonly Step[], outputs: readonly string[]): string {
  return steps.map(({ command }, i) => `$ ${command}\n${steady(outputs[i] ?? '')}`).join('\n');
}

// When one has changed for good: node --import tsx scripts/readme-session.ts [PAGE]
test('the incident of the README goes as it is written there', async () => {
  const written = sessionOf(readFileSync('README.md', 'utf8'), 'An incident, from drop to recovery');
  expect(written.length).toBeGreaterThan(7);
  const outputs = await outputsOf(written.map(({ command }) => command));
  expect(shown(written, outputs)).toBe(
    shown(
      written,
      written.map(({ output }) => output),
    ),
  );
});

const PAGES = globSync('docs/tasks/*.md').filter((page) => !page.endsWith('README.md'));

test.each(PAGES)(
  'the job of %s goes as it is written there',
  async (page) => {
    const text = readFileSync(page, 'utf8');
    const isRoot = missingKernel() === undefined;
    // Elsewhere a lab pins no maps.
    const headings = headingsOf(text).filter((heading) => isRoot || !heading.endsWith('(as root)'));
    const written = headings.flatMap((heading) => sessionOf(text, heading));
    expect(written.length).toBeGreaterThan(5);
    // Each block that is shown is one that is run.
    expect(text.match(/^```console$/gm)).toHaveLength(headingsOf(text).length);
    const outputs = await outputsOf(written.map(({ command }) => command));
    expect(shown(written, outputs)).toBe(
      shown(
        written,
        written.map(({ output }) => output),
      ),
    );
  },
  900_000,
);
