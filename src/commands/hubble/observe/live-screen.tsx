import { Box, Text, useInput } from 'ink';
import { useEffect, useReducer, useState } from 'react';
import type { LiveState, Seen } from '../../../hubble/views/live.ts';
import type { Flow } from '../../../model/hubble.gen.ts';
import { detailLines, short, sparkline } from '../../../render/hubble/live.ts';
import { sanitizeCell } from '../../../render/text/sanitize.ts';

/** Frames per second at most: flows are never dropped for a frame, frames are for flows. */
const FRAME_MS = 125;

/** What the screen needs from outside. */
export interface LiveScreenProps {
  state: LiveState;
  /** Where the flows come from, for the title. */
  target: string;
  /** Cells of a flow: time, source, destination, type, verdict, summary. */
  cells: (flow: Flow) => string[];
  /** Compiles a filter; the text says what is wrong with it. */
  compile: (source: string) => Promise<((flow: Flow) => boolean) | string>;
  now: () => number;
  /** Size of the terminal in cells, and a way to hear of changes. */
  size: () => { columns: number; rows: number };
  onResize: (listener: () => void) => () => void;
  quit: () => void;
}

type Pane = 'flows' | 'details' | 'top' | 'help';

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
export function LiveScreen(props: LiveScreenProps) {
  const { state, now, size, onResize } = props;
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const [pane, setPane] = useState<Pane>('flows');
  const [selected, setSelected] = useState<number | undefined>(undefined);
  const [scroll, setScroll] = useState(0);
  const [filter, setFilter] = useState('');
  const [typing, setTyping] = useState<string | undefined>(undefined);
  const [problem, setProblem] = useState('');

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
  const list = state.visible;
  const at =
    selected === undefined
      ? list.length - 1
      : Math.max(
          0,
          list.findIndex(({ serial }) => serial >= selected),
        );

  const move = (by: number) => {
    const target = Math.min(list.length - 1, Math.max(0, at + by));
    setSelected(target >= list.length - 1 ? undefined : list[target]?.serial);
  };

  const apply = async (source: string) => {
    setTyping(undefined);
    const compiled = source.trim() === '' ? undefined : await props.compile(source);
    if (typeof compiled === 'string') {
      setProblem(compiled);
      return;
    }
    setProblem('');
    setFilter(source.trim());
    state.filter = compiled;
  };

  useInput((input, key) => {
    if (key.ctrl && input === 'c') return props.quit();
    if (typing !== undefined) {
      if (key.return) void apply(typing);
      else if (key.escape) setTyping(undefined);
      else if (key.backspace || key.delete) setTyping(typing.slice(0, -1));
      else if (!key.ctrl && !key.meta && input >= ' ') setTyping(typing + input);
      return;
    }
    if (input === 'q') return props.quit();
    if (input === '?') return setPane(pane === 'help' ? 'flows' : 'help');
    if (key.escape) return setPane('flows');
    if (input === 't') return setPane(pane === 'top' ? 'flows' : 'top');
    if (input === '/') return setTyping(filter);
    if (input === 'd') state.dropsOnly = !state.dropsOnly;
    else if (input === ' ') state.paused = !state.paused;
    else if (pane === 'details' && (key.downArrow || input === 'j')) setScroll(scroll + 1);
    else if (pane === 'details' && (key.upArrow || input === 'k')) setScroll(Math.max(0, scroll - 1));
    else if (key.return && list.length > 0) {
      setSelected(list[at]?.serial);
      setScroll(0);
      setPane('details');
    } else if (key.downArrow || input === 'j') move(1);
    else if (key.upArrow || input === 'k') move(-1);
    else if (key.pageDown) move(height - 1);
    else if (key.pageUp) move(1 - height);
    else if (input === 'g') setSelected(list[0]?.serial);
    else if (input === 'G') {
      setSelected(undefined);
      state.paused = false;
    }
    redraw();
  });

  const seen = list[at];
  return (
    <Box flexDirection="column" width={columns} height={rows}>
      <Title state={state} target={props.target} columns={columns} />
      <Box flexDirection="column" height={height + 1}>
        {pane === 'help' && <Help />}
        {pane === 'top' && <Top state={state} columns={columns} height={height} />}
        {pane === 'details' && seen && <Details seen={seen} scroll={scroll} height={height} />}
        {pane === 'flows' && (
          <Flows
            list={list}
            at={at}
            height={height}
            columns={columns}
            cells={props.cells}
            following={selected === undefined && !state.paused}
          />
        )}
      </Box>
      <Footer state={state} filter={filter} typing={typing} problem={problem} />
    </Box>
  );
}

function Title({ state, target, columns }: { state: LiveState; target: string; columns: number }) {
  const share = state.total > 0 ? (100 * state.drops) / state.total : 0;
  return (
    <Text wrap="truncate">
      <Text bold>{sanitizeCell(target)}</Text>
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
  list,
  at,
  height,
  columns,
  cells,
  following,
}: {
  list: readonly Seen[];
  at: number;
  height: number;
  columns: number;
  cells: (flow: Flow) => string[];
  following: boolean;
}) {
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
          {sanitizeCell(text)}
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
            `${String(row.count).padStart(8)}  ${((100 * row.count) / Math.max(1, total)).toFixed(1).padStart(5)} %  ${row.values.map(sanitizeCell).join('  ')}`,
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

function Footer({
  state,
  filter,
  typing,
  problem,
}: {
  state: LiveState;
  filter: string;
  typing: string | undefined;
  problem: string;
}) {
  if (typing !== undefined) return <Text wrap="truncate">{`/${sanitizeCell(typing)}█`}</Text>;
  if (problem)
    return (
      <Text color="red" wrap="truncate">
        {sanitizeCell(problem.split('\n')[0] ?? '')}
      </Text>
    );
  if (state.notice)
    return (
      <Text color="yellow" wrap="truncate">
        {sanitizeCell(state.notice)}
      </Text>
    );
  return (
    <Text dimColor wrap="truncate">
      {`${filter ? `filter: ${sanitizeCell(filter)}   ` : ''}? help  / filter  d drops  Space pause  Enter details  t top  q quit`}
    </Text>
  );
}
