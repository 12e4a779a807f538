import { useEffect, useState } from 'preact/hooks';
import { dropMeaning } from '../model/drop-meaning.ts';
import type { Count, Drop, Latency, TrafficEdge, TrafficNode } from '../model/traffic.ts';
import type { Fix, Trial } from '../model/traffic-report.ts';
import { milliseconds, nodeText, POLICY_REASONS } from '../render/hubble/traffic.ts';
import { findingsOf, IN_ALL, whyDropped } from '../render/hubble/traffic-findings.ts';
import { edgeKey } from '../render/hubble/traffic-layout.ts';
import { FateDetails } from './trial.tsx';

/** What is looked at closely. */
export type Chosen = { kind: 'edge'; key: string } | { kind: 'node'; id: string };

interface PanelProps {
  chosen: Chosen;
  nodes: readonly TrafficNode[];
  edges: readonly TrafficEdge[];
  fixes: readonly Fix[];
  trial: Trial | undefined;
  place: { readonly current: HTMLElement | null };
  onChoose: (chosen: Chosen | undefined) => void;
}

/** All that is known of one edge, or the edges of one node. It lies over the page, which stays where it is. */
export function Panel({ chosen, nodes, edges, fixes, trial, place, onChoose }: PanelProps) {
  const name = (id: string) => {
    const node = nodes.find((each) => each.id === id);
    return node ? nodeText(node) : 'unknown';
  };
  const edge = chosen.kind === 'edge' ? edges.find((each) => edgeKey(each) === chosen.key) : undefined;
  const node = chosen.kind === 'node' ? nodes.find(({ id }) => id === chosen.id) : undefined;
  const what = chosen.kind === 'edge' ? chosen.key : chosen.id;
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another choice takes the focus
  useEffect(() => {
    place.current?.focus({ preventScroll: true });
    place.current?.scrollTo(0, 0);
  }, [what]);
  return (
    <aside class="panel" aria-label="Details" tabIndex={-1} ref={place}>
      <button type="button" class="close" aria-label="Close" onClick={() => onChoose(undefined)}>
        ✕
      </button>
      {edge && <EdgeDetails edge={edge} nodes={nodes} name={name} fixes={fixes} trial={trial} />}
      {node && (
        <>
          <h2>{nodeText(node)}</h2>
          <p class="muted">
            {[node.workload ?? node.kind, ...node.services.map((service) => `service ${service}`)].join(', ')}
          </p>
          <Edges
            title="Opens connections to"
            edges={edges.filter(({ client }) => client === node.id)}
            name={({ server }) => name(server)}
            onChoose={onChoose}
          />
          <Edges
            title="Is called by"
            edges={edges.filter(({ server }) => server === node.id)}
            name={({ client }) => name(client)}
            onChoose={onChoose}
          />
        </>
      )}
      {!edge && !node && <p>Not part of what is shown.</p>}
    </aside>
  );
}

interface EdgesProps {
  title: string;
  edges: readonly TrafficEdge[];
  name: (edge: TrafficEdge) => string;
  onChoose: (chosen: Chosen) => void;
}

function Edges({ title, edges, name, onChoose }: EdgesProps) {
  if (edges.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <ul class="plain">
        {edges.map((edge) => (
          <li key={edgeKey(edge)}>
            <button type="button" class="link" onClick={() => onChoose({ kind: 'edge', key: edgeKey(edge) })}>
              {name(edge)}
            </button>{' '}
            {flowsText(edge.flows)}
            {edge.dropped > 0 && <b class="bad">, {edge.dropped} dropped</b>}
          </li>
        ))}
      </ul>
    </>
  );
}

interface EdgeDetailsProps {
  edge: TrafficEdge;
  nodes: readonly TrafficNode[];
  name: (id: string) => string;
  fixes: readonly Fix[];
  trial: Trial | undefined;
}

