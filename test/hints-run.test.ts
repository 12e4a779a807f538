import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { missingKernel } from './helpers/bpf.ts';
import { commandLinesIn, wordsOf } from './helpers/command-lines.ts';
import { MORE_LINES, NOT_RUN, PROVOKED, type Provoked } from './helpers/hint-rows.ts';
import { type Told, toldLines } from './helpers/hint-texts.ts';
import { startHintWorlds, type WorldName } from './helpers/hint-worlds.ts';
import type { RunResult } from './helpers/run.ts';

const worlds = startHintWorlds();
afterAll(async () => worlds[Symbol.asyncDispose]());

const TOLD = toldLines();
const lacking = missingKernel();
const canRun = (name: WorldName) => lacking === undefined || !/maps/.test(name);

/** The command lines of the sources that a row means: its key, or the key and a part of the text behind `|`; `$` is the end of the text. */
function meant(row: string): Told[] {
  const [key, part = ''] = row.split(' | ');
  return TOLD.filter((told) => told.key === key && `${told.text}$`.includes(part));
}

test('every command line of a hint is run by a test, or said to be none that can be', () => {
  const rows = [...PROVOKED.map(({ hint }) => hint), ...Object.values(NOT_RUN).flat()];
  expect(rows.filter((row) => meant(row).length !== 1)).toEqual([]);
  const covered = new Set(rows.flatMap(meant));
  expect(TOLD.filter((told) => !covered.has(told)).map(({ key, text }) => `${key} | ${text}`)).toEqual([]);
});

/** Runs a command line as a shell would: what stands behind `>` is a file. */
async function type(line: string, world: WorldName): Promise<RunResult> {
  const ask = await worlds.open(world);
  const [name = '', ...words] = wordsOf(line);
  const ran = await ask(name === 'cilium' ? words : [name, ...words]);
  const file = / > (\S+)$/.exec(line)?.[1];
  if (file !== undefined) writeFileSync(join(worlds.folder, file), ran.stdout);
  return ran;
}

const both = ({ stdout, stderr }: RunResult) => `${stdout}\n${stderr}`;

describe('what a hint tells to run does what it says', () => {
  for (const row of PROVOKED)
    (canRun(row.in) ? test : test.skip)(`${row.hint} (${row.says})`, () => follow(row));
});

async function follow({ hint, says, shows, code = 0, fill = {}, more, ...row }: Provoked): Promise<void> {
  const [told] = meant(hint);
  for (const line of row.first ?? []) await succeed(line, row.in);
  const text = both(await type(says, row.in));
  expect(text).toMatch(told?.printed ?? /$^/);
  const lines = new Set(commandLinesIn(text).filter((line) => told?.line.test(line)));
  expect(lines.size).toBeGreaterThan(0);
  for (const line of lines) {
    const filled = Object.entries(fill).reduce((text, [word, value]) => text.replaceAll(word, value), line);
    const whole = more === undefined ? filled : `${filled} ${more.replace('PWD', worlds.folder)}`;
    const ran = await type(whole, row.runs ?? row.in);
    expect({ line, code: ran.code, said: both(ran) }).toEqual({
      line,
      code,
      said: expect.stringMatching(shows),
    });
  }
  for (const line of row.after ?? []) await succeed(line, row.in);
}

async function succeed(line: string, world: WorldName): Promise<void> {
  const { stderr, code } = await type(line, world);
  expect({ line, stderr, code }).toMatchObject({ line, code: 0 });
}

/** What is printed of words that mean nothing. */
const USAGE =
  /unknown (command|option)|missing required argument|too many arguments|^Missing |invalid argument/im;

test.each(MORE_LINES)('%s leads on to what works', async (line, tells) => {
  const lines = commandLinesIn(both(await type(line, 'lab')));
  for (const what of tells) expect(lines).toContain(what);
  for (const told of new Set(lines)) {
    // What stands for something is no word to type.
    if (/\b[A-Z]{4,}\b/.test(told)) continue;
    const { stderr, code } = await type(told, 'lab');
    expect({ told, isUsage: code !== 0 && USAGE.test(stderr), stderr }).toMatchObject({
      told,
      isUsage: false,
    });
  }
});
