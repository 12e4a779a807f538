import { Fragment } from 'react';
import type { RankedRow } from '../../../model/ranking.ts';
import { shareRoom, visibleRange } from '../../../render/hubble/live.ts';
import { barLength, type ChartSpan, clockText, renderTimeline } from '../../../render/hubble/timeline.ts';
import { busiestRows } from '../../../render/hubble/traffic-edge.ts';
import type { LiveControls, PaneSize } from './live-controls.ts';
import { Reading } from './live-panes.tsx';
import { Text } from './safe-text.tsx';

interface PaneProps {
  controls: LiveControls;
  size: PaneSize;
}

/** Lines below the first two at which a list has room below the timeline. */
const LIST_FROM = 12;

/** Who talks to whom; Enter opens the selected row. */
export function MapPane({ controls: { traffic, state }, size: { columns, height } }: PaneProps) {
  const { header, rows, sum } = traffic.map(columns);
  const at = traffic.at(columns);
  const range = (lines: number) => visibleRange(rows.length, lines, at, () => 1);
  // A server whose client has no room above it stands below a line that names the client.
  const isCut = rows[range(height - 1)[0]]?.edge !== undefined;
  const [from, to] = range(height - (isCut ? 2 : 1));
  const client = rows.slice(0, from).findLast(({ edge }) => edge === undefined);
  return (
    <>
      <Text dimColor wrap="truncate">
        {sum}
      </Text>
      <Text bold wrap="truncate">
        {header}
      </Text>
      {rows[from]?.edge && client && (
        <Text dimColor wrap="truncate">
          {client.text}
        </Text>
      )}
      {rows.slice(from, to).map(({ text, client: { id }, edge }, i) => (
        <Text
          key={`${id} ${edge?.server ?? ''}`}
          wrap="truncate"
          inverse={from + i === at}
          bold={edge === undefined}
          {...(edge && edge.dropped > 0 && { color: 'red' })}
        >
          {text}
        </Text>
      ))}
      {rows.length === 0 && <Text dimColor>{emptyMap(state)}</Text>}
    </>
  );
}

function emptyMap({ total, window, dropsOnly }: LiveControls['state']): string {
  if (total === 0) return 'Waiting for flows …';
  const what = dropsOnly ? 'Nothing was dropped' : 'There was no flow between two ends';
  return `${what}${window ? ' in this window of time; 3 and Esc show all of it' : ''}${dropsOnly ? '; d shows all connections again' : ''}.`;
}

/** All that is known of one edge of the map. */
export function EdgePane({ controls, size }: PaneProps) {
  const lines = controls.traffic.edgeText(size.columns);
  return (
    <Reading controls={controls} size={size} title="Connection" isBad={(line) => lines[line]?.bad === true} />
  );
}

const LOOKS: Readonly<Record<ChartSpan['of'], { color?: string; dimColor?: true; bold?: true }>> = {
  flows: { color: 'cyan' },
  drops: { color: 'red' },
  axis: { dimColor: true },
  window: { bold: true, color: 'yellow' },
};

/** Flows and drops over time, and below, where there is room, who they were of. */
export function TimelinePane({ controls: { traffic, state }, size: { columns, height } }: PaneProps) {
  const bars = traffic.bars(columns);
  const marked = traffic.marked(bars);
  const room = height - 1;
  const chart = room < LIST_FROM ? room : Math.max(7, room >> 1);
  const looked = traffic.looked;
  const most = (of: 'flows' | 'dropped') => Math.max(...bars.map((bar) => bar[of]));
  const list = busiestRows(traffic.shown, room - chart - 2, columns);
  if (!looked) return <Text dimColor>{emptyTimeline(state)}</Text>;
  return (
    <>
      <Text bold wrap="truncate">
        {`TIMELINE in UTC: ${barLength(bars)} a bar, at most ${most('flows')} flows, ${most('dropped')} dropped`}
      </Text>
      <Text wrap="truncate">
        {`${state.window ? 'Window' : 'All'}: ${clockText(looked.fromMs, bars)} to ${clockText(looked.toMs, bars)}, ${looked.flows} flows, ${looked.dropped} dropped`}
      </Text>
      {renderTimeline(bars, { columns, height: chart, marked }).map((spans, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines of a picture have no other name
        <Text key={line} wrap="truncate">
          {spans.map(({ text, of }, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: nor have the spans of a line
            <Text key={i} {...LOOKS[of]}>
              {text}
            </Text>
          ))}
        </Text>
      ))}
      {room - chart > 2 && (
        <>
          <Text> </Text>
          <Text bold wrap="truncate">
            {list.header}
          </Text>
          {list.rows.map(({ text, item, bad }) => (
            <Text
              key={`${item.edge.client} ${item.edge.server}`}
              wrap="truncate"
              {...(bad && { color: 'red' })}
            >
              {text}
            </Text>
          ))}
        </>
      )}
    </>
  );
}

