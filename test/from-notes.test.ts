import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { privateFolder } from './helpers/lab-process.ts';
import { headingsOf, installSources, runSession, sessionOf } from './helpers/session.ts';

const NOTES = 'fixtures/notes';
const PAGE = readFileSync('docs/from-notes.md', 'utf8');
const SESSIONS = headingsOf(PAGE).map((heading) => ({ heading, steps: sessionOf(PAGE, heading) }));

/** Numbers, times and the width of columns change from run to run; the rest must not. */
const steady = (text: string) =>
  text.replaceAll(/\d+/g, '#').replaceAll(/ +/g, ' ').replaceAll(/ +\n/g, '\n').trim();

/** What is meant by the lines of the notes: without what every manifest has, and policies' parts that are valid as they stand. */
const PLAIN =
  /^(?:apiVersion|kind|metadata|namespace|data|spec|template|containers|metrics|requests|limits|cpu|memory)\b/;
const OF_POLICIES =
  /^(?:- )?(?:endpointSelector|matchLabels|app|ingress|fromEndpoints|toPorts|ports|port|protocol)\b/;

describe('every line of the notes is answered', () => {
  const commands = readFileSync(join(NOTES, 'commands.sh'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap((line) => line.split(/ (?=--set )/));
  const manifests = readdirSync(NOTES)
    .filter((file) => file.endsWith('.yaml') && file !== 'basic-network.yaml')
    .flatMap((file) => readFileSync(join(NOTES, file), 'utf8').split('\n'))
    .map((line) => line.trim().replace(/^- (?=name:)/, ''))
    .filter((line) => line !== '' && !PLAIN.test(line) && line !== 'name: cilium')
    .filter((line) => !OF_POLICIES.test(line) || line === 'matchLabels: {}' || line === 'port: 9090');
  test.each([...new Set([...commands, ...manifests])])('%s', (line) => {
    const first = PAGE.split('\n').flatMap((row) => /^\| `(.+?)` \|/.exec(row)?.[1] ?? []);
    expect(first.map((cell) => cell.replaceAll('\\|', '|'))).toContain(line);
  });
});

describe('what the page shows is what is printed', () => {
  let outputs: string[] = [];
  beforeAll(async () => {
    using folder = privateFolder();
    const bin = join(folder.path, 'bin');
    mkdirSync(bin);
    installSources(bin);
    cpSync(NOTES, folder.path, { recursive: true });
    outputs = await runSession(
      SESSIONS.flatMap(({ steps }) => steps.map(({ command }) => command)),
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
  }, 600_000);

  // When it has changed for good: node --import tsx scripts/readme-session.ts docs/from-notes.md
  test.each(SESSIONS)('in $heading', ({ heading, steps }) => {
    const before = SESSIONS.slice(
      0,
      SESSIONS.findIndex((one) => one.heading === heading),
    );
    const at = before.reduce((sum, one) => sum + one.steps.length, 0);
    expect(steps.length).toBeGreaterThan(2);
    expect(steps.map(({ command }, i) => [command, steady(outputs[at + i] ?? '')])).toEqual(
      steps.map(({ command, output }) => [command, steady(output)]),
    );
  });
});
