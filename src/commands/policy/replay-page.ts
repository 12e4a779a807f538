import { mapTaker } from '../../cli/policy/flows-on-map.ts';
import { TrafficCounter } from '../../hubble/views/traffic/counter.ts';
import type { TrafficReport, Trial } from '../../model/traffic-report.ts';
import { fateOf } from '../../policy/reports/fates.ts';
import type { FlowTable, Found, Observed } from '../../policy/reports/flow-table.ts';
import type { Outcome, ReplayReport } from '../../policy/reports/replay.ts';
import type { PageParts } from '../../render/html/shell.ts';
import { renderReportPage } from '../../render/html/traffic-page.ts';
import { VERSION } from '../../version.ts';

/** Ends and edges that the page has room for; those with the fewest flows are counted as others. */
const BOUNDS = { nodes: 500, edges: 2000 };

/** Changes of each kind that the page holds, those with the most flows: what is printed has all. */
const MOST_CHANGES = 1000;

/** What a page about a replay says of its sources. */
interface Sources {
  candidate: string;
  /** Rules that were compared with; undefined where the flows' own verdicts were. */
  current: string | undefined;
  flows: string;
  made: Date;
}

/** The map of the flows of a replay, with what would become of them. */
export class ReplayMap {
  readonly #counter = new TrafficCounter<Found>();
  readonly #outcomes = new Map<Observed, Outcome>();

  /** Takes flows for the table and the map. */
  taker(table: FlowTable): ReturnType<typeof mapTaker> {
    return mapTaker(table, this.#counter);
  }

  /** Takes what became of a connection. */
  readonly tell = (observed: Observed, outcome: Outcome): void => {
    this.#outcomes.set(observed, outcome);
  };

  /** The page, as HTML. */
  render(report: ReplayReport, { candidate, current, flows, made }: Sources, parts: PageParts): string {
    const listed = Map.groupBy(report.changes, ({ change }) => change)
      .values()
      .flatMap((changes) => changes.slice(0, MOST_CHANGES))
      .toArray();
    const numbers = new Map(listed.map((change, i) => [change, i]));
    const comparedWith = current === undefined ? 'flows' : 'rules';
    const traffic = this.#counter.snapshot(BOUNDS, (marks) =>
      fateOf(marks, this.#outcomes, numbers, comparedWith),
    );
    const { connections, allowed, denied, undecided, unsaid } = report;
    const trial: Trial = {
      candidate,
      comparedWith: current === undefined ? 'the verdicts in the flows' : `the rules of ${current}`,
      connections,
      allowed,
      denied,
      undecided: undecided.map(({ reason: name, flows: count }) => ({ name, flows: count })),
      uncompared: unsaid,
      changes: listed.map(({ rules: _, example: __, ...change }) => change),
      unlisted: report.changes.length - listed.length,
    };
    const page: TrafficReport = {
      title: `What ${candidate} would change`,
      source: flows,
      where: '',
      made: made.toISOString(),
      version: VERSION,
      traffic,
      fixes: [],
      live: false,
      trouble: undefined,
      trial,
    };
    return renderReportPage(page, parts);
  }
}
