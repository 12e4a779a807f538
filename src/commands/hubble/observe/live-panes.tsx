import { type LiveState, SCROLLBACK } from '../../../hubble/views/live.ts';
import {
  liveColumns,
  liveHeadings,
  liveLines,
  type Span,
  visibleRange,
} from '../../../render/hubble/live.ts';
import type { LiveControls, PaneSize } from './live-controls.ts';
import { Text } from './safe-text.tsx';

/** The list of flows. */
export function Flows({ controls, size }: { controls: LiveControls; size: PaneSize }) {
  const { search, wrapped, actions, state } = controls;
  const { at, following } = controls.selection;
  const { height, columns: width } = size;
  const list = state.visible;
  const columns = liveColumns(width);
  const made = new Map<number, Span[][]>();
  const linesOf = (index: number): Span[][] => {
    const known = made.get(index);
    if (known) return known;
    const flow = list[index]?.flow;
    const lines = flow ? liveLines(actions.cells(flow), columns, { search, wrapped }, width) : [];
    made.set(index, lines);
    return lines;
  };
  const [from, to] = visibleRange(list.length, height, following ? 'end' : at, (i) => linesOf(i).length);
  return (
    <>
      <Text bold wrap="truncate">
        {wrapped ? 'FLOWS (w cuts them to columns)' : liveHeadings(columns)}
      </Text>
      {list.slice(from, to).flatMap((seen, i) =>
        linesOf(from + i).map((spans, part) => (
          <Text
            // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a wrapped line have no other name
            key={`${seen.serial}.${part}`}
            wrap="truncate"
            inverse={!following && from + i === at}
          >
            {spans.map((span, n) => (
              <Text
                // biome-ignore lint/suspicious/noArrayIndexKey: nor have the spans of a line
                key={n}
                underline={span.found}
                bold={span.found}
                {...(span.verdict && { color: seen.dropped ? 'red' : 'green' })}
              >
                {span.text}
              </Text>
            ))}
          </Text>
        )),
      )}
      {list.length === 0 && <Text dimColor>{emptyText(controls)}</Text>}
    </>
  );
}

function emptyText({ state, filter }: LiveControls): string {
  if (state.total === 0) return state.ended ? 'No flow came.' : 'Waiting for flows …';
  const why = [
    state.dropsOnly && 'd shows all again',
    filter !== '' && 'f changes the filter',
    state.window && `3 and Esc show all of the time, of which the last ${SCROLLBACK} flows are kept`,
  ];
  return `None of ${state.total} flows is shown: ${why.filter(Boolean).join(', ')}.`;
}

/** Text that is read: the fields of a flow, an edge, what decided, the keys. */
export function Reading({
  controls,
  size,
  title,
  isBad = () => false,
}: {
  controls: LiveControls;
  size: PaneSize;
  title: string;
  /** Whether the line with that number tells of something that went wrong. */
  isBad?: (line: number) => boolean;
}) {
  const lines = controls.lines(size.columns);
  const from = Math.min(controls.scroll, Math.max(0, lines.length - size.height));
  const to = Math.min(lines.length, from + size.height);
  return (
    <>
      <Text
        bold
        wrap="truncate"
      >{`${title} (${from + 1}–${to} of ${lines.length}; ↑ ↓ scroll, Esc back)`}</Text>
      {lines.slice(from, to).map((text, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines may be alike
        <Text key={i} wrap="truncate" {...(isBad(from + i) && { color: 'red' })}>
          {text || ' '}
        </Text>
      ))}
    </>
  );
}

/** What the screen is in the middle of, in words; empty while it follows the newest flows. */
export function statesOf(controls: LiveControls, nowMs: number): { text: string; bad: boolean }[] {
  const { state } = controls;
  const { following, below } = controls.selection;
  return [
    state.gone && { text: goneText(state.gone, nowMs), bad: true },
    state.ended && { text: 'ENDED', bad: false },
    state.paused && { text: `PAUSED, ${state.hidden} new`, bad: false },
    !following && !state.paused && { text: `NOT FOLLOWING, ${below} below`, bad: false },
    state.dropsOnly && { text: 'DROPS ONLY', bad: false },
  ].filter((one) => typeof one === 'object');
}

function goneText({ attempt, nextMs }: NonNullable<LiveState['gone']>, nowMs: number): string {
  const wait = Math.ceil((nextMs - nowMs) / 1000);
  return `SERVER GONE: attempt ${attempt} ${wait > 0 ? `in ${wait} s` : 'now, no flow yet'}`;
}
