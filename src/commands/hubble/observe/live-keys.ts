/** What the screen shows between its first lines and its last. */
export type Pane = (typeof PANES)[number] | 'details' | 'edge' | 'why' | 'help';

/** What the digits from 1 on show, and Tab one after the other. */
export const PANES = ['flows', 'map', 'timeline', 'top'] as const;

/** Panes that are about one flow, or a list of them: what the filter is about. */
export const OF_FLOWS: ReadonlySet<Pane> = new Set(['flows', 'details', 'why']);

/** The keys of the screen and what each does. */
export const HELP: readonly (readonly [keys: string, what: string])[] = [
  ['1 2 3 4 Tab', 'flows, map, timeline, top; Tab the next, Shift-Tab the one before'],
  ['Enter', 'go deeper: connection, its flows, all fields of a flow'],
  ['Esc', 'up again; away with an error, a search, a window of time'],
  ['q Ctrl-C', 'quit'],
  ['↑ ↓ k j', 'select a flow or a row, or scroll'],
  ['PgUp PgDn', 'a page'],
  ['Home End g G', 'oldest, newest (and follow); first, last'],
  ['← → h l', 'timeline: move the window of time; + - twice, half as long'],
  ['Space', 'pause; flows are counted all the same'],
  ['d', 'only what was dropped, also of the map'],
  ['f', 'filter flows, such as: src.pod = default/web and dst.port in 80..443'],
  ['/ n N', 'search for a text; next one, one before (of flows n goes up, on the timeline to drops)'],
  ['p', 'policy why: which rule decided about the flow, or dropped one'],
  ['w', 'wrap lines of flows, or cut them'],
  ['y', 'copy the flow as JSON; of the map, the filter of the row'],
  ['t', 'as 4, and back'],
  ['?', 'this help'],
  ['', 'In f and /: ↑ ↓ history, Alt-B Alt-F words, Ctrl-A E U K W'],
];

const PANES_HINTS = ['1 flows', '2 map', '3 timeline', '4 top'];

/** What can be done in each pane, the most needed first. */
const HINTS: Readonly<Record<Pane | 'typing', readonly string[]>> = {
  flows: [
    ...['? help', 'q quit', 'f filter', '/ search', '2 map', '3 timeline', '4 top', 'd drops', 'Space pause'],
    ...['Enter details', 'p policy why', 'w wrap', 'y copy', 'End follow'],
  ],
  map: [
    ...['? help', 'q quit', 'Enter opens', 'd drops', 'p policy why', '/ search', 'y copy filter'],
    ...PANES_HINTS.filter((hint) => !hint.includes('map')),
    'Space pause',
  ],
  edge: ['? help', 'Esc back', 'Enter its flows', 'p policy why', '↑ ↓ scroll', 'y copy filter', 'q quit'],
  timeline: [
    ...[
      '? help',
      'q quit',
      '← → window',
      'n N drops',
      '+ - longer, shorter',
      'Enter map of it',
      'Esc whole time',
    ],
    ...PANES_HINTS.filter((hint) => !hint.includes('timeline')),
  ],
  top: [
    ...[
      '? help',
      'q quit',
      '↑ ↓ row',
      'Enter its flows',
      ...PANES_HINTS.filter((hint) => !hint.includes('top')),
    ],
    'Esc back',
  ],
  details: ['? help', 'Esc back', '↑ ↓ scroll', 'p policy why', 'y copy', 'q quit'],
  why: ['? help', 'Esc back', '↑ ↓ scroll', 'y copy', 'q quit'],
  help: ['Esc back', '↑ ↓ scroll', 'q quit'],
  typing: ['Enter applies', 'Esc back', '↑ ↓ history'],
};

/** As many hints as there is room for; one to go back is the first where there is somewhere to go back to. */
export function hints(of: Pane | 'typing', room: number, isDeeper = false): string {
  const known = HINTS[of];
  const wanted = isDeeper && !known.includes('Esc back') ? ['? help', 'Esc back', ...known.slice(1)] : known;
  let line = '';
  for (const hint of wanted) {
    const longer = line === '' ? hint : `${line}  ${hint}`;
    if (longer.length > room) break;
    line = longer;
  }
  return line;
}
