import { OWN_RETURN, ownSequence } from './sanitize.ts';

/** The screen empty and the cursor at its top. */
export const CLEAR_SCREEN = ownSequence('[H') + ownSequence('[2J');

/** A screen of its own without a cursor, and back to the one before. */
export const ENTER_SCREEN = ownSequence('[?1049h') + ownSequence('[?25l');
export const LEAVE_SCREEN = ownSequence('[?25h') + ownSequence('[?1049l');

/** The cursor at the top, what is below it gone line by line: drawn over, a screen does not flicker. */
export function drawnOver(lines: readonly string[]): string {
  const rest = ownSequence('[K');
  return `${ownSequence('[H')}${lines.map((line) => line + rest).join('\n')}${ownSequence('[J')}`;
}

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

/** Asks a terminal to take a text into its clipboard (OSC 52). */
export function toClipboard(text: string): string {
  return ownSequence(`]52;c;${Buffer.from(text).toString('base64')}`) + ownSequence('\\');
}
