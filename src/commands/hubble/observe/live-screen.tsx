import { Box, useInput } from 'ink';
import { useEffect, useReducer } from 'react';
import type { LiveState, Seen } from '../../../hubble/views/live.ts';
import type { Flow } from '../../../model/hubble.gen.ts';
import { detailLines, short, sparkline } from '../../../render/hubble/live.ts';
import type { LiveControls } from './live-controls.ts';
import { Text } from './safe-text.tsx';

/** Frames per second at most: flows are never dropped for a frame, frames are for flows. */
const FRAME_MS = 125;

/** What the screen needs from outside. */
export interface LiveScreenProps {
  controls: LiveControls;
  /** Where the flows come from, for the title. */
  target: string;
  /** Cells of a flow: time, source, destination, type, verdict, summary. */
  cells: (flow: Flow) => string[];
  now: () => number;
  /** Size of the terminal in cells, and a way to hear of changes. */
  size: () => { columns: number; rows: number };
  onResize: (listener: () => void) => () => void;
}

const HELP: readonly [string, string][] = [
  ['↑ ↓ / k j', 'select a flow'],
  ['PgUp PgDn', 'a page'],
  ['g G', 'oldest, newest (and follow)'],
  ['Enter', 'all fields of the flow; Esc goes back'],
  ['Space', 'pause; flows are counted all the same'],
  ['d', 'only what was dropped'],
  ['/', 'filter, such as: src.pod = default/web and dst.port in 80..443'],
  ['t', 'top talkers and drops'],
  ['?', 'this help'],
  ['q', 'quit'],
];

/** The live screen. */
export function LiveScreen({ controls, target, cells, now, size, onResize }: LiveScreenProps) {
  const { state, pane, seen } = controls;
  const [, redraw] = useReducer((n: number) => n + 1, 0);

  useEffect(() => {
    const timer = setInterval(() => {
      state.tick(now());
      redraw();
    }, FRAME_MS);
    const stop = onResize(redraw);
    return () => {
      clearInterval(timer);
      stop();
    };
  }, [state, now, onResize]);

  const { columns, rows } = size();
  const height = Math.max(3, rows - 3);
  useInput((input, key) => {
    void controls.press(input, key, height).then(redraw);
  });

  return (
    <Box flexDirection="column" width={columns} height={rows}>
      <Title state={state} target={target} columns={columns} />
      <Box flexDirection="column" height={height + 1}>
        {pane === 'help' && <Help />}
        {pane === 'top' && <Top state={state} columns={columns} height={height} />}
        {pane === 'details' && seen && <Details seen={seen} scroll={controls.scroll} height={height} />}
        {pane === 'flows' && <Flows controls={controls} height={height} columns={columns} cells={cells} />}
      </Box>
      <Footer controls={controls} />
    </Box>
  );
}

function Title({ state, target, columns }: { state: LiveState; target: string; columns: number }) {
  const share = state.total > 0 ? (100 * state.drops) / state.total : 0;
  return (
    <Text wrap="truncate">
      <Text bold>{target}</Text>
      {`  ${short(state.total)} flows  ${short(state.rate)}/s `}
      {columns >= 100 && <Text color="cyan">{sparkline(state.flowsPerSecond)}</Text>}
      {'  '}
      <Text
        {...(state.drops > 0 && { color: 'red' })}
      >{`${short(state.drops)} dropped (${share.toFixed(1)} %) `}</Text>
      {columns >= 130 && <Text color="red">{sparkline(state.dropsPerSecond)}</Text>}
      {state.lost > 0n && <Text color="yellow">{`  ${state.lost} lost`}</Text>}
      {state.paused && <Text inverse>{` PAUSED, ${short(state.hidden)} new `}</Text>}
      {state.dropsOnly && <Text inverse>{' drops only '}</Text>}
    </Text>
  );
}

const HEADINGS = ['TIME', 'SOURCE', 'DESTINATION', 'TYPE', 'VERDICT', 'SUMMARY'];

/** Widths of the columns: the ends share what time, type and verdict leave; the summary takes the rest. */
function layout(columns: number): number[] {
  const time = columns >= 120 ? 19 : 12;
  const type = columns >= 120 ? 24 : 14;
  const verdict = 10;
  const left = Math.max(20, columns - time - type - verdict - 6);
  const summary = columns >= 100 ? Math.floor(left * 0.24) : 0;
  const end = Math.floor((left - summary) / 2);
  return [time, end, end, type, verdict, summary];
}

