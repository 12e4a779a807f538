import { LIST_TABLE, tabulate } from './text/table.ts';

/** A running lab. */
export interface LabRow {
  name: string;
  state: string;
  pid: number;
  scenario: string;
  agentVersion: string;
  startedAt: string;
  endpoints: number;
  policyRevision: number;
  /** Flows seen so far. */
  flows: number;
  /** host:port of the Hubble API. */
  hubble: string;
  dir: string;
}

/** One line per lab. */
export function labTable(rows: readonly LabRow[]): string {
  return tabulate(
    [
      ['NAME', 'STATE', 'PID', 'SCENARIO', 'AGENT', 'ENDPOINTS', 'POLICY', 'FLOWS', 'HUBBLE', 'FOLDER'],
      ...rows.map((row) => [
        row.name,
        row.state,
        String(row.pid),
        row.scenario,
        row.agentVersion,
        String(row.endpoints),
        String(row.policyRevision),
        String(row.flows),
        row.hubble,
        row.dir,
      ]),
    ]
      .map((cells) => `${cells.join('\t')}\n`)
      .join(''),
    LIST_TABLE,
  );
}
