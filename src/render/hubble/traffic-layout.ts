import dagre from '@dagrejs/dagre';
import type { TrafficEdge, TrafficNode } from '../../model/traffic.ts';

/** A point of the map, in pixels before zooming. */
export interface Point {
  x: number;
  y: number;
}

/** A box of the map; x and y are its middle. */
export interface Box extends Point {
  width: number;
  height: number;
}

/** Where everything stands. */
export interface Layout {
  nodes: ReadonlyMap<string, Box>;
  namespaces: ReadonlyMap<string, Box>;
  /** By `client server`. */
  edges: ReadonlyMap<string, readonly Point[]>;
  width: number;
  height: number;
}

/** A telephone has room for narrower ones. */
const NODES = { right: { width: 168, height: 40 }, down: { width: 140, height: 40 } } as const;
/** Room around the ends of a namespace, and above them for its name. */
const PADDING = 16;
const TITLE = 20;
const SPACE = { nodesep: 26, ranksep: 90, edgesep: 8 };
/** A label of a port and drops has room between the ends of a namespace, too. */
const INNER_SPACE = { nodesep: 20, ranksep: 90, edgesep: 8 };

/** Edges that dagre is given at once: above it, it gets those that hold all together, the ones with the most flows first. */
const MOST_EDGES = 200;

/** Where edges lead: to the right, or down where there is more height than width. */
export type Way = 'right' | 'down';
/** How far beside a box a line passes. */
const BESIDE = 10;
const MARGIN = { right: 24, down: 12 } as const;
const RANKDIR = { right: 'LR', down: 'TB' } as const;
/** Lines that lead down need less room: their names stand beside them. */
const RANKS = { right: {}, down: { ranksep: 52 } } as const;

/** The key of an edge. */
export function edgeKey({ client, server }: Pick<TrafficEdge, 'client' | 'server'>): string {
  return `${client} ${server}`;
}

/** What is placed as one: the ends of a namespace, or an end outside of any. */
interface Group {
  key: string;
  namespace: string | undefined;
  nodes: readonly TrafficNode[];
}

/** Boxes and lines from 0 on. */
interface Placed {
  boxes: Map<string, Box>;
  lines: Map<string, readonly Point[]>;
  width: number;
  height: number;
}

/**
 * Places ends from left to right along who calls whom: first those of each namespace, then the namespaces as boxes. dagre can
 * place both at once, but takes half a minute for 300 ends, and finds no place for some.
 */
export function layOut(
  nodes: readonly TrafficNode[],
  edges: readonly TrafficEdge[],
  way: Way = 'right',
): Layout {
  if (nodes.length === 0)
    return { nodes: new Map(), namespaces: new Map(), edges: new Map(), width: 0, height: 0 };
  const groups = groupsOf(nodes);
  const groupOf = new Map(
    groups.flatMap(({ key, nodes: own }) => own.map(({ id }): [string, string] => [id, key])),
  );
  const isInner = ({ client, server }: TrafficEdge) => groupOf.get(client) === groupOf.get(server);
  const inner = Map.groupBy(edges.filter(isInner), ({ client }) => groupOf.get(client));
  const parts = new Map(
    groups.map((group) => [group.key, placeInside(group, inner.get(group.key) ?? [], way)]),
  );
  const sizes = new Map(
    groups.map(({ key, namespace }) => {
      const { width = 0, height = 0 } = parts.get(key) ?? {};
      const size = { x: 0, y: 0, width, height };
      return [key, namespace === undefined ? size : framed(size)];
    }),
  );
  const crossing = edges.flatMap(({ client, server, flows }) => {
    const [from, to] = [groupOf.get(client), groupOf.get(server)];
    return from === undefined || to === undefined || from === to ? [] : [{ client: from, server: to, flows }];
  });
  const { boxes, width, height } = placeGroups(sizes, skeleton(crossing), way);
  const layout = {
    nodes: new Map<string, Box>(),
    namespaces: new Map<string, Box>(),
    edges: new Map<string, readonly Point[]>(),
  };
  for (const { key, namespace } of groups) {
    const part = parts.get(key);
    const box = boxes.get(key);
    if (!part || !box) continue;
    if (namespace !== undefined) layout.namespaces.set(namespace, box);
    const left = box.x - part.width / 2;
    const top = box.y - part.height / 2 + (namespace === undefined ? 0 : TITLE / 2);
    const moved = <P extends Point>(point: P): P => ({ ...point, x: point.x + left, y: point.y + top });
    for (const [id, inside] of part.boxes) layout.nodes.set(id, moved(inside));
    for (const [edge, points] of part.lines) layout.edges.set(edge, points.map(moved));
  }
  const boxesBetween = [...layout.nodes.values()];
  for (const edge of edges) {
    const [from, to] = [layout.nodes.get(edge.client), layout.nodes.get(edge.server)];
    if (from && to && !isInner(edge)) layout.edges.set(edgeKey(edge), between(from, to, way, boxesBetween));
  }
  return { ...layout, width, height };
}

