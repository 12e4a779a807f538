import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { privateFolder } from './helpers/lab-process.ts';
import { installSources, runSession, sessionOf } from './helpers/session.ts';

/** Numbers, times and the width of columns change from run to run; the rest must not. */
function steady(text: string): string {
  return text
    .replaceAll(/\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b/g, 'Mon')
    .replaceAll(/\d+/g, '#')
    .replaceAll(/ +/g, ' ')
    .replaceAll(/ +\n/g, '\n')
    .trim();
}

// When it has changed for good: node --import tsx scripts/readme-session.ts
test('the incident of the README goes as it is written there', async () => {
  const written = sessionOf(readFileSync('README.md', 'utf8'), 'An incident, from drop to recovery');
  expect(written.length).toBeGreaterThan(7);
  using folder = privateFolder();
  const bin = join(folder.path, 'bin');
  mkdirSync(bin);
  installSources(bin);
  const outputs = await runSession(
    written.map(({ command }) => command),
    {
      cwd: folder.path,
      env: {
        PATH: `${bin}:${process.env.PATH}`,
        HOME: folder.path,
        XDG_RUNTIME_DIR: folder.path,
        TZ: 'UTC',
      },
    },
  );
  const shown = (outputs: readonly string[]) =>
    written.map(({ command }, i) => `$ ${command}\n${steady(outputs[i] ?? '')}`).join('\n');
  expect(shown(outputs)).toBe(shown(written.map(({ output }) => output)));
}, 120_000);
