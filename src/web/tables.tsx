import type { ComponentChildren } from 'preact';
import type { Count, Drop, TrafficEdge, TrafficNode } from '../model/traffic.ts';
import type { Fix } from '../model/traffic-report.ts';
import { milliseconds, nodeText, POLICY_REASONS } from '../render/hubble/traffic.ts';
import { IN_ALL, whyDropped } from '../render/hubble/traffic-findings.ts';
import { edgeKey } from '../render/hubble/traffic-layout.ts';
import type { Chosen } from './panel.tsx';

interface TablesProps {
  nodes: readonly TrafficNode[];
  edges: readonly TrafficEdge[];
  fixes: readonly Fix[];
  /** What is said where there are no drops. */
  empty: string;
  onChoose: (chosen: Chosen) => void;
}

const MOST_ROWS = 25;
const MOST_NAMESPACES = 24;
/** Heads of columns of numbers, which stand at the right. */
const NUMBERS: ReadonlySet<string> = new Set(['flows', 'answers', '4xx', '5xx', 'p50', 'p99']);

/** What stands out, as tables: drops first, because that is what people come for. */
export function Tables({ nodes, edges, fixes, empty, onChoose }: TablesProps) {
  const names = new Map(nodes.map((node) => [node.id, nodeText(node)]));
  const name = (id: string) => names.get(id) ?? 'unknown';
  const link = (edge: TrafficEdge) => (
    <button type="button" class="link clamped" onClick={() => onChoose({ kind: 'edge', key: edgeKey(edge) })}>
      {name(edge.client)} → {name(edge.server)}
    </button>
  );
  return (
    <div class="tables">
      <Drops edges={edges} fixes={fixes} empty={empty} link={link} />
      <Talkers edges={edges} link={link} />
      <Matrix nodes={nodes} edges={edges} />
      <HttpTable edges={edges} link={link} />
      <DnsTable edges={edges} name={name} />
    </div>
  );
}

/** A button that looks at an edge. */
export type Link = (edge: TrafficEdge) => ComponentChildren;