/** Places groups beside each other; on the way down what is not connected stands below each other, which is narrower. */
function placeGroups(
  sizes: ReadonlyMap<string, Box>,
  edges: readonly Pair[],
  way: Way,
): Omit<Placed, 'lines'> {
  const placed = { boxes: new Map<string, Box>(), width: 0, height: 0 };
  const parts = way === 'down' ? connected([...sizes.keys()], edges) : [new Set(sizes.keys())];
  for (const keys of parts) {
    const graph = new dagre.graphlib.Graph();
    const margins = { marginx: MARGIN[way], marginy: MARGIN[way] };
    graph.setGraph({ rankdir: RANKDIR[way], ...SPACE, ...RANKS[way], ...margins, ranker: 'tight-tree' });
    graph.setDefaultEdgeLabel(() => ({}));
    for (const key of keys) graph.setNode(key, { ...sizes.get(key) });
    for (const { client, server } of edges) if (keys.has(client)) graph.setEdge(client, server);
    dagre.layout(graph);
    const { width = 0, height = 0 } = graph.graph() as Partial<Box>;
    for (const key of keys) {
      const box = boxOf(graph, key);
      placed.boxes.set(key, { ...box, y: box.y + placed.height });
    }
    placed.width = Math.max(placed.width, width);
    placed.height += height;
  }
  return placed;
}

type Pair = Pick<TrafficEdge, 'client' | 'server'>;

/** What hangs together by edges, in the order of the keys. */
function connected(keys: readonly string[], edges: readonly Pair[]): ReadonlySet<string>[] {
  const partOf = new Map(keys.map((key) => [key, new Set([key])]));
  for (const { client, server } of edges) {
    const [a, b] = [partOf.get(client), partOf.get(server)];
    if (!a || !b || a === b) continue;
    const [more, fewer] = a.size < b.size ? [b, a] : [a, b];
    for (const key of fewer) {
      more.add(key);
      partOf.set(key, more);
    }
  }
  return [...new Set(partOf.values())];
}

function groupsOf(nodes: readonly TrafficNode[]): Group[] {
  const groups = Map.groupBy(nodes, ({ id, namespace }) =>
    namespace === undefined ? `end ${id}` : `in ${namespace}`,
  );
  return [...groups].map(([key, own]) => ({ key, namespace: own[0]?.namespace, nodes: own }));
}

/** A box with room for the name of a namespace. */
function framed({ x, y, width, height }: Box): Box {
  return { x, y, width: width + 2 * PADDING, height: height + 2 * PADDING + TITLE };
}

/** Places the ends of a group: along their own edges, or in rows where there are none. */
function placeInside({ nodes }: Group, edges: readonly TrafficEdge[], way: Way): Placed {
  const node = NODES[way];
  const boxes = new Map<string, Box>();
  const lines = new Map<string, readonly Point[]>();
  const proper = edges.filter(({ client, server }) => client !== server);
  const alone = nodes.filter(({ id }) =>
    proper.every(({ client, server }) => client !== id && server !== id),
  );
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: RANKDIR[way], ...INNER_SPACE, ...RANKS[way], ranker: 'tight-tree' });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id } of nodes) if (!alone.some((each) => each.id === id)) graph.setNode(id, { ...node });
  const drawn = skeleton(proper);
  for (const { client, server } of drawn) graph.setEdge(client, server);
  if (proper.length > 0) dagre.layout(graph);
  const { width: wide = 0, height: high = 0 } = (proper.length > 0 ? graph.graph() : {}) as Partial<Box>;
  for (const name of graph.nodes()) boxes.set(name, boxOf(graph, name));
  const isDrawn = new Set(drawn);
  for (const edge of proper) {
    const [from, to] = [boxes.get(edge.client), boxes.get(edge.server)];
    if (isDrawn.has(edge))
      lines.set(edgeKey(edge), (graph.edge(edge.client, edge.server) as { points?: Point[] }).points ?? []);
    else if (from && to) lines.set(edgeKey(edge), between(from, to, way));
  }
  const columns = Math.max(1, Math.ceil(Math.sqrt(alone.length / 3)), Math.floor(wide / (node.width + 20)));
  const start = high === 0 ? 0 : high + INNER_SPACE.nodesep;
  for (const [i, { id }] of alone.entries())
    boxes.set(id, {
      ...node,
      x: (i % columns) * (node.width + 20) + node.width / 2,
      y: start + Math.floor(i / columns) * (node.height + INNER_SPACE.nodesep) + node.height / 2,
    });
  for (const edge of edges) {
    const box = boxes.get(edge.client);
    if (edge.client === edge.server && box) lines.set(edgeKey(edge), loop(box));
  }
  const all = [...boxes.values()];
  return {
    ...{ boxes, lines },
    width: Math.max(wide, ...all.map(({ x, width }) => x + width / 2)),
    height: Math.max(high, ...all.map(({ y, height }) => y + height / 2)),
  };
}