function EdgeDetails({ edge, nodes, name, fixes, trial }: EdgeDetailsProps) {
  const own = fixes.filter(({ client, server }) => client === edge.client && server === edge.server);
  return (
    <>
      <h2>
        {name(edge.client)} → {name(edge.server)}
      </h2>
      <p>
        {flowsText(edge.flows)}
        {edge.isPart ? '' : `, ${edge.replies} of them answers`}
        {edge.dropped > 0 && <b class="bad">, {edge.dropped} dropped</b>}
      </p>
      {trial && edge.fate && <FateDetails fate={edge.fate} trial={trial} />}
      {trial && edge.drops.length > 0 && <h3>What was dropped</h3>}
      {edge.drops.map((drop, i) =>
        drop.flows === 0 ? null : (
          <DropDetails
            key={`${drop.reason} ${drop.port} ${drop.direction}`}
            drop={drop}
            fix={own.find((fix) => fix.drop === i)}
          />
        ),
      )}
      {findingsOf({ nodes, edges: [edge], fixes: [], firstMs: undefined, lastMs: undefined })
        .filter(({ kind }) => kind !== 'drop')
        .map(({ what, why, seen }) => (
          <div key={what} class="drop">
            <p>
              <b>{what}</b>
            </p>
            <p>{why}</p>
            <p class="muted">{seen}.</p>
          </div>
        ))}
      <Counts title="Ports" counts={edge.ports} />
      <Counts title="Verdicts" counts={edge.verdicts} />
      {edge.dropped > 0 && edge.verdicts.some(({ name }) => name === 'FORWARDED') && (
        <p class="muted">
          A packet can be forwarded at the first point of its way and dropped at the next: FORWARDED does not
          say that it arrived.
        </p>
      )}
      <Counts title="Policies that decided" counts={edge.policies} />
      {edge.http && (
        <>
          <Counts title="HTTP status" counts={edge.http.codes} />
          <Counts title="HTTP requests" counts={edge.http.paths} />
          <LatencyLine latency={edge.http.latency} isPart={edge.isPart} />
        </>
      )}
      {edge.dns && (
        <>
          <p>
            DNS: {edge.dns.queries} queries, {edge.dns.responses} answers
            {edge.isPart && IN_ALL}
          </p>
          <Counts title="DNS failures" counts={edge.dns.failures} />
          <LatencyLine latency={edge.dns.latency} isPart={edge.isPart} />
        </>
      )}
    </>
  );
}

function flowsText(flows: number): string {
  return `${flows} ${flows === 1 ? 'flow' : 'flows'}`;
}

/** Why flows were dropped, who decided it, and what would allow them. */
export function DropDetails({ drop, fix }: { drop: Drop; fix: Fix | undefined }) {
  const meaning = dropMeaning(drop.reason);
  return (
    <div class="drop">
      <p>
        <b class="bad">{drop.reason}</b>
        {POLICY_REASONS[drop.reason] && ` (${POLICY_REASONS[drop.reason]})`} {drop.direction} {drop.port}:{' '}
        {flowsText(drop.flows)}
        {drop.isWhole && IN_ALL}
      </p>
      <p>{whyDropped(drop, fix)}</p>
      {meaning?.look && (
        <p class="muted">
          Look at <code>cilium {meaning.look.verb}</code>: {meaning.look.at}.
        </p>
      )}
      {fix && <FixDetails fix={fix} />}
      {drop.example && (
        <details>
          <summary>A flow</summary>
          <pre>{JSON.stringify(drop.example, undefined, 2)}</pre>
        </details>
      )}
    </div>
  );
}

/** Copies a text, and says whether that worked: a browser may refuse it. */
function CopyButton({ text }: { text: string }) {
  const [answer, setAnswer] = useState('Copy');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setAnswer('Copied');
    } catch {
      setAnswer('The browser does not let it be copied: mark the text');
    }
  };
  return (
    <button type="button" aria-live="polite" onClick={() => void copy()}>
      {answer}
    </button>
  );
}

/** The policy that would allow it, or why there is none. */
export function FixDetails({ fix }: { fix: Fix }) {
  const { yaml } = fix;
  if (yaml === undefined) return <p class="muted">{fix.remarks.join(' ')}</p>;
  return (
    <details>
      <summary>What would allow it</summary>
      <p>It is added beside the policies that are there, and changes none of them.</p>
      {fix.remarks.map((remark) => (
        <p key={remark}>{remark}</p>
      ))}
      <CopyButton text={yaml} />
      <pre class="yaml">{yaml}</pre>
    </details>
  );
}

function Counts({
  title,
  counts,
}: {
  title: string;
  counts: readonly (Count & { dropped?: number; denied?: number })[];
}) {
  if (counts.length === 0) return null;
  return (
    <>
      <h3>
        {title}
        {counts.some(({ isWhole }) => isWhole) && IN_ALL}
      </h3>
      <table>
        <tbody>
          {counts.map(({ name, flows, dropped, denied }) => (
            <tr key={name}>
              <td>{name}</td>
              <td class="number">{flows}</td>
              <td class="bad">{dropped ? `${dropped} dropped` : denied ? `${denied} denied` : ''}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function LatencyLine({ latency, isPart }: { latency: Latency | undefined; isPart: true | undefined }) {
  if (!latency) return null;
  const { p50, p90, p99, most } = latency;
  return (
    <p class="muted">
      Latency{isPart && IN_ALL}: p50 {milliseconds(p50)}, p90 {milliseconds(p90)}, p99 {milliseconds(p99)},
      most {milliseconds(most)}
    </p>
  );
}
