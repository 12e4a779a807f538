import { Box, useInput } from 'ink';
import { useEffect, useReducer } from 'react';
import type { TimeWindow } from '../../../hubble/views/live.ts';
import { short, sparkline } from '../../../render/hubble/live.ts';
import { clockText } from '../../../render/hubble/timeline.ts';
import type { LiveControls } from './live-controls.ts';
import { hints, OF_FLOWS } from './live-keys.ts';
import { Flows, Reading, statesOf } from './live-panes.tsx';
import { EdgePane, MapPane, TimelinePane, TopPane } from './live-traffic-panes.tsx';
import { InColor, Text } from './safe-text.tsx';

/** Frames per second at most: flows are never dropped for a frame, frames are for flows. */
const FRAME_MS = 125;

/** What the screen needs from outside. */
export interface LiveScreenProps {
  controls: LiveControls;
  /** Where the flows come from, for the title. */
  target: string;
  /** The filters of the command line, as they were given. */
  given: string;
  color: boolean;
  now: () => number;
  /** Size of the terminal in cells, and a way to hear of changes. */
  size: () => { columns: number; rows: number };
  onResize: (listener: () => void) => () => void;
}

/** The live screen. */
export function LiveScreen({ controls, target, given, color, now, size, onResize }: LiveScreenProps) {
  const { state, pane } = controls;
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
  const filters = filtersText(given, controls);
  const word = controls.problem || controls.said || state.gone?.cause || state.notice;
  const around = 2 + (filters === '' ? 0 : 1) + (word === '' ? 0 : 1);
  const room = { height: Math.max(1, rows - around - 1), columns };
  useInput((input, key) => {
    void controls.press(input, key, room).then(redraw);
    redraw();
  });

  return (
    <InColor value={color}>
      <Box flexDirection="column" width={columns} height={rows} overflow="hidden">
        <Title controls={controls} target={target} columns={columns} nowMs={now()} />
        {filters !== '' && (
          <Text dimColor wrap="truncate">
            {filters}
          </Text>
        )}
        <Box flexDirection="column" height={room.height + 1} overflow="hidden">
          {pane === 'help' && <Reading controls={controls} size={room} title="Keys" />}
          {pane === 'top' && <TopPane controls={controls} size={room} />}
          {pane === 'map' && <MapPane controls={controls} size={room} />}
          {pane === 'edge' && <EdgePane controls={controls} size={room} />}
          {pane === 'timeline' && <TimelinePane controls={controls} size={room} />}
          {pane === 'details' && <Reading controls={controls} size={room} title="All fields" />}
          {pane === 'why' && <Reading controls={controls} size={room} title="Policy why" />}
          {pane === 'flows' && <Flows controls={controls} size={room} />}
        </Box>
        {word !== '' && (
          <Text wrap="truncate" {...(!controls.said && { color: controls.problem ? 'red' : 'yellow' })}>
            {word.split('\n')[0] ?? ''}
          </Text>
        )}
        <Footer controls={controls} columns={columns} />
      </Box>
    </InColor>
  );
}

/** What is left out by filters, and what is looked for. What is not about this pane says what it is about. */
function filtersText(given: string, { filter, search, pane, state }: LiveControls): string {
  const time = windowText(state.window);
  const isCut = OF_FLOWS.has(pane) || pane === 'map' || pane === 'timeline';
  return [
    given && `given: ${given}`,
    time && `${isCut ? 'time' : 'time of flows and map'}: ${time}`,
    filter && `${OF_FLOWS.has(pane) ? 'filter' : 'filter of the flows'}: ${filter}`,
    search && `search: ${search}`,
  ]
    .filter((part) => part !== '')
    .join('   ');
}

function windowText(window: TimeWindow | undefined): string {
  if (!window) return '';
  const { fromMs, toMs } = window;
  const bar = [{ fromMs, toMs, flows: 0, dropped: 0 }];
  return `${clockText(fromMs, bar)} to ${clockText(toMs, bar)}`;
}

/** The state first: whoever looks at a screen that stands still has to see why. */
function Title({
  controls,
  target,
  columns,
  nowMs,
}: {
  controls: LiveControls;
  target: string;
  columns: number;
  nowMs: number;
}) {
  const { state } = controls;
  const share = state.total > 0 ? (100 * state.drops) / state.total : 0;
  return (
    <Text wrap="truncate">
      {statesOf(controls, nowMs).map(({ text, bad }) => (
        <Text key={text}>
          <Text inverse {...(bad && { color: 'red' })}>{` ${text} `}</Text>{' '}
        </Text>
      ))}
      {`${short(state.total)} flows  ${short(state.rate)}/s `}
      {columns >= 100 && <Text color="cyan">{sparkline(state.flowsPerSecond)}</Text>}
      {'  '}
      <Text
        {...(state.drops > 0 && { color: 'red' })}
      >{`${short(state.drops)} dropped (${share.toFixed(1)} %) `}</Text>
      {columns >= 130 && <Text color="red">{sparkline(state.dropsPerSecond)}</Text>}
      {state.lost > 0n && <Text color="yellow">{` ${state.lost} lost `}</Text>}
      <Text bold>{` ${target}`}</Text>
    </Text>
  );
}

function Footer({
  controls: { typing, pane, isDeeper },
  columns,
}: {
  controls: LiveControls;
  columns: number;
}) {
  if (!typing)
    return (
      <Text dimColor wrap="truncate">
        {hints(pane, columns, isDeeper)}
      </Text>
    );
  const { before, after } = typing.editor;
  const [under = '', ...rest] = after;
  const label = typing.what === 'filter' ? 'filter: ' : '/';
  // What is before the cursor is cut at its beginning, so that the cursor is on the screen.
  const room = Math.max(8, columns - label.length - 2);
  const head = [...before].slice(-room).join('');
  const tail = rest.join('');
  const left = columns - label.length - [...before].length - tail.length - 4;
  const help = hints('typing', left);
  return (
    <Text wrap="truncate">
      {`${label}${head}`}
      {under === '' ? '█' : <Text inverse>{under}</Text>}
      {tail}
      {help !== '' && <Text dimColor>{`${' '.repeat(Math.max(1, left - help.length + 2))}${help}`}</Text>}
    </Text>
  );
}