/** Few enough edges for dagre: all of them, or those without which an end would stand apart (a spanning forest). */
function skeleton<E extends Pick<TrafficEdge, 'client' | 'server' | 'flows'>>(
  edges: readonly E[],
): readonly E[] {
  if (edges.length <= MOST_EDGES) return edges;
  const roots = new Map<string, string>();
  const rootOf = (id: string): string => {
    let root = id;
    for (let next = roots.get(root); next !== undefined; next = roots.get(root)) root = next;
    if (root !== id) roots.set(id, root);
    return root;
  };
  return edges
    .toSorted((a, b) => b.flows - a.flows)
    .filter(({ client, server }) => {
      const [a, b] = [rootOf(client), rootOf(server)];
      if (a !== b) roots.set(a, b);
      return a !== b;
    });
}

/** Where dagre has put a box; what it leaves out counts as 0. */
function boxOf(graph: InstanceType<typeof dagre.graphlib.Graph>, name: string): Box {
  const { x, y, width, height } = graph.node(name) as Partial<Box>;
  const number = (value: number | undefined) => (Number.isFinite(value) ? Number(value) : 0);
  return { x: number(x), y: number(y), width: number(width), height: number(height) };
}

/** The way from one box to another: out of the side that looks at the other, and in at its near side. */
function between(from: Box, to: Box, way: Way, others: readonly Box[] = []): Point[] {
  if (way === 'down') return between(turned(from), turned(to), 'right', others.map(turned)).map(turnedPoint);
  const right = to.x >= from.x;
  const start = { x: from.x + (right ? from.width : -from.width) / 2, y: from.y };
  const end = { x: to.x + (right ? -to.width : to.width) / 2, y: to.y };
  const bend = Math.min(60, Math.abs(end.x - start.x) / 3);
  const direction = right ? 1 : -1;
  const middle = { x: (start.x + end.x) / 2, y: (start.y + end.y) / 2 };
  const passed = around(start, end, others) ?? [middle];
  const reach = (point: Point, from: Point) => Math.min(bend, Math.abs(point.x - from.x) / 2);
  return [
    start,
    { x: start.x + direction * reach(passed[0] ?? middle, start), y: start.y },
    ...passed,
    { x: end.x - direction * reach(passed.at(-1) ?? middle, end), y: end.y },
    end,
  ];
}

/** Points beside the boxes that a straight line would run behind, in their order; undefined where there are none. */
function around(start: Point, end: Point, boxes: readonly Box[]): Point[] | undefined {
  const [low, high] = [Math.min(start.x, end.x), Math.max(start.x, end.x)];
  const slope = (end.y - start.y) / (end.x - start.x);
  const blocking = boxes
    .filter(({ x, width }) => x - width / 2 > low && x + width / 2 < high)
    .map((box) => ({ box, y: start.y + slope * (box.x - start.x) }))
    .filter(({ box, y }) => Math.abs(y - box.y) < (box.height + BESIDE + Math.abs(slope) * box.width) / 2)
    .sort((a, b) => Math.abs(a.box.x - start.x) - Math.abs(b.box.x - start.x));
  if (blocking.length === 0) return undefined;
  const direction = end.x > start.x ? 1 : -1;
  return blocking.flatMap(({ box, y }) => {
    const side = y === box.y ? Math.sign(end.y - box.y) || 1 : Math.sign(y - box.y);
    const beside = box.y + side * (box.height / 2 + BESIDE);
    const half = (direction * box.width) / 2;
    return [
      { x: box.x - half, y: beside },
      { x: box.x + half, y: beside },
    ];
  });
}

/** With right and down exchanged. */
function turned({ x, y, width, height }: Box): Box {
  return { x: y, y: x, width: height, height: width };
}

function turnedPoint({ x, y }: Point): Point {
  return { x: y, y: x };
}

/** The way of what talks to itself. */
function loop({ x, y, width, height }: Box): Point[] {
  const right = x + width / 2;
  return [
    { x: right - 20, y: y - height / 2 },
    { x: right + 12, y: y - height / 2 - 14 },
    { x: right, y: y - 6 },
  ];
}

/** A smooth line through points, as an SVG path. */
export function pathOf(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (!first) return '';
  const at = ({ x, y }: Point) => `${x.toFixed(1)},${y.toFixed(1)}`;
  let path = `M${at(first)}`;
  for (const [i, point] of rest.entries()) {
    const next = rest[i + 1];
    if (!next) path += `L${at(point)}`;
    else path += `Q${at(point)} ${at({ x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 })}`;
  }
  return path;
}
