import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { UserError } from '../errors.ts';
import { compileEdgeFilter } from '../hubble/views/traffic/edge-fields.ts';
import {
  cut,
  edgesOf,
  type Period,
  type Shown,
  spanOf,
  timelineOf,
} from '../hubble/views/traffic/selection.ts';
import type { EdgeWithEnds } from '../model/traffic.ts';
import type { TrafficReport } from '../model/traffic-report.ts';
import { timeSpan } from '../render/hubble/traffic.ts';
import { isWords, wordsTest } from '../render/hubble/traffic-words.ts';
import { Findings } from './findings.tsx';
import type { Connection } from './live.ts';
import { TrafficMap } from './map.tsx';
import { type Chosen, Panel } from './panel.tsx';
import { Tables } from './tables.tsx';
import { TimelineChart } from './timeline.tsx';
import { changedFlows, Legend, TrialHead } from './trial.tsx';
import { TrialTables } from './trial-tables.tsx';

type EdgeTest = (item: EdgeWithEnds) => boolean;

/** Ends that are drawn at first: more than that is no picture, least of all on a telephone. */
const DRAWN = window.innerWidth < 760 ? 25 : 60;

/** The page: head, map with details, timeline, tables. */
export function App({ report, connection }: { report: TrafficReport; connection: Connection | undefined }) {
  const [source, setSource] = useState('');
  const [test, setTest] = useState<EdgeTest>();
  const [problem, setProblem] = useState('');
  const [period, setPeriod] = useState<Period>();
  const [all, setAll] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const panel = useRef<HTMLElement>(null);
  const [chosen, choose] = useChoice();
  useKeys(input, () => choose(undefined));
  const { traffic, fixes, trial } = report;
  useFilter(source, report, setTest, setProblem);
  const shown = useMemo(() => cut(traffic, spanOf(period, traffic.timeline), test), [traffic, period, test]);
  const timeline = useMemo(() => timelineOf(traffic, test), [traffic, test]);
  const nothing = nothingShown(shown, test !== undefined, period !== undefined);
  const drawn = useMemo(() => (all ? shown : busiest(shown)), [shown, all]);
  const hidden = shown.nodes.length - drawn.nodes.length;
  return (
    <>
      <Head
        report={report}
        connection={connection}
        shown={shown}
        isFiltered={test !== undefined}
        nothing={nothing}
      />
      <form class="filter" onSubmit={(event) => event.preventDefault()}>
        <input
          ref={input}
          type="search"
          aria-label="Filter"
          placeholder="Filter: a name, a pod, a port, a policy, or dropped > 0   ( / )"
          value={source}
          onInput={({ currentTarget }) => setSource(currentTarget.value)}
        />
        {problem && (
          <pre class="problem" role="status">
            {`This filter cannot be read, so all is shown.\n${problem}`}
          </pre>
        )}
      </form>
      {!trial && (
        <Findings
          shown={shown}
          fixes={fixes}
          lost={traffic.lost}
          nothing={nothing}
          isPeriod={period !== undefined}
          isPart={period !== undefined || test !== undefined || report.where !== ''}
          onChoose={choose}
        />
      )}
      <TimelineChart
        timeline={timeline}
        isFiltered={test !== undefined}
        period={period}
        live={report.live}
        onPeriod={setPeriod}
      />
      {trial && <Legend />}
      <main>
        <TrafficMap nodes={drawn.nodes} edges={drawn.edges} chosen={chosen} panel={panel} onChoose={choose} />
        {chosen && (
          <Panel
            chosen={chosen}
            nodes={shown.nodes}
            edges={shown.edges}
            fixes={fixes}
            trial={trial}
            place={panel}
            onChoose={choose}
          />
        )}
      </main>
      {(hidden > 0 || all) && (
        <p class="muted">
          {hidden > 0 ? `${hidden} ends with fewer flows are not drawn. ` : ''}
          <button type="button" onClick={() => setAll(!all)}>
            {all ? `Draw the ${DRAWN} busiest` : 'Draw all'}
          </button>
        </p>
      )}
      {trial && <TrialTables trial={trial} nodes={shown.nodes} edges={shown.edges} onChoose={choose} />}
      <Tables
        nodes={shown.nodes}
        edges={shown.edges}
        fixes={fixes}
        empty={nothing ?? (test || period ? 'Nothing of what is shown was dropped.' : 'Nothing was dropped.')}
        onChoose={choose}
      />
      <footer class="muted">
        cilium-toolkit {report.version}, {report.made}
      </footer>
    </>
  );
}

interface HeadProps {
  report: TrafficReport;
  connection: Connection | undefined;
  shown: Shown;
  isFiltered: boolean;
  /** Why nothing is shown; undefined where something is. */
  nothing: string | undefined;
}

