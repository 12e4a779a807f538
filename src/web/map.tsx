import { select } from 'd3-selection';
import { type ZoomTransform, zoom, zoomIdentity, zoomTransform } from 'd3-zoom';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { TrafficEdge, TrafficNode } from '../model/traffic.ts';
import { nodeText } from '../render/hubble/traffic.ts';
import { type Label, placeLabels } from '../render/hubble/traffic-labels.ts';
import {
  type Box,
  edgeKey,
  type Layout,
  layOut,
  type Point,
  pathOf,
} from '../render/hubble/traffic-layout.ts';
import type { Chosen } from './panel.tsx';
import { lookOf } from './trial.tsx';

interface MapProps {
  nodes: readonly TrafficNode[];
  edges: readonly TrafficEdge[];
  chosen: Chosen | undefined;
  /** The details, which may cover a part of the map. */
  panel: { readonly current: HTMLElement | null };
  onChoose: (chosen: Chosen | undefined) => void;
}

/** How wide a letter is, at most of them. */
const LETTER = 7.3;
/** Names of ports are drawn as long as there are no more edges. */
const LABELLED_EDGES = 60;
const ZOOM_STEP = 1.3;
/** A telephone has more height than width. */
const WAY = window.innerWidth < 760 ? 'down' : 'right';
/** The scale at which names can be read; there, what does not fit is moved to. */
const READABLE = WAY === 'down' ? 0.67 : 0;

/** Who talks to whom, drawn. */
export function TrafficMap({ nodes, edges, chosen, panel, onChoose }: MapProps) {
  const view = useRef<HTMLDivElement>(null);
  const stage = useRef<SVGSVGElement>(null);
  // Counts change all the time; where things stand only with what there is.
  const shape = [...nodes.map(({ id }) => id), ...edges.map(edgeKey)].join('\n');
  // biome-ignore lint/correctness/useExhaustiveDependencies: the shape says all that the layout depends on
  const layout = useMemo(() => layOut(nodes, edges, WAY), [shape]);
  const zoomed = useZoom(view, stage, layout, focusOf(chosen, edges, layout), chosen, panel);
  const labels = edges.map((edge) => labelOf(edge, edges.length <= LABELLED_EDGES));
  // Another count is another text; where it stands changes only with its length.
  const lengths = labels.map(({ text }) => text.length).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: lengths say all that places depend on
  const places = useMemo(() => placeLabels(labels, layout), [layout, lengths]);
  const known = new Map(nodes.map((node) => [node.id, node]));
  const near = nearOf(chosen, edges);
  const most = Math.max(1, ...edges.map(({ flows }) => flows));
  return (
    <div class="map">
      <div class="view" ref={view}>
        <svg
          ref={stage}
          width={layout.width}
          height={layout.height}
          aria-label={`Map of ${nodes.length} ends of traffic`}
        >
          <defs>
            <marker
              id="arrow"
              viewBox="0 0 8 8"
              refX="7"
              refY="4"
              markerWidth="7"
              markerHeight="7"
              markerUnits="userSpaceOnUse"
              orient="auto"
            >
              <path d="M0,0 L8,4 L0,8 z" />
            </marker>
          </defs>
          {[...layout.namespaces].map(([name, box]) => (
            <Namespace key={name} name={name} box={box} />
          ))}
          {edges.toSorted(byDrops).map((edge) => (
            <Edge
              key={edgeKey(edge)}
              edge={edge}
              points={layout.edges.get(edgeKey(edge)) ?? []}
              name={`${nameOf(known.get(edge.client))} to ${nameOf(known.get(edge.server))}`}
              width={1 + (4 * Math.log1p(edge.flows)) / Math.log1p(most)}
              faded={near !== undefined && !near.edges.has(edgeKey(edge))}
              chosen={chosen?.kind === 'edge' && chosen.key === edgeKey(edge)}
              onChoose={onChoose}
            />
          ))}
          {labels.map(({ key, text, look }) => {
            const place = places.get(key);
            return (
              place && (
                <text
                  key={key}
                  class={classes('label', look, near !== undefined && !near.edges.has(key) && 'faded')}
                  x={place.x}
                  y={place.y}
                >
                  {text}
                </text>
              )
            );
          })}
          {nodes.map((node) => (
            <Node
              key={node.id}
              node={node}
              box={layout.nodes.get(node.id)}
              bad={edges.some(
                ({ client, server, dropped, fate }) =>
                  (fate?.newlyDenied ?? dropped) > 0 && (client === node.id || server === node.id),
              )}
              faded={near !== undefined && !near.nodes.has(node.id)}
              chosen={chosen?.kind === 'node' && chosen.id === node.id}
              onChoose={onChoose}
            />
          ))}
        </svg>
      </div>
      <div class="zoom">
        <button type="button" aria-label="Zoom in" onClick={() => zoomed.by(ZOOM_STEP)}>
          +
        </button>
        <button type="button" aria-label="Zoom out" onClick={() => zoomed.by(1 / ZOOM_STEP)}>
          −
        </button>
        <button type="button" aria-label="Show all" onClick={zoomed.showAll}>
          ⤢
        </button>
      </div>
    </div>
  );
}