function emptyTimeline({ total }: LiveControls['state']): string {
  return total === 0 ? 'Waiting for flows …' : 'No flow has a time.';
}

interface TopRow {
  key: string;
  text: string;
  bad: boolean;
}

/** Who talks most, what is dropped most, and what proxies tell of requests; Enter opens the selected row. */
export function TopPane({ controls: { state, top }, size }: PaneProps) {
  const { header, rows } = top.layer7(size.columns);
  const sections = [
    {
      title: 'Top talkers (source, destination, port; Enter filters)',
      rows: top.talkers.map((row) => rankedRow(row, state.total)),
    },
    {
      title: 'Drops (reason, source, destination)',
      rows: top.drops.map((row) => rankedRow(row, state.drops)),
    },
    {
      title: header,
      rows: rows.map(({ text, item, bad }, i) => ({ text, bad, key: `${i} ${item.edge.server}` })),
    },
  ].filter(({ rows: its }, i) => i < 2 || its.length > 0);
  const { room, gap, only } = layoutOf(sections.length, size.height + 1);
  let before = 0;
  const placed = sections.map(({ title, rows: its }) => {
    const at = top.at - before;
    before += its.length;
    return { title, rows: its, at: at >= 0 && at < its.length ? at : -1 };
  });
  const shown = only
    ? [placed.find(({ at }) => at >= 0) ?? placed[0]].filter((one) => one !== undefined)
    : placed;
  const heights = shareRoom(
    shown.map((section) => section.rows.length),
    room,
  );
  return shown.map(({ title, rows: its, at }, i) => (
    <Fragment key={title}>
      {i > 0 && gap && <Text> </Text>}
      <Section title={title} rows={its} at={at} height={heights[i] ?? 0} />
    </Fragment>
  ));
}

/** How many rows there is room for below so many titles, with lines between them or without; else of one section only. */
function layoutOf(sections: number, lines: number): { room: number; gap: boolean; only: boolean } {
  const spread = lines - 2 * sections + 1;
  if (spread >= sections) return { room: spread, gap: true, only: false };
  const tight = lines - sections;
  return tight >= sections
    ? { room: tight, gap: false, only: false }
    : { room: Math.max(1, lines - 1), gap: false, only: true };
}

function rankedRow({ count, values }: RankedRow, total: number): TopRow {
  const share = ((100 * count) / Math.max(1, total)).toFixed(1);
  return {
    key: values.join('\t'),
    text: `${String(count).padStart(8)}  ${share.padStart(5)} %  ${values.join('  ')}`,
    bad: false,
  };
}

function Section({
  title,
  rows,
  at,
  height,
}: {
  title: string;
  rows: readonly TopRow[];
  /** The selected row; -1 when it is one of another section. */
  at: number;
  height: number;
}) {
  const [from, to] = height > 0 ? visibleRange(rows.length, height, Math.max(0, at), () => 1) : [0, 0];
  return (
    <>
      <Text bold wrap="truncate">
        {title}
      </Text>
      {rows.slice(from, to).map(({ key, text, bad }, i) => (
        <Text key={key} wrap="truncate" inverse={from + i === at} {...(bad && { color: 'red' })}>
          {text}
        </Text>
      ))}
    </>
  );
}
