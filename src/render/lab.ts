import { rowTable, type Table } from './text/blocks.ts';

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
export function labTable(rows: readonly LabRow[]): Table {
  return rowTable(
    ['NAME', 'STATE', 'PID', 'SCENARIO', 'AGENT', 'ENDPOINTS', 'POLICY', 'FLOWS', 'HUBBLE', 'FOLDER'],
    rows.map((row) => [
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
    { keys: 1, extra: [2, 4], isOurs: true },
  );
}
