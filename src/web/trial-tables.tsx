import type { Count, TrafficEdge, TrafficNode } from '../model/traffic.ts';
import type { Trial } from '../model/traffic-report.ts';
import { nodeText } from '../render/hubble/traffic.ts';
import { edgeKey } from '../render/hubble/traffic-layout.ts';
import type { Chosen } from './panel.tsx';
import { Table } from './tables.tsx';
import { KINDS, lookClass } from './trial.tsx';

interface TrialTablesProps {
  trial: Trial;
  nodes: readonly TrafficNode[];
  edges: readonly TrafficEdge[];
  onChoose: (chosen: Chosen) => void;
}

/** Edges that a change is shown with at most. */
const MOST_LINKS = 3;
/** Changes that are listed: the text has all. */
const MOST_CHANGES = 500;

/** All changes with the rules that decide them, and why flows are not decided. */
export function TrialTables({ trial, nodes, edges, onChoose }: TrialTablesProps) {
  const names = new Map(nodes.map((node) => [node.id, nodeText(node)]));
  const edgesOf = new Map<number, TrafficEdge[]>();
  for (const edge of edges)
    for (const { change } of edge.fate?.changes ?? []) {
      const on = edgesOf.get(change) ?? [];
      if (on.length < MOST_LINKS) edgesOf.set(change, [...on, edge]);
    }
  const links = (number: number) =>
    (edgesOf.get(number) ?? []).map((edge) => (
      <div key={edgeKey(edge)}>
        <button type="button" class="link" onClick={() => onChoose({ kind: 'edge', key: edgeKey(edge) })}>
          {names.get(edge.client) ?? 'unknown'} → {names.get(edge.server) ?? 'unknown'}
        </button>
      </div>
    ));
  return (
    <div class="tables">
      {KINDS.slice(0, 2).map(({ look, name }) => (
        <Table
          key={look}
          title={`${name.charAt(0).toUpperCase()}${name.slice(1)}`}
          heads={['flows', 'who', 'port', 'decided by', 'on the map']}
          empty="None."
          most={MOST_CHANGES}
          rows={trial.changes.flatMap((change, number) =>
            lookClass(change) === look
              ? [
                  <tr key={`${change.source} ${change.destination} ${change.port} ${change.reason}`}>
                    <td class="number">{change.flows}</td>
                    <td>
                      {change.source} → {change.destination}
                    </td>
                    <td>
                      {change.port} {change.direction}
                    </td>
                    <td>{change.reason}</td>
                    <td>{links(number)}</td>
                  </tr>,
                ]
              : [],
          )}
        />
      ))}
      {trial.unlisted > 0 && (
        <p class="muted">
          {trial.unlisted} changes of fewer flows are not on this page: what is printed has all.
        </p>
      )}
      <Table
        title="Not decided"
        heads={['flows', 'why']}
        rows={openRows(trial).map(({ name, flows }) => (
          <tr key={name}>
            <td class="number">{flows}</td>
            <td>{name}</td>
          </tr>
        ))}
        empty="All flows were decided."
      />
    </div>
  );
}

function openRows({ undecided, uncompared }: Trial): Count[] {
  const why = 'not compared: no verdict that is known, or a drop without a reason';
  return [...undecided, ...(uncompared > 0 ? [{ name: why, flows: uncompared }] : [])];
}