export function Table({
  title,
  heads,
  rows,
  empty,
  note,
  most = MOST_ROWS,
}: {
  title: string;
  heads: readonly string[];
  rows: readonly ComponentChildren[];
  empty?: string;
  /** Said below the rows. */
  note?: string;
  most?: number;
}) {
  if (rows.length === 0 && empty === undefined) return null;
  return (
    <section>
      <h2>{title}</h2>
      {rows.length === 0 ? (
        <p class="muted">{empty}</p>
      ) : (
        <div class="scroll">
          <table class="cards" style={headNames(heads)}>
            <thead>
              <tr>
                {heads.map((head) => (
                  <th key={head} scope="col" class={NUMBERS.has(head) ? 'number' : ''}>
                    {head}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>{rows.slice(0, most)}</tbody>
          </table>
        </div>
      )}
      {note && <p class="muted">{note}</p>}
      {rows.length > most && <p class="muted">{rows.length - most} more</p>}
    </section>
  );
}

/** Where there is no room for columns each cell says the name of its own: `--head-1: "flows"`. */
function headNames(heads: readonly string[]): Record<string, string> {
  return Object.fromEntries(heads.map((head, i) => [`--head-${i + 1}`, JSON.stringify(head && `${head}: `)]));
}

/** A name with underscores, which can be broken there. */
export function Reason({ name }: { name: string }) {
  const [first, ...rest] = name.split('_');
  return (
    <>
      {first}
      {rest.map((part, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: parts have no other name, and stay where they are
        <span key={i}>
          <wbr />_{part}
        </span>
      ))}
    </>
  );
}

interface DropsProps {
  edges: readonly TrafficEdge[];
  fixes: readonly Fix[];
  empty: string;
  link: Link;
}

function Drops({ edges, fixes, empty, link }: DropsProps) {
  const drops = edges
    .filter(({ dropped }) => dropped > 0)
    .flatMap((edge) =>
      edge.drops.map((drop, i): { edge: TrafficEdge; drop: Drop; i: number } => ({ edge, drop, i })),
    )
    .filter(({ drop }) => drop.flows > 0)
    .sort((a, b) => b.drop.flows - a.drop.flows);
  const rows = drops.map(({ edge, drop, i }) => {
    const fix = fixes.find(
      (each) => each.client === edge.client && each.server === edge.server && each.drop === i,
    );
    return (
      <tr key={`${edgeKey(edge)} ${i}`}>
        <td class="number">{drop.flows}</td>
        <td class="bad">
          {drop.isWhole && <span class="muted">{IN_ALL} </span>}
          <Reason name={drop.reason} />
          {POLICY_REASONS[drop.reason] && <span class="muted"> {POLICY_REASONS[drop.reason]}</span>}
        </td>
        <td>{link(edge)}</td>
        <td>
          {drop.port} {drop.direction}
        </td>
        <td>{whyDropped(drop, fix)}</td>
        <td>
          {fix?.yaml !== undefined && (
            <details>
              <summary>policy</summary>
              <pre class="yaml">{fix.yaml}</pre>
            </details>
          )}
        </td>
      </tr>
    );
  });
  return (
    <Table
      title="Drops"
      heads={['flows', 'reason', 'who', 'port', 'decided by', 'what would allow it']}
      rows={rows}
      empty={empty}
    />
  );
}

function Talkers({ edges, link }: { edges: readonly TrafficEdge[]; link: Link }) {
  const rows = edges
    .toSorted((a, b) => b.flows - a.flows)
    .map((edge) => (
      <tr key={edgeKey(edge)}>
        <td class="number">{edge.flows}</td>
        <td>{link(edge)}</td>
        <td>{edge.ports.map(({ name }) => name).join(' ')}</td>
        <td class="bad">{edge.dropped > 0 ? `${edge.dropped} dropped` : ''}</td>
      </tr>
    ));
  return <Table title="Top talkers" heads={['flows', 'who', 'ports', '']} rows={rows} />;
}

function Matrix({ nodes, edges }: { nodes: readonly TrafficNode[]; edges: readonly TrafficEdge[] }) {
  const namespaceOf = new Map(
    nodes.map(({ id, namespace, kind }) => [
      id,
      namespace ?? `(${kind === 'entity' ? 'entities' : 'outside'})`,
    ]),
  );
  const all = [...new Set(namespaceOf.values())].sort().slice(0, MOST_NAMESPACES);
  const cells = new Map<string, { flows: number; dropped: number }>();
  for (const { client, server, flows, dropped } of edges) {
    const key = `${namespaceOf.get(client)}\n${namespaceOf.get(server)}`;
    const cell = cells.get(key) ?? { flows: 0, dropped: 0 };
    cells.set(key, { flows: cell.flows + flows, dropped: cell.dropped + dropped });
  }
  if (all.length < 2) return null;
  return (
    <section>
      <h2>Namespaces</h2>
      <div class="scroll">
        <table class="matrix">
          <thead>
            <tr>
              <th scope="col">from \ to</th>
              {all.map((name) => (
                <th key={name} scope="col" class="number">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {all.map((from) => (
              <tr key={from}>
                <th scope="row">{from}</th>
                {all.map((to) => {
                  const cell = cells.get(`${from}\n${to}`);
                  return (
                    <td key={to} class={cell && cell.dropped > 0 ? 'number bad' : 'number'}>
                      {cell ? `${cell.flows}${cell.dropped > 0 ? ` (✕ ${cell.dropped})` : ''}` : ''}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function HttpTable({ edges, link }: { edges: readonly TrafficEdge[]; link: Link }) {
  const sum = (codes: readonly Count[], from: number, to: number) =>
    codes
      .filter(({ name }) => Number(name) >= from && Number(name) < to)
      .reduce((all, { flows }) => all + flows, 0);
  const rows = edges.flatMap((edge) => {
    if (!edge.http || (edge.isPart && edge.http.responses === 0)) return [];
    const { responses, codes, latency } = edge.http;
    return [
      <tr key={edgeKey(edge)}>
        <td>{link(edge)}</td>
        <td class="number">{responses}</td>
        <td class="number">{sum(codes, 400, 500) || ''}</td>
        <td class="number bad">{sum(codes, 500, 600) || ''}</td>
        <td class="number">{latency ? milliseconds(latency.p50) : ''}</td>
        <td class="number">{latency ? milliseconds(latency.p99) : ''}</td>
      </tr>,
    ];
  });
  const isPart = edges.some((edge) => edge.isPart);
  return (
    <Table
      title="HTTP"
      heads={['who', 'answers', '4xx', '5xx', 'p50', 'p99']}
      rows={rows}
      {...(isPart && { note: 'p50 and p99 are of the whole time.' })}
    />
  );
}

function DnsTable({ edges, name }: { edges: readonly TrafficEdge[]; name: (id: string) => string }) {
  const rows = edges.flatMap((edge) =>
    (edge.dns?.failures ?? []).map((failure) => (
      <tr key={`${edgeKey(edge)} ${failure.name}`}>
        <td class="number">{failure.flows}</td>
        <td>{failure.name}</td>
        <td>{name(edge.client)}</td>
      </tr>
    )),
  );
  return <Table title="DNS failures" heads={['answers', 'name', 'asked by']} rows={rows} />;
}
