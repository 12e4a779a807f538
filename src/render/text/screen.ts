import { OWN_RETURN, ownSequence } from './sanitize.ts';

/** The screen empty and the cursor at its top. */
export const CLEAR_SCREEN = ownSequence('[H') + ownSequence('[2J');

/** The cursor at the beginning of its line, and the line empty. */
export const CLEAR_LINE = OWN_RETURN + ownSequence('[K');

/** The cursor so many lines up, and everything below it gone. */
export function clearLinesAbove(lines: number): string {
  return lines > 0 ? ownSequence(`[${lines}A`) + ownSequence('[J') : '';
}

/** Takes back so many lines above the cursor. */
export function eraseLines(count: number): string {
  return count > 0 ? OWN_RETURN + ownSequence(`[${count}A`) + ownSequence('[J') : '';
}
