import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandLinesIn } from './command-lines.ts';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));

/** Stands in a text for what the program puts in. */
const HOLE = '\u0001';

/** A literal of the sources. */
export interface SourceText {
  file: string;
  place: string;
  /** With a number for what is put in: that is a name or a number. */
  text: string;
  /** With HOLE for what is put in. */
  holed: string;
  isHint: boolean;
}

/** Texts of the sources: no comments, and no usage of the reference. */
export function* sourceTexts(): Generator<SourceText> {
  for (const file of globSync('**/*.{ts,tsx}', { cwd: SRC }).toSorted()) {
    if (file.startsWith('cli/usage/')) continue;
    for (const [i, line] of readFileSync(join(SRC, file), 'utf8').split('\n').entries()) {
      if (/^\s*(\/?\*|\/\/)/.test(line)) continue;
      const filled = line.replaceAll(/\$\{[^}]*\}/g, HOLE);
      for (const [literal] of filled.matchAll(/(['"`])(?:(?!\1)[^\\]|\\.)*\1/g)) {
        const holed = literal.slice(1, -1).replaceAll('\\n', '\n').replaceAll('\\', '');
        yield {
          file,
          place: `${file}:${i + 1}`,
          text: holed.replaceAll(HOLE, '7'),
          holed,
          isHint: /\bhint\b|next:|Error\(|Note: /.test(line),
        };
      }
    }
  }
}

/** A command line in a text of the sources. */
export interface Told {
  /** File and command line: `agent/client.ts: cilium map list`. */
  key: string;
  text: string;
  /** What is printed of the text, and of the command line alone. */
  printed: RegExp;
  line: RegExp;
}

/** All of them, each once. */
export function toldLines(): Told[] {
  const found = new Map<string, Told>();
  for (const { file, text, holed } of sourceTexts())
    for (const line of commandLinesIn(holed)) {
      const key = `${file}: ${line.replaceAll(HOLE, '7')}`;
      found.set(`${key}\n${text}`, {
        key,
        text,
        printed: pattern(holed),
        line: new RegExp(`^${pattern(line).source}$`),
      });
    }
  return [...found.values()];
}

function pattern(holed: string): RegExp {
  return new RegExp(
    holed
      .split(HOLE)
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.+?'),
  );
}
