import type { Traffic, TrafficEdge, TrafficNode } from '../../model/traffic.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { nodeText } from './traffic.ts';

/** Names of nodes in the language of a graph, which are numbers: names from a cluster are in quotes alone. */
function numbers(nodes: readonly TrafficNode[]): (id: string) => string {
  const byId = new Map(nodes.map(({ id }, i) => [id, `n${i}`]));
  return (id) => byId.get(id) ?? 'unknown';
}

function edgeLabel({ ports, flows, dropped }: TrafficEdge): string {
  const port = ports.length > 1 ? `${ports[0]?.name} +${ports.length - 1}` : (ports[0]?.name ?? '');
  return `${port} ${flows}${dropped > 0 ? `, ${dropped} dropped` : ''}`;
}

/** Nodes by namespace; undefined holds those outside of any. */
function byNamespace(nodes: readonly TrafficNode[]) {
  return [...Map.groupBy(nodes, ({ namespace }) => namespace)].sort(([a = '\uffff'], [b = '\uffff']) =>
    a < b ? -1 : 1,
  );
}

/** A text in quotes of DOT: only `"` and `\` have a meaning there (https://graphviz.org/doc/info/lang.html). */
function dotText(text: string): string {
  return `"${sanitizeCell(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** A graph for Graphviz. */
export function renderTrafficDot({ nodes, edges }: Traffic): string {
  const name = numbers(nodes);
  const lines = ['digraph traffic {', '  rankdir=LR;', '  node [shape=box, style=rounded];'];
  for (const [i, [namespace, members]] of byNamespace(nodes).entries()) {
    const own = members.map((node) => `${name(node.id)} [label=${dotText(labelOf(node))}];`);
    if (namespace === undefined) lines.push(...own.map((line) => `  ${line}`));
    else
      lines.push(
        `  subgraph cluster_${i} {`,
        `    label=${dotText(namespace)};`,
        ...own.map((line) => `    ${line}`),
        '  }',
      );
  }
  for (const edge of edges) {
    const look = edge.dropped > 0 ? ', color=red, fontcolor=red' : '';
    lines.push(`  ${name(edge.client)} -> ${name(edge.server)} [label=${dotText(edgeLabel(edge))}${look}];`);
  }
  return `${[...lines, '}'].join('\n')}\n`;
}

/**
 * A text in quotes of Mermaid, where characters that could end it or be markup are written as entities, which
 * https://mermaid.js.org/syntax/flowchart.html has with `#` in front.
 */
function mermaidText(text: string): string {
  const safe = sanitizeCell(text).replace(/[^\p{L}\p{N} ./:_()+,-]/gu, (c) => `#${c.codePointAt(0)};`);
  return `"${safe}"`;
}

/** A flowchart for Mermaid, as Markdown of GitHub and GitLab shows it. */
export function renderTrafficMermaid({ nodes, edges }: Traffic): string {
  const name = numbers(nodes);
  const lines = ['flowchart LR'];
  for (const [i, [namespace, members]] of byNamespace(nodes).entries()) {
    const own = members.map((node) => `${name(node.id)}[${mermaidText(labelOf(node))}]`);
    if (namespace === undefined) lines.push(...own.map((line) => `  ${line}`));
    else
      lines.push(`  subgraph s${i}[${mermaidText(namespace)}]`, ...own.map((line) => `    ${line}`), '  end');
  }
  const bad: number[] = [];
  for (const [i, edge] of edges.entries()) {
    if (edge.dropped > 0) bad.push(i);
    lines.push(`  ${name(edge.client)} -->|${mermaidText(edgeLabel(edge))}| ${name(edge.server)}`);
  }
  if (bad.length > 0) lines.push(`  linkStyle ${bad.join(',')} stroke:#c00,color:#c00`);
  return `${lines.join('\n')}\n`;
}

/** In the box of its namespace a node needs no namespace in its name. */
function labelOf(node: TrafficNode): string {
  return nodeText({ ...node, namespace: undefined });
}
