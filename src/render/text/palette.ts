import { ownSequence } from './sanitize.ts';

/** Colours by meaning. Pad first, then colour: an escape sequence counts as width. */
export interface Palette {
  readonly enabled: boolean;
  good(text: string): string;
  warn(text: string): string;
  bad(text: string): string;
  dim(text: string): string;
  bold(text: string): string;
}

/** Text between two choices of a colour or weight; lines are coloured each for itself, as some terminals want. */
function style(on: number, off: number): (text: string) => string {
  return (text) =>
    text === ''
      ? ''
      : text
          .split('\n')
          .map((line) => `${ownSequence(`[${on}m`)}${line}${ownSequence(`[${off}m`)}`)
          .join('\n');
}

const plain = (text: string) => text;

/** No colour at all. */
export const NO_COLOR: Palette = {
  enabled: false,
  good: plain,
  warn: plain,
  bad: plain,
  dim: plain,
  bold: plain,
};

/** The sixteen colours that every terminal has. */
const ANSI: Palette = {
  enabled: true,
  good: style(32, 39),
  warn: style(33, 39),
  bad: style(31, 39),
  dim: style(2, 22),
  bold: style(1, 22),
};

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
  return wantsColor(...facts) ? ANSI : NO_COLOR;
}
