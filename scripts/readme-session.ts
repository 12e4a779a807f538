/**
 * Runs the sessions of a page again with the bundle and writes what they print into it: README.md, or the one that is
 * named. Those of docs/from-notes.md run beside the files of fixtures/notes.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { headingsOf, runSession, sessionOf } from '../test/helpers/session.ts';

const page = process.argv[2] ?? 'README.md';
let text = readFileSync(page, 'utf8');
const sessions = headingsOf(text).map((heading) => ({ heading, steps: sessionOf(text, heading) }));
const folder = mkdtempSync(join(tmpdir(), 'session-'));
if (page === 'docs/from-notes.md') cpSync('fixtures/notes', folder, { recursive: true });
const outputs = await runSession(
  sessions.flatMap(({ steps }) => steps.map(({ command }) => command)),
  {
    cwd: folder,
    env: {
      PATH: `${join(process.cwd(), 'bin')}:${process.env.PATH}`,
      HOME: folder,
      XDG_RUNTIME_DIR: folder,
      TZ: 'UTC',
    },
  },
);
rmSync(folder, { recursive: true });
for (const { heading, steps } of sessions) {
  const block = steps.map(({ command }) => `$ ${command.replaceAll('\n', '\n> ')}\n${outputs.shift() ?? ''}`);
  const start = text.indexOf('```console\n', text.indexOf(`## ${heading}`)) + '```console\n'.length;
  const end = text.indexOf('```', start);
  text = text.slice(0, start) + block.join('') + text.slice(end);
}
writeFileSync(page, text);
