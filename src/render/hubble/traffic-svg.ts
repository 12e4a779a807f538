import type { Traffic, TrafficNode } from '../../model/traffic.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { nodeText } from './traffic.ts';
import { placeLabels } from './traffic-labels.ts';
import { type Box, edgeKey, layOut, pathOf } from './traffic-layout.ts';

const NAME_LETTERS = 23;
/** Colours that people with each kind of colour blindness tell apart; drops are dashed as well. */
const STYLE = `text{font:12px sans-serif;fill:#16202a}.small{font-size:10px;fill:#5a6875}
.box{fill:#fff;stroke:#5a6875}.space{fill:#f4f6f8;stroke:#d5dbe1}
.edge{fill:none;stroke:#0072b2}.bad{stroke:#c24a00;stroke-dasharray:7 4}.drops{font-size:10px;fill:#c24a00;paint-order:stroke;stroke:#fff;stroke-width:3px}`;

/** Text of XML, without the characters that XML cannot hold. */
function xml(text: string): string {
  return sanitizeCell(text.toWellFormed())
    .replace(/[\u0000-\u001f\ufffe\uffff]/g, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

const rect = ({ x, y, width, height }: Box, name: string) =>
  `<rect class="${name}" x="${x - width / 2}" y="${y - height / 2}" width="${width}" height="${height}" rx="6"/>`;

/** The map as an SVG picture, which any browser and most documents show. */
export function renderTrafficSvg({ nodes, edges }: Traffic): string {
  const layout = layOut(nodes, edges);
  const most = Math.max(1, ...edges.map(({ flows }) => flows));
  const size = `${Math.ceil(layout.width)} ${Math.ceil(layout.height)}`;
  const labels = edges
    .filter(({ dropped }) => dropped > 0)
    .map((edge) => ({ key: edgeKey(edge), text: `${edge.dropped} dropped`, isNeeded: true }));
  const places = placeLabels(labels, layout);
  const known = new Map(nodes.map((node) => [node.id, nodeText(node)]));
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size}" width="${Math.ceil(layout.width)}" height="${Math.ceil(layout.height)}">`,
    `<style>${STYLE}</style>`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="#5a6875"/></marker></defs>',
    ...[...layout.namespaces].map(
      ([name, box]) =>
        `${rect(box, 'space')}<text class="small" x="${box.x - box.width / 2 + 8}" y="${box.y - box.height / 2 + 14}">${xml(name)}</text>`,
    ),
    ...edges.map((edge) => {
      const points = layout.edges.get(edgeKey(edge)) ?? [];
      const width = (1 + (4 * Math.log1p(edge.flows)) / Math.log1p(most)).toFixed(1);
      const title = `${known.get(edge.client) ?? ''} to ${known.get(edge.server) ?? ''}: ${edge.flows} flows, ${edge.dropped} dropped`;
      return `<g><title>${xml(title)}</title><path class="edge${edge.dropped > 0 ? ' bad' : ''}" d="${pathOf(points)}" stroke-width="${width}" marker-end="url(#arrow)"/></g>`;
    }),
    ...labels.flatMap(({ key, text }) => {
      const place = places.get(key);
      return place
        ? `<text class="drops" x="${place.x.toFixed(1)}" y="${place.y.toFixed(1)}" text-anchor="middle">${text}</text>`
        : [];
    }),
    ...nodes.map((node) => nodePart(node, layout.nodes.get(node.id))),
    '</svg>',
  ];
  return `${lines.join('\n')}\n`;
}

function nodePart(node: TrafficNode, box: Box | undefined): string {
  if (!box) return '';
  const text = (y: number, what: string, small: boolean) =>
    `<text${small ? ' class="small"' : ''} x="${box.x}" y="${y}" text-anchor="middle">${xml(clip(what))}</text>`;
  return `<g><title>${xml(nodeText(node))}</title>${rect(box, 'box')}${text(box.y - 2, nodeText({ ...node, namespace: undefined }), false)}${text(box.y + 12, node.workload ?? node.kind, true)}</g>`;
}

function clip(text: string): string {
  const points = [...text];
  return points.length > NAME_LETTERS ? `${points.slice(0, NAME_LETTERS - 1).join('')}…` : text;
}