function Head({
  report: { title, source, where, traffic, live, trouble, trial },
  connection,
  shown: { edges, flows, dropped, firstMs, lastMs },
  isFiltered,
  nothing,
}: HeadProps) {
  const matching = isFiltered
    ? `${edges.length} ${edges.length === 1 ? 'connection' : 'connections'}`
    : undefined;
  const time = timeSpan(firstMs, lastMs);
  return (
    <header>
      <h1>{title}</h1>
      {(where || !title.includes(source)) && (
        <p class="muted">
          {source}
          {where && ` where ${where}`}
        </p>
      )}
      <p>
        {nothing ?? (
          <>
            <b>{flows}</b> flows, <b class={dropped > 0 ? 'bad' : ''}>{dropped}</b> dropped
            {time && `, in ${time}`}
            {matching !== undefined && `: all flows of the ${matching} that the filter matches`}
          </>
        )}
        {traffic.lost > 0 && `, ${traffic.lost} events were lost`}
        {traffic.endless > 0 && `, ${traffic.endless} flows name no ends`}
        <span role="status">
          {trouble !== undefined && <span class="state bad"> {trouble}</span>}
          {live && trouble === undefined && connection === 'open' && <span class="state good"> live</span>}
          {connection === 'over' && (
            <span class="state bad">
              {' '}
              The program that served this page has ended. Open the address that the new one printed. What you
              see is old.
            </span>
          )}
          {connection === 'lost' && (
            <span class="state bad"> connection lost; trying again. What you see is old.</span>
          )}
        </span>
      </p>
      <p class="muted">
        A flow is no packet: Hubble tells a packet at each point of its way. One that is dropped may first
        count as forwarded, and twice as dropped.
      </p>
      {trial && <TrialHead trial={trial} />}
    </header>
  );
}

/** The ends with the most flows and drops, and the edges between them. */
function busiest(shown: ReturnType<typeof cut>): Pick<ReturnType<typeof cut>, 'nodes' | 'edges'> {
  if (shown.nodes.length <= DRAWN) return shown;
  const weights = new Map<string, number>();
  for (const { client, server, flows, dropped, fate } of shown.edges)
    for (const id of [client, server])
      weights.set(id, (weights.get(id) ?? 0) + flows + 10 * (fate ? changedFlows(fate) : dropped));
  const kept = new Set(
    [...weights]
      .sort(([, a], [, b]) => b - a)
      .slice(0, DRAWN)
      .map(([id]) => id),
  );
  return {
    nodes: shown.nodes.filter(({ id }) => kept.has(id)),
    edges: shown.edges.filter(({ client, server }) => kept.has(client) && kept.has(server)),
  };
}

/** Why nothing is shown: that nothing is there never means that nothing went wrong. */
function nothingShown({ flows }: Shown, isFiltered: boolean, isPeriod: boolean): string | undefined {
  if (flows > 0 || !(isFiltered || isPeriod)) return undefined;
  if (!isFiltered) return 'No flow is of this part of the time.';
  return `Nothing matches this filter${isPeriod ? ' in this part of the time' : ''}.`;
}

function useFilter(
  source: string,
  report: TrafficReport,
  setTest: (test: (() => EdgeTest) | undefined) => void,
  setProblem: (problem: string) => void,
): void {
  useEffect(() => {
    let old = false;
    const compiled = compile(source.trim(), report);
    void compiled.then(
      (test) => {
        if (old) return;
        setTest(test && (() => test));
        setProblem('');
      },
      (error: unknown) => {
        if (old) return;
        setTest(undefined);
        setProblem(problemText(error));
      },
    );
    return () => {
      old = true;
    };
  }, [source, report, setTest, setProblem]);
}

/** What is wrong with a filter, and what would be right. */
function problemText(error: unknown): string {
  const text = (error instanceof Error ? error.message : String(error)).replace(/^--where: /, '');
  return error instanceof UserError && error.hint ? `${text}\n${error.hint}` : text;
}

/** Words, and what is printed as it stands, are looked for there; all else is an expression. */
async function compile(text: string, { traffic, fixes }: TrafficReport): Promise<EdgeTest | undefined> {
  if (text === '') return undefined;
  const words = wordsTest(text, fixes);
  return isWords(text) || edgesOf(traffic).some(words) ? words : compileEdgeFilter(text);
}

/** What is looked at. When it is closed, the reader is back where the look began. */
function useChoice(): [Chosen | undefined, (next: Chosen | undefined) => void] {
  const [chosen, setChosen] = useState<Chosen>();
  const opener = useRef<Element>(null);
  const choose = useCallback((next: Chosen | undefined) => {
    const active = document.activeElement;
    if (next && !active?.closest('.panel')) opener.current = active;
    setChosen(next);
    const back = opener.current;
    if (!next && (back instanceof HTMLElement || back instanceof SVGElement))
      back.focus({ preventScroll: true });
  }, []);
  return [chosen, choose];
}

function useKeys(input: { readonly current: HTMLInputElement | null }, close: () => void): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLInputElement;
      if (event.key === 'Escape') {
        close();
        input.current?.blur();
      } else if (event.key === '/' && !typing) {
        event.preventDefault();
        input.current?.focus();
      }
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, [input, close]);
}