function clip(text: string, width: number): string {
  if (width <= 0) return '';
  const points = [...text];
  return points.length > width ? `${points.slice(0, width - 1).join('')}…` : text.padEnd(width);
}

function line(cells: readonly string[], widths: readonly number[]): string[] {
  return cells.map((cell, i) => {
    const width = widths[i] ?? 0;
    // The beginning of a time says least: the clock is at its end.
    return i === 0 && cell.length > width ? cell.slice(-width) : clip(cell, width);
  });
}

function Flows({
  controls,
  height,
  columns,
  cells,
}: {
  controls: LiveControls;
  height: number;
  columns: number;
  cells: (flow: Flow) => string[];
}) {
  const { at, following } = controls;
  const list = controls.state.visible;
  const widths = layout(columns);
  const first = Math.max(0, Math.min(at - Math.floor(height / 2), list.length - height));
  const shown = list.slice(following ? Math.max(0, list.length - height) : first).slice(0, height);
  return (
    <>
      <Text bold wrap="truncate">
        {line(HEADINGS, widths).join(' ')}
      </Text>
      {shown.map((seen) => {
        const [time, source, destination, type, verdict, summary] = line(cells(seen.flow), widths);
        const good = !seen.dropped;
        return (
          <Text key={seen.serial} wrap="truncate" inverse={!following && seen === list[at]}>
            {`${time} ${source} ${destination} ${type} `}
            <Text color={good ? 'green' : 'red'}>{verdict}</Text>
            {` ${summary}`}
          </Text>
        );
      })}
      {list.length === 0 && <Text dimColor>Waiting for flows …</Text>}
    </>
  );
}

function Details({ seen, scroll, height }: { seen: Seen; scroll: number; height: number }) {
  const lines = detailLines(seen.flow);
  const from = Math.min(scroll, Math.max(0, lines.length - height));
  return (
    <>
      <Text
        bold
      >{`All fields (${from + 1}–${Math.min(lines.length, from + height)} of ${lines.length}; ↑ ↓ scroll, Esc back)`}</Text>
      {lines.slice(from, from + height).map((text) => (
        <Text key={text} wrap="truncate">
          {text}
        </Text>
      ))}
    </>
  );
}

function Top({ state, columns, height }: { state: LiveState; columns: number; height: number }) {
  const half = Math.max(1, Math.floor((height - 2) / 2));
  const ranking = (title: string, counter: LiveState['talkers'], total: number) => (
    <>
      <Text bold>{title}</Text>
      {counter.rows(half - 1).map((row) => (
        <Text key={row.values.join('\t')} wrap="truncate">
          {clip(
            `${String(row.count).padStart(8)}  ${((100 * row.count) / Math.max(1, total)).toFixed(1).padStart(5)} %  ${row.values.join('  ')}`,
            columns,
          )}
        </Text>
      ))}
    </>
  );
  return (
    <>
      {ranking('Top talkers (source, destination, port)', state.talkers, state.total)}
      <Text> </Text>
      {ranking('Drops (reason, source, destination)', state.dropped, state.drops)}
    </>
  );
}

function Help() {
  return (
    <>
      <Text bold>Keys</Text>
      {HELP.map(([keys, what]) => (
        <Text key={keys} wrap="truncate">{`  ${keys.padEnd(12)}${what}`}</Text>
      ))}
    </>
  );
}

function Footer({ controls: { state, filter, typing, problem } }: { controls: LiveControls }) {
  if (typing !== undefined) return <Text wrap="truncate">{`/${typing}█`}</Text>;
  if (problem)
    return (
      <Text color="red" wrap="truncate">
        {problem.split('\n')[0] ?? ''}
      </Text>
    );
  if (state.notice)
    return (
      <Text color="yellow" wrap="truncate">
        {state.notice}
      </Text>
    );
  return (
    <Text dimColor wrap="truncate">
      {`${filter ? `filter: ${filter}   ` : ''}? help  / filter  d drops  Space pause  Enter details  t top  q quit`}
    </Text>
  );
}
