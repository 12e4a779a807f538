import { holdsText } from '../../../render/hubble/live.ts';

/** A list that is looked through, as it stands on the screen. */
export interface Searched {
  count: number;
  /** The selected row. */
  at: number;
  /** Where the next one is: further down, or, of a list with the newest at its end, further up. */
  on: 1 | -1;
  /** The texts of a row. */
  texts: (index: number) => readonly string[];
}

/** The next row that holds a text, or the one before; `here` begins with the selected one. Without one, what to say of that. */
export function findText(
  { count, at, on, texts }: Searched,
  search: string,
  which: 'here' | 'on' | 'back',
): number | string {
  if (search === '') return 'There is nothing to search for: / takes a text.';
  const direction = which === 'back' ? -on : on;
  for (let i = which === 'here' ? at : at + direction; i >= 0 && i < count; i += direction)
    if (holdsText(texts(i), search)) return i;
  return `No ${which === 'here' ? '' : 'more '}"${search}" ${direction < 0 ? 'above' : 'below'}.`;
}
