import { Chalk, type ChalkInstance } from 'chalk';
import { ownSequence, ownSequences } from './sanitize.ts';

/** Colours by meaning. Pad first, then colour: an escape sequence counts as width. */
export interface Palette {
  readonly enabled: boolean;
  good(text: string): string;
  warn(text: string): string;
  bad(text: string): string;
  dim(text: string): string;
  bold(text: string): string;
  /** A text in the colour of a name, which is the same wherever that name stands. */
  named(name: string, text: string): string;
}

/** As chalk styles a text, with what steers the terminal marked as our own; each line for itself, as some terminals want. */
function style(paint: ChalkInstance): (text: string) => string {
  const [on = '', off = ''] = paint('|').split('|');
  const [begin, end] = [ownSequences(on), ownSequences(off)];
  return (text) =>
    text === ''
      ? ''
      : text
          .split('\n')
          .map((line) => `${begin}${line}${end}`)
          .join('\n');
}

/** FNV-1a of a name. */
function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

function paletteOf(chalk: ChalkInstance): Palette {
  // Red stands for what is bad.
  const names = [
    ...[chalk.cyan, chalk.green, chalk.magenta, chalk.yellow, chalk.blue],
    ...[chalk.cyanBright, chalk.greenBright, chalk.magentaBright, chalk.yellowBright, chalk.blueBright],
  ].map(style);
  return {
    enabled: true,
    good: style(chalk.green),
    warn: style(chalk.yellow),
    bad: style(chalk.red),
    dim: style(chalk.dim),
    bold: style(chalk.bold),
    named: (name, text) => names[hashOf(name) % names.length]?.(text) ?? text,
  };
}

const plain = (text: string) => text;

/** No colour at all. */
export const NO_COLOR: Palette = {
  enabled: false,
  ...{ good: plain, warn: plain, bad: plain, dim: plain, bold: plain },
  named: (_, text) => text,
};

let ansi: Palette | undefined;
/** The sixteen colours that every terminal has; made when something is coloured. */
function inColor(): Palette {
  ansi ??= paletteOf(new Chalk({ level: 1 }));
  return ansi;
}

const CODES = { red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36, reset: 0 } as const;

/** What begins each colour, and `reset`, which ends them all: for texts that colour as the reference does. */
export type Codes = Readonly<Record<keyof typeof CODES, string>>;

const codes = (code: (n: number) => string): Codes =>
  Object.fromEntries(Object.entries(CODES).map(([name, n]) => [name, code(n)])) as Codes;

/** The codes of a terminal, or none. */
export const COLOR_CODES = codes((n) => ownSequence(`[${n}m`));
export const NO_CODES = codes(() => '');

/** What decides about colour: `--color`, then NO_COLOR and FORCE_COLOR, then whether the stream is a terminal. */
export function wantsColor(
  when: 'auto' | 'always' | 'never',
  env: Readonly<Record<string, string | undefined>>,
  isTTY: boolean,
): boolean {
  if (when !== 'auto') return when === 'always';
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false';
  return isTTY && env.TERM !== 'dumb';
}

/** The palette for a stream. */
export function paletteFor(...facts: Parameters<typeof wantsColor>): Palette {
  return wantsColor(...facts) ? inColor() : NO_COLOR;
}
