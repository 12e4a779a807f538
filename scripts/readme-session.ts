/** Runs the session in README.md again with the bundle and writes what it prints into README.md. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSession, sessionOf } from '../test/helpers/session.ts';

const HEADING = 'An incident, from drop to recovery';
const readme = readFileSync('README.md', 'utf8');
const steps = sessionOf(readme, HEADING);
const folder = mkdtempSync(join(tmpdir(), 'session-'));
const outputs = await runSession(
  steps.map(({ command }) => command),
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
const block = steps.map(({ command }, i) => `$ ${command.replaceAll('\n', '\n> ')}\n${outputs[i] ?? ''}`);
const start = readme.indexOf('```console\n', readme.indexOf(`## ${HEADING}`)) + '```console\n'.length;
const end = readme.indexOf('```', start);
writeFileSync('README.md', readme.slice(0, start) + block.join('') + readme.slice(end));