/** Where to look first where the whole would be too small to read: at what is chosen, else where most was dropped. */
function focusOf(
  chosen: Chosen | undefined,
  edges: readonly TrafficEdge[],
  layout: Layout,
): Point | undefined {
  if (chosen?.kind === 'node') return layout.nodes.get(chosen.id);
  const worst = edges.toSorted((a, b) => b.dropped - a.dropped)[0];
  const points = layout.edges.get(chosen?.key ?? (worst ? edgeKey(worst) : ''));
  return points?.[Math.floor(points.length / 2)];
}

/**
 * Panning and zooming move the whole drawing. It has a layer of its own, by `translate3d`, and is moved by whole pixels: so a
 * browser moves what it has drawn, and draws anew where the scale is another one alone.
 */
function useZoom(
  view: { readonly current: HTMLDivElement | null },
  stage: { readonly current: SVGSVGElement | null },
  { width, height }: Layout,
  focus: Point | undefined,
  chosen: Chosen | undefined,
  panel: { readonly current: HTMLElement | null },
) {
  /** Whoever moved the map wants it to stay. */
  const moved = useRef(false);
  const behaviour = useMemo(() => zoom<HTMLDivElement, unknown>().scaleExtent([0.05, 4]), []);
  const show = (least: number) => {
    const element = view.current;
    if (!element || width === 0) return;
    const { clientWidth, clientHeight } = element;
    const scale = Math.max(least, Math.min(1.2, clientWidth / width, clientHeight / height));
    const shift = zoomIdentity
      .translate(
        offsetOf(clientWidth, width * scale, focus && focus.x * scale),
        offsetOf(clientHeight, height * scale, focus && focus.y * scale),
      )
      .scale(scale);
    select(element).call(behaviour.transform, shift);
  };
  const showAll = () => show(0);
  useEffect(() => {
    const element = view.current;
    if (!element) return;
    let scale = 0;
    behaviour.on('zoom', ({ transform, sourceEvent }: { transform: ZoomTransform; sourceEvent: unknown }) => {
      const { x, y, k } = transform;
      if (sourceEvent && k !== scale) element.classList.add('zooming');
      scale = k;
      if (stage.current)
        stage.current.style.transform = `translate3d(${Math.round(x)}px, ${Math.round(y)}px, 0) scale(${k})`;
      if (sourceEvent) moved.current = true;
    });
    behaviour.on('end', () => element.classList.remove('zooming'));
    select(element).call(behaviour).on('dblclick.zoom', null);
  }, [view, stage, behaviour]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another size of the map asks for another view
  useEffect(() => {
    moved.current = false;
    show(READABLE);
    const observer = new ResizeObserver(() => {
      if (!moved.current) show(READABLE);
    });
    if (view.current) observer.observe(view.current);
    return () => observer.disconnect();
  }, [width, height]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another focus asks for another view
  useEffect(() => {
    if (READABLE > 0 && !moved.current) show(READABLE);
  }, [focus?.x, focus?.y]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another choice moves the map
  useEffect(() => {
    const element = view.current;
    if (!element) return;
    const free = chosen && besideOf(panel.current, element, zoomTransform(element));
    if (free) select(element).call(behaviour.transform, free);
    else if (!chosen && !moved.current) show(READABLE);
  }, [chosen]);
  return {
    showAll,
    by: (factor: number) => {
      moved.current = true;
      if (view.current) select(view.current).call(behaviour.scaleBy, factor);
    },
  };
}

/** Room between what is looked at and the details beside it. */
const APART = 16;

/** Where the map is to be so that the details at its right do not cover what they are of; undefined where they do not. */
function besideOf(
  panel: Element | null,
  view: Element,
  { x, y, k }: ZoomTransform,
): ZoomTransform | undefined {
  const looked = [...view.querySelectorAll('.node.chosen rect, .edge.chosen ~ .node:not(.faded) rect')];
  const boxes = looked.map((each) => each.getBoundingClientRect());
  const end = panel?.getBoundingClientRect().left ?? 0;
  const at = view.getBoundingClientRect();
  const [left, right] = [
    Math.min(...boxes.map((box) => box.left)),
    Math.max(...boxes.map((box) => box.right)),
  ];
  if (boxes.length === 0 || end <= at.left || right + APART <= end) return undefined;
  const room = end - at.left - 2 * APART;
  const scale = Math.min(1, room / (right - left));
  // As far to the left as is needed; what stands in the middle of its height stays there.
  const toX = scale < 1 ? APART : room + APART - (right - left);
  const fromY =
    (Math.min(...boxes.map((box) => box.top)) + Math.max(...boxes.map((box) => box.bottom))) / 2 - at.top;
  return zoomIdentity
    .translate(toX - scale * (left - at.left - x), fromY - scale * (fromY - y))
    .scale(scale * k);
}

/** Where a side of the map begins, so that it is in the middle, or its focus as near to the middle as its ends allow. */
function offsetOf(room: number, size: number, focus: number | undefined): number {
  if (size <= room || focus === undefined) return (room - size) / 2;
  return Math.min(0, Math.max(room - size, room / 2 - focus));
}

/** What stays bright when something is chosen. */
function nearOf(chosen: Chosen | undefined, edges: readonly TrafficEdge[]) {
  if (!chosen) return undefined;
  const near = edges.filter((edge) =>
    chosen.kind === 'edge'
      ? edgeKey(edge) === chosen.key
      : edge.client === chosen.id || edge.server === chosen.id,
  );
  const ends = near.flatMap(({ client, server }) => [client, server]);
  return {
    edges: new Set(near.map(edgeKey)),
    nodes: new Set(chosen.kind === 'node' ? [...ends, chosen.id] : ends),
  };
}

function nameOf(node: TrafficNode | undefined): string {
  return node ? nodeText(node) : 'unknown';
}

function Namespace({ name, box }: { name: string; box: Box }) {
  const { x, y, width, height } = box;
  return (
    <g class="namespace">
      <rect x={x - width / 2} y={y - height / 2} width={width} height={height} rx={8} />
      <text x={x - width / 2 + 8} y={y - height / 2 + 14}>
        {clip(name, Math.floor(width / 7))}
      </text>
    </g>
  );
}

interface NodeProps {
  node: TrafficNode;
  box: Box | undefined;
  bad: boolean;
  faded: boolean;
  chosen: boolean;
  onChoose: (chosen: Chosen) => void;
}

function Node({ node, box, bad, faded, chosen, onChoose }: NodeProps) {
  if (!box) return null;
  const { x, y, width, height } = box;
  const choose = () => onChoose({ kind: 'node', id: node.id });
  const name = nodeText({ ...node, namespace: undefined });
  const letters = Math.floor(width / LETTER);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a button cannot be part of an SVG
    <g
      class={classes('node', node.kind, bad && 'bad', faded && 'faded', chosen && 'chosen')}
      role="button"
      tabindex={0}
      aria-label={nodeText(node)}
      onClick={choose}
      onKeyDown={onEnter(choose)}
    >
      <title>{nodeText(node)}</title>
      <rect
        x={x - width / 2}
        y={y - height / 2}
        width={width}
        height={height}
        rx={node.kind === 'address' || node.kind === 'name' ? 20 : 6}
      />
      <text x={x} y={y - 2}>
        {clip(name, letters)}
      </text>
      <text class="kind" x={x} y={y + 12}>
        {clip(node.workload ?? node.kind, letters)}
      </text>
    </g>
  );
}

/** Edges that dropped something lie over the others, where they can be clicked. */
function byDrops(a: TrafficEdge, b: TrafficEdge): number {
  return Number(lookOf(a).look !== '') - Number(lookOf(b).look !== '');
}

/** What is written beside an edge: its first port where there are few of them, and what went wrong. */
function labelOf(edge: TrafficEdge, isFew: boolean): Label & { look: string } {
  const { look, marks } = lookOf(edge);
  const text = [...(isFew ? [edge.ports[0]?.name ?? ''] : []), ...marks].join(' ');
  return { key: edgeKey(edge), text, isNeeded: marks.length > 0, look };
}

interface EdgeProps {
  edge: TrafficEdge;
  points: readonly Point[];
  name: string;
  width: number;
  faded: boolean;
  chosen: boolean;
  onChoose: (chosen: Chosen) => void;
}

function Edge({ edge, points, name, width, faded, chosen, onChoose }: EdgeProps) {
  const path = pathOf(points);
  const choose = () => onChoose({ kind: 'edge', key: edgeKey(edge) });
  const look = lookOf(edge);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a button cannot be part of an SVG
    <g
      class={classes('edge', look.look, faded && 'faded', chosen && 'chosen')}
      role="button"
      tabindex={0}
      aria-label={`${name}, ${edge.flows} flows, ${look.words}`}
      onClick={choose}
      onKeyDown={onEnter(choose)}
    >
      <title>{`${name}: ${edge.flows} flows, ${look.words}`}</title>
      <path class="target" d={path} />
      <path class="line" d={path} stroke-width={width} marker-end="url(#arrow)" />
    </g>
  );
}

function classes(...names: (string | false)[]): string {
  return names.filter(Boolean).join(' ');
}

function onEnter(act: () => void) {
  return (event: KeyboardEvent) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    act();
  };
}

function clip(text: string, letters: number): string {
  const points = [...text];
  return points.length > letters ? `${points.slice(0, letters - 1).join('')}…` : text;
}
